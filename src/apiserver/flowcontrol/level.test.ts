import { expect, it } from 'vitest'
import type { flowcontrol } from '../../api/index.ts'
import { Level, type Flow, type Schema, type Ticket } from './level.ts'

const spec = { type: 'Limited', limited: { nominalConcurrencyShares: 10, limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 1, queueLengthLimit: 100 } } } } as flowcontrol.PriorityLevelConfigurationSpec

/** A level with one seat, in which nothing waits yet. */
function start() {
  const level = new Level('l', spec)
  const schema = { object: {}, name: 's', uid: '', level } as unknown as Schema
  const ticket = (flow: Flow, seats = 1): Ticket => ({ schema, level, flow, queue: level.queueOf(flow), request: {}, user: {}, info: {}, seats, after: undefined, arrived: 0, began: 0, charged: 0, place: -1, until: Infinity, go: undefined, refuse: undefined }) as unknown as Ticket
  return { level, ticket }
}
/** Two flows with different queues; the one whose queue is looked at first is first. */
function twoFlows(level: Level): readonly [Flow, Flow] {
  const flows = Array.from({ length: 40 }, (_, i) => level.flow('s', `user-${i}`))
  const a = flows[0]!
  const b = flows.find(({ hand }) => hand[0] !== a.hand[0])!
  return a.hand[0]! < b.hand[0]! ? [a, b] : [b, a]
}

it.each([['before', 0, 1], ['after', 1, 0]] as const)('serves who asks for little in turn with a flood, whose queue stands %s', (_, first, second) => {
  const { level, ticket } = start()
  const flows = twoFlows(level)
  const [flood, few] = [flows[first], flows[second]]
  for (let i = 0; i < 50; i++) expect(level.enqueue(ticket(flood))).toBe(true)
  for (let i = 0; i < 5; i++) expect(level.enqueue(ticket(few))).toBe(true)
  const order: Flow[] = []
  for (let now = 0; order.length < 12; now += 2) {
    const next = level.next(() => true)!
    level.leaveQueue(next)
    level.begin(next, now)
    level.finish(next, now + 1)
    order.push(next.flow)
  }
  expect(order.filter((flow) => flow === few)).toHaveLength(5)
})

it('gives wide requests fewer turns: what counts is work', () => {
  const { level, ticket } = start()
  level.current = 10
  const [narrow, wide] = twoFlows(level)
  for (let i = 0; i < 100; i++) level.enqueue(ticket(narrow))
  for (let i = 0; i < 100; i++) level.enqueue(ticket(wide, 10))
  let [ofNarrow, ofWide] = [0, 0]
  for (let now = 0; ofNarrow + ofWide < 66; now += 2) {
    const next = level.next(() => true)!
    level.leaveQueue(next)
    level.begin(next, now)
    level.finish(next, now + 1)
    if (next.flow === wide) ofWide++
    else ofNarrow++
  }
  expect(ofWide).toBeGreaterThanOrEqual(4)
  expect(ofWide).toBeLessThanOrEqual(9)
})
