import { array, assert, boolean, constantFrom, integer, option, property, record } from 'fast-check'
import { expect, it } from 'vitest'
import { Sorted } from './sorted.ts'

it('keeps what an array that is sorted after each change would hold', () => {
  const key = integer({ min: 0, max: 3000 }).map((n) => `k${String(n).padStart(4, '0')}`)
  const step = record({ key, remove: constantFrom(false, false, true), look: integer({ min: 0, max: 400 }).map((n) => n === 0) })
  const query = record({ from: key, beyond: boolean(), to: option(key, { nil: undefined }) })
  assert(property(array(step, { maxLength: 3000, size: 'max' }), array(query, { minLength: 5, maxLength: 20 }), (steps, queries) => {
    const sorted = new Sorted<{ key: string; n: number }>()
    const model = new Map<string, { key: string; n: number }>()
    for (const [n, { key, remove, look }] of steps.entries()) {
      if (look) sorted.all()
      if (remove) {
        sorted.delete(key)
        model.delete(key)
      } else {
        if (model.has(key)) sorted.replace({ key, n })
        else sorted.add({ key, n })
        model.set(key, { key, n })
      }
    }
    const all = [...model.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
    expect(sorted.all()).toEqual(all)
    expect(sorted.size).toBe(all.length)
    for (const { from, beyond, to } of queries) {
      expect(sorted.range(from, beyond, to)).toEqual(all.filter(({ key }) => (beyond ? key > from : key >= from) && (to === undefined || key < to)))
    }
  }), { numRuns: 60 })
})

it('takes a hundred thousand items in any order in well under a second', () => {
  const sorted = new Sorted<{ key: string }>()
  const begun = performance.now()
  for (let i = 0; i < 100_000; i++) sorted.add({ key: String((i * 7919) % 100_003) })
  expect(sorted.size).toBe(100_000)
  expect(performance.now() - begun).toBeLessThan(5000)
})
