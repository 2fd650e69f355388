import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { createRushes, growthOf } from './heap-growth.ts'

const megabytes = 2 ** 20

it('allows a heap in a storm to double, less the larger it is', () => {
  expect(growthOf(40 * megabytes)).toBe(100)
  expect(growthOf(80 * megabytes)).toBe(100)
  expect(growthOf(120 * megabytes)).toBe(80)
  expect(growthOf(1000 * megabytes)).toBe(40)
})

it('takes much garbage in a short time for a storm, however large the young generation has become by then', () => {
  const isRush = createRushes()
  for (let i = 0; i < 79; i++) expect(isRush(i * 20, 4 * megabytes)).toBe(false)
  expect(isRush(79 * 20, 4 * megabytes)).toBe(true)
  for (let i = 1; i < 80; i++) expect(isRush(1580 + i * 80, 16 * megabytes)).toBe(true)
  for (let i = 1; i < 80; i++) isRush(7900 + i * 100, 4 * megabytes)
  expect(isRush(15_900, 4 * megabytes)).toBe(false)
})

const asLaunched = ['--disable-warning=ExperimentalWarning', '--min-semi-space-size=4', '--max-semi-space-size=16', '--initial-old-space-size=32', '--heap-growing-percent=40', '--input-type=module']

/** Says how large the young generation of a process is, in megabytes, that keeps much of what it makes: made slowly, then fast. */
const young = (): readonly number[] => JSON.parse(execFileSync(process.execPath, [...asLaunched, '-e', `
import { getHeapSpaceStatistics } from 'node:v8'
import { setTimeout } from 'node:timers/promises'
const { growWithLoad } = await import(${JSON.stringify(new URL('heap-growth.ts', import.meta.url).href)})
growWithLoad({ bytes: 128 * 2 ** 20, within: 60_000 })
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
if (${grow}) growWithLoad({ bytes: 64 * 2 ** 20, within: 60_000 })
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

/** Says what the young generation of a process held, in megabytes, before and after it was to be collected: with little garbage in it, then with much. */
const collected = (...flags: readonly string[]): readonly (readonly [number, number])[] => JSON.parse(execFileSync(process.execPath, [...asLaunched, '--min-semi-space-size=16', ...flags, '-e', `
import { getHeapSpaceStatistics } from 'node:v8'
import { setTimeout } from 'node:timers/promises'
const { createYoungCollector } = await import(${JSON.stringify(new URL('heap-growth.ts', import.meta.url).href)})
const collect = createYoungCollector()
const used = () => Math.round(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_used_size / 2 ** 20)
let garbage
const fill = (megabytes) => { while (used() < megabytes) for (let i = 0; i < 100; i++) garbage = new Array(100).fill(i) }
const sizes = []
for (const megabytes of [4, 11]) {
  // Again when V8 has collected by itself meanwhile.
  do {
    fill(megabytes)
    await setTimeout(5)
  } while (used() < megabytes)
  const before = used()
  collect()
  sizes.push([before, used()])
}
console.log(JSON.stringify(sizes))
`], { encoding: 'utf8' })) as (readonly [number, number])[]

/**
 * Has a process's heap grow until V8 has collected all of it many times, asking for the young generation to be collected in between; says how many full
 * collections there were, and how many of them such a request has ended.
 */
const ended = (): { readonly full: number; readonly ended: number } => JSON.parse(execFileSync(process.execPath, [...asLaunched, '--expose-gc', '-e', `
import { constants, PerformanceObserver } from 'node:perf_hooks'
const { createYoungCollector } = await import(${JSON.stringify(new URL('heap-growth.ts', import.meta.url).href)})
const collect = createYoungCollector()
const full = []
new PerformanceObserver((list) => { for (const { detail, startTime } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full.push(startTime) }).observe({ entryTypes: ['gc'] })
const kept = []
const calls = []
const turn = () => new Promise((resolve) => setImmediate(resolve))
for (let n = 0; n < 6000; n++) {
  for (let i = 0; i < 500; i++) kept[i] = { i, name: 'x' + i, list: [i] }
  // What is outside of the heap counts too, and makes V8 begin at any moment.
  kept[500 + (n % 100)] = Buffer.alloc(2 ** 20)
  await turn()
  const from = performance.now()
  collect()
  calls.push([from, performance.now()])
}
await turn()
await turn()
await turn()
console.log(JSON.stringify({ full: full.length, ended: full.filter((at) => calls.some(([from, to]) => from <= at && at <= to)).length }))
`], { encoding: 'utf8' })) as { full: number; ended: number }

it('does not collect it while V8 marks, however short a while ago that began', () => {
  const seen = ended()
  expect(seen.full).toBeGreaterThan(40)
  // V8 may begin to mark in the very call; without looking at what the observer has not been told, it is every tenth.
  expect(seen.ended).toBeLessThan(seen.full / 15)
})

it('collects the young generation when asked to, if that is worth it and the process may', () => {
  const [little, much] = collected('--expose-gc')
  expect(little![1]).toBe(little![0])
  expect(much![0]).toBeGreaterThanOrEqual(11)
  expect(much![1]).toBeLessThan(4)
  for (const [before, after] of collected()) expect(after).toBe(before)
})
