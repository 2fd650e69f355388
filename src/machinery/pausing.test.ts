import { expect, it } from 'vitest'
import { eachPausing, filterPausing } from './pausing.ts'

/** Holds the processor for some milliseconds. */
function work(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Counts the turns of the event loop until the promise is settled. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  const all = { turns: 0, settled: false }
  void promise.then(() => (all.settled = true))
  while (!all.settled) {
    await new Promise((resolve) => setImmediate(resolve))
    all.turns++
  }
  return all.turns
}

const numbers = Array.from({ length: 100 }, (_, i) => i)

it('calls for each item, in order, until it is told to stop', async () => {
  const seen: number[] = []
  await eachPausing(numbers, (n) => {
    seen.push(n)
    return n < 50
  })
  expect(seen).toEqual(numbers.slice(0, 51))
})

it('waits where it is told to', async () => {
  const seen: string[] = []
  await eachPausing(numbers.slice(0, 3), async (n) => {
    seen.push(`${n} begins`)
    await new Promise((resolve) => setTimeout(resolve, 1))
    seen.push(`${n} ends`)
  })
  expect(seen).toEqual(['0 begins', '0 ends', '1 begins', '1 ends', '2 begins', '2 ends'])
})

it('many loops together take no more of a turn of the event loop than one', async () => {
  // A hundred milliseconds of work by twenty at once: in shares of two, and never two of them in one step.
  let steps = 0
  const loops = Array.from({ length: 20 }, () => eachPausing(numbers, () => {
    work(0.05)
    steps++
  }))
  expect(steps).toBe(0)
  expect(await turnsUntil(Promise.all(loops))).toBeGreaterThan(20)
  expect(steps).toBe(2000)
})

it('all loops come to their end, also those that end between others', async () => {
  const lengths = [1, 2, 40, 100, 3, 1000, 0]
  const counts = lengths.map(() => 0)
  await Promise.all(lengths.map((length, at) => eachPausing(Array.from({ length }), () => void counts[at]!++)))
  expect(counts).toEqual(lengths)
})

it('one that fails does not keep the others', async () => {
  const failed = eachPausing(numbers, (n) => { if (n === 60) throw new Error('sixty') })
  let count = 0
  const other = eachPausing(numbers, () => void count++)
  await expect(failed).rejects.toThrow('sixty')
  await other
  expect(count).toBe(100)
})

it('filters', async () => {
  expect(await filterPausing(numbers, (n) => n % 30 === 0)).toEqual([0, 30, 60, 90])
})
