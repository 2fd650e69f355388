import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { growthOf } from './heap-growth.ts'

const megabytes = 2 ** 20

it('allows a heap in a storm to double, less the larger it is, and little at all other times', () => {
  expect(growthOf(80 * megabytes, 500)).toBe(100)
  expect(growthOf(120 * megabytes, 500)).toBe(80)
  expect(growthOf(1000 * megabytes, 500)).toBe(40)
  expect(growthOf(80 * megabytes, 5000)).toBe(40)
  expect(growthOf(80 * megabytes, Infinity)).toBe(40)
  expect(growthOf(40 * megabytes, 500)).toBe(40)
})

/** Says how many full collections a process sees that keeps 60 MB, and always other ones. */
const storm = (grow: boolean) => Number(execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', '--initial-old-space-size=32', '--heap-growing-percent=40', '--input-type=module', '-e', `
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
