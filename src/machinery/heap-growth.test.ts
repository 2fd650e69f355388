import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { createRushes, growthOf } from './heap-growth.ts'

const megabytes = 2 ** 20

it('allows a heap in a storm to double, less the larger it is, and little at all other times', () => {
  expect(growthOf(80 * megabytes, 500)).toBe(100)
  expect(growthOf(120 * megabytes, 500)).toBe(80)
  expect(growthOf(1000 * megabytes, 500)).toBe(40)
  expect(growthOf(80 * megabytes, 5000)).toBe(40)
  expect(growthOf(80 * megabytes, Infinity)).toBe(40)
  expect(growthOf(40 * megabytes, 500)).toBe(40)
})

it('takes many collections of the young in a short time for a storm', () => {
  const isRush = createRushes()
  for (let i = 0; i < 79; i++) expect(isRush(i * 20)).toBe(false)
  expect(isRush(79 * 20)).toBe(true)
  for (let i = 1; i < 80; i++) isRush(1580 + i * 100)
  expect(isRush(9600)).toBe(false)
})

const asLaunched = ['--disable-warning=ExperimentalWarning', '--min-semi-space-size=4', '--max-semi-space-size=16', '--initial-old-space-size=32', '--heap-growing-percent=40', '--input-type=module']

/** Says how large the young generation of a process is, in megabytes, that keeps much of what it makes: made slowly, then fast. */
const young = (): readonly number[] => JSON.parse(execFileSync(process.execPath, [...asLaunched, '-e', `
import { getHeapSpaceStatistics } from 'node:v8'
import { setTimeout } from 'node:timers/promises'
const { growWithLoad } = await import(${JSON.stringify(new URL('heap-growth.ts', import.meta.url).href)})
growWithLoad()
const kept = []
let made = 0
const make = (count) => { for (let i = 0; i < count; i++) kept[made++ % 2000] = new Array(100).fill(i) }
const size = () => Math.round(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20)
const sizes = []
for (let turn = 0; turn < 100; turn++) {
  make(300)
  await setTimeout(10)
}
sizes.push(size())
for (let turn = 0; turn < 4000 && size() < 32; turn++) {
  make(500)
  await new Promise((resolve) => setImmediate(resolve))
}
sizes.push(size())
console.log(JSON.stringify(sizes))
`], { encoding: 'utf8' })) as number[]

it('lets the young generation grow in a storm, and not before', () => {
  const [calm, stormy] = young()
  expect(calm).toBeLessThanOrEqual(8)
  expect(stormy).toBe(32)
})

/** Says how many full collections a process sees that keeps 60 MB, and always other ones. */
const storm = (grow: boolean) => Number(execFileSync(process.execPath, [...asLaunched, '-e', `
import { constants, PerformanceObserver } from 'node:perf_hooks'
const { growWithLoad } = await import(${JSON.stringify(new URL('heap-growth.ts', import.meta.url).href)})
if (${grow}) growWithLoad()
let full = 0
new PerformanceObserver((list) => { for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full++ }).observe({ entryTypes: ['gc'] })
const kept = []
for (let turn = 0; turn < 8000; turn++) {
  for (let i = 0; i < 500; i++) kept[(turn * 500 + i) % 400_000] = { i, name: 'x' + i, list: [i] }
  await new Promise((resolve) => setImmediate(resolve))
}
console.log(full)
`], { encoding: 'utf8' }))

it('makes full collections fewer while objects come and go fast', () => {
  expect(storm(true)).toBeLessThan(storm(false) * 0.85)
})
