import { beforeEach, expect, it } from 'vitest'
import type { flowcontrol } from '../../api/index.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { inTurn, shareLoop } from '../../machinery/loop-sharing.ts'
import type { ApiRequest } from '../http/request.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import { createCommitCount, type CommitCount } from '../registry/commits.ts'
import { createDispatcher, type Dispatcher } from './dispatcher.ts'
import { Level, type Schema, type Ticket } from './level.ts'
import { suggestedLevels } from './objects.ts'

const specOf = (name: string) => suggestedLevels.find((level) => level.name === name)!.spec as unknown as flowcontrol.PriorityLevelConfigurationSpec
const info = parseRequestInfo('GET', '/api/v1/pods', new URLSearchParams())

let clock: FakeClock
let levels: Level[]
let time: number
let busy: number
let dispatcher: Dispatcher
let commits: CommitCount
let order: string[]
let respites: number

beforeEach(async () => {
  // What the test before has left.
  shareLoop(0)
  await rounds(2)
  clock = new FakeClock()
  time = 0
  busy = 1
  order = []
  respites = 0
  levels = ['workload-low', 'workload-high'].map((name) => {
    const level = new Level(name, specOf(name))
    level.limits = { nominal: name === 'workload-low' ? 200 : 100, min: 10, max: 600 }
    level.current = 200
    return level
  })
  commits = createCommitCount()
  dispatcher = createDispatcher({ clock, commits, levels: () => levels, total: () => 600, now: () => time, busy: () => busy, respite: () => void respites++ })
})

function ticketOf(user: string, seats = 1, level = levels[0]!): Ticket {
  const flow = level.flow('s', user)
  return { schema: { name: 's', level } as Schema, level, flow, queue: level.queueOf(flow), request: {} as ApiRequest, user: { name: user, groups: [] }, info, seats, after: undefined, arrived: time, began: 0, place: -1, charged: 0, until: Infinity, go: undefined, refuse: undefined }
}

/** Begins, or waits and then begins; is written down when it does. */
function enter(user: string, seats = 1, level = levels[0]!): Ticket {
  const ticket = ticketOf(user, seats, level)
  ticket.go = () => void order.push(user)
  if (dispatcher.begin(ticket)) order.push(user)
  else {
    expect(level.enqueue(ticket)).toBe(true)
    dispatcher.waiting()
  }
  return ticket
}
const rounds = async (count: number) => { for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve)) }

it('begins so much in a round of the loop and leaves the rest to the next ones', async () => {
  const work = (user: string) => {
    const ticket = enter(user)
    // What is done at once: a third of a turn and more.
    time += 0.04
    if (order.at(-1) === user) dispatcher.finish(ticket)
    return ticket
  }
  for (let i = 0; i < 6; i++) work('ana')
  expect(order).toHaveLength(3)
  expect(levels[0]!.waiting).toBe(3)
  await rounds(4)
  expect(order).toHaveLength(6)
})

/** Enters a request of each of these users that takes longer than a turn. */
function enterSlow(...users: readonly string[]): void {
  for (const user of users) {
    const ticket = enter(user)
    time += 0.4
    const { go } = ticket
    ticket.go = () => {
      go?.()
      time += 0.4
    }
  }
}

it('begins no more than one in a round when each takes longer than a turn', async () => {
  enterSlow('ana', 'ana', 'ana', 'ana', 'ana', 'ana')
  expect(order).toHaveLength(1)
  for (let round = 2; round <= 6; round++) {
    await rounds(1)
    expect(order).toHaveLength(round)
  }
})

it('begins none in a round that has a step of other work while several users are there', async () => {
  enterSlow('bob', 'ana', 'ana', 'ana')
  expect(order).toEqual(['bob', 'ana'])
  for (let i = 0; i < 3; i++) inTurn(() => void order.push('step'))
  try {
    for (let done = 3; done <= 7; done++) {
      await rounds(1)
      expect(order).toHaveLength(done)
    }
    expect(order.toSorted()).toEqual(['ana', 'ana', 'ana', 'bob', 'step', 'step', 'step'])
  } finally {
    shareLoop(0)
  }
})

it('begins nothing more in a round that has answered others for as long as a turn', async () => {
  const tickets = Array.from({ length: 20 }, () => enter('ana'))
  await rounds(3)
  expect(order).toHaveLength(8)
  for (const ticket of tickets.slice(0, 3)) {
    dispatcher.finish(ticket)
    time += 0.1
  }
  for (let i = 0; i < 20; i++) await new Promise((resolve) => process.nextTick(resolve))
  expect(order).toHaveLength(8)
  await rounds(1)
  expect(order).toHaveLength(11)
})

it('says when somebody has been answered while others wait, and nobody but those is there', async () => {
  const ana = enter('ana')
  for (let i = 0; i < 20; i++) enter('ana')
  await rounds(1)
  dispatcher.finish(ana)
  await rounds(1)
  expect(respites).toBe(0)
  const bob = enter('bob')
  dispatcher.finish(bob)
  expect(respites).toBe(0)
  await rounds(1)
  expect(respites).toBe(1)
})

it('begins more in a round for one that has been alone for a while', async () => {
  const work = (user: string) => {
    const ticket = enter(user)
    time += 0.12
    if (order.at(-1) === user) dispatcher.finish(ticket)
  }
  work('ana')
  await rounds(2)
  time += 150
  order = []
  for (let i = 0; i < 12; i++) work('ana')
  expect(order).toHaveLength(9)
  await rounds(10)
  work('bob')
  await rounds(2)
  order = []
  for (let i = 0; i < 6; i++) work('ana')
  expect(order).toHaveLength(1)
  await rounds(10)
})

it('has so many on the loop at a time while it is busy; others begin as they end', async () => {
  const tickets = Array.from({ length: 20 }, () => enter('ana'))
  await rounds(3)
  expect(order).toHaveLength(8)
  for (const ticket of tickets.slice(0, 4)) dispatcher.finish(ticket)
  await rounds(10)
  expect(order).toHaveLength(12)
})

it('gives the places of those that wait for the disk to others: no more than those of eight, and of thirty-two for one that has been alone for a while', async () => {
  for (let i = 0; i < 60; i++) enter('ana')
  await rounds(3)
  expect(order).toHaveLength(8)
  for (let i = 0; i < 3; i++) commits.began()
  await rounds(10)
  expect(order).toHaveLength(11)
  for (let i = 0; i < 40; i++) commits.began()
  await rounds(60)
  expect(order).toHaveLength(16)
  time += 150
  commits.began()
  await rounds(60)
  expect(order).toHaveLength(40)
})

it('lets no others begin for those that the disk has answered', async () => {
  const tickets = Array.from({ length: 20 }, () => enter('ana'))
  for (let i = 0; i < 3; i++) commits.began()
  await rounds(10)
  expect(order).toHaveLength(11)
  for (let i = 0; i < 3; i++) commits.ended()
  for (const ticket of tickets.slice(0, 3)) dispatcher.finish(ticket)
  await rounds(10)
  expect(order).toHaveLength(11)
  dispatcher.finish(tickets[3]!)
  await rounds(10)
  expect(order).toHaveLength(12)
})

it('lets somebody who has nothing under way begin in between', async () => {
  for (let i = 0; i < 20; i++) enter('ana')
  await rounds(3)
  enter('bob')
  await rounds(3)
  expect(order.at(-1)).toBe('bob')
  enter('bob')
  await rounds(3)
  expect(order.filter((user) => user === 'bob')).toHaveLength(1)
})

it('lets somebody who was given nothing yet begin at once, before those who wait; once in a round of the loop', async () => {
  const work = (user: string) => {
    const ticket = enter(user)
    time += 0.12
    if (order.at(-1) === user) dispatcher.finish(ticket)
  }
  for (let i = 0; i < 6; i++) work('ana')
  expect(order).toEqual(['ana'])
  work('bob')
  work('bob')
  expect(order).toEqual(['ana', 'bob'])
  await rounds(8)
  expect(order).toHaveLength(8)
})

it('lets more begin while those under way wait for something else', async () => {
  busy = 0.2
  for (let i = 0; i < 60; i++) enter('ana')
  await rounds(3)
  expect(order).toHaveLength(8)
  for (let i = 0; i < 10; i++) {
    await clock.advance(5)
    await rounds(30)
    time += 5
  }
  expect(order).toHaveLength(60)
})

it('lets no more begin than before once the loop is busy again, though there was always a place', async () => {
  busy = 0.2
  const tickets = Array.from({ length: 60 }, () => enter('ana'))
  for (let i = 0; i < 10; i++) {
    await clock.advance(5)
    await rounds(30)
    time += 5
  }
  expect(order).toHaveLength(60)
  for (const ticket of tickets) dispatcher.finish(ticket)
  busy = 1
  // One after the other, each of which had to wait for its turn: all places but one are free.
  for (let i = 0; i < 40; i++) {
    const [first, second] = [enter('ana'), (time += 0.4, enter('ana'))]
    await rounds(3)
    time += 5
    await clock.advance(5)
    for (const ticket of [first, second]) dispatcher.finish(ticket)
  }
  order = []
  for (let i = 0; i < 60; i++) enter('ana')
  await rounds(30)
  expect(order).toHaveLength(8)
})

it('gives levels their share of the loop, and flows in a level theirs', async () => {
  const tickets: Ticket[] = []
  const ask = (user: string, level: Level) => {
    const ticket = enter(user, 1, level)
    tickets.push(ticket)
    const { go } = ticket
    ticket.go = () => {
      go?.()
      time += 1
      queueMicrotask(() => dispatcher.finish(ticket))
    }
  }
  for (let i = 0; i < 8; i++) enter('blocker')
  const blockers = [...levels[0]!.running]
  for (let i = 0; i < 60; i++) ask('ana', levels[0]!)
  for (let i = 0; i < 60; i++) ask('eve', levels[1]!)
  await rounds(2)
  order = []
  for (const blocker of blockers) dispatcher.finish(blocker)
  while (order.length < 60) await rounds(1)
  const first = order.slice(0, 60)
  // Twice the shares, twice the turns.
  expect(first.filter((user) => user === 'ana').length).toBeGreaterThan(33)
  expect(first.filter((user) => user === 'eve').length).toBeGreaterThan(13)
})

it('does not charge a flow for more than one request of before', () => {
  const [level] = levels
  const slow = ticketOf('bob')
  level!.begin(slow, 0)
  level!.finish(slow, 90)
  const waiting = [...Array.from({ length: 30 }, () => ticketOf('ana')), ticketOf('bob')]
  for (const ticket of waiting) expect(level!.enqueue(ticket)).toBe(true)
  const begun: string[] = []
  for (let next = level!.next(() => true); next; next = level!.next(() => true)) {
    level!.leaveQueue(next)
    level!.begin(next, 100)
    level!.finish(next, 100.5)
    begun.push(next.user.name)
  }
  expect(begun).toHaveLength(31)
  // Bob has one queue, Ana six: about one in seven is his, after what one request takes.
  expect(begun.indexOf('bob')).toBeLessThan(25)
})
