import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Megabytes by which the old generation grows while ten thousand requests of ten kilobytes each wait and are served, eight at a time, without a full collection. */
const kept = (): number => Number(execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--expose-gc', '--max-semi-space-size=4', '--initial-old-space-size=512', '--input-type=module', '-e', `
import { getHeapSpaceStatistics } from 'node:v8'
const { createWaits } = await import(${JSON.stringify(new URL('waits.ts', import.meta.url).href)})
const nothing = () => {}
const clock = { now: () => 0, after: nothing }
const waits = createWaits({
  clock, levels: () => [], record: { queued: nothing, waited: nothing, rejected: nothing }, holds: { left: nothing }, dispatcher: { waiting: nothing },
})
const level = { rejects: false, enqueue: () => true, counts: {} }
const old = () => getHeapSpaceStatistics().find((space) => space.space_name === 'old_space').space_used_size
globalThis.gc()
const before = old()
for (let round = 0; round < 1250; round++) {
  const tickets = Array.from({ length: 8 }, () => ({ level, flow: {}, request: { deadline: Infinity, body: new Array(1250).fill(round) }, seats: 1 }))
  const all = tickets.map((ticket) => waits.wait(ticket, () => nothing))
  for (const ticket of tickets) ticket.go()
  await Promise.all(all)
  await new Promise((resolve) => setImmediate(resolve))
}
console.log((old() - before) / 2 ** 20)
`], { encoding: 'utf8' }))

it('leaves nothing behind of a request that has waited', () => {
  expect(kept()).toBeLessThan(10)
})
