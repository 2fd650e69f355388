/**
 * One priority level: its seats, and the queues in which requests wait for them. Which queue is next is decided by start-time fair
 * queuing: each queue has a virtual start time for its next request, which advances by the work that the queue was given
 * (seats × milliseconds), so that busy queues get equal amounts of work, whatever their requests cost.
 */
import type { Socket } from 'node:net'
import type { flowcontrol } from '../../api/index.ts'
import { Roster, type Member } from '../../machinery/roster.ts'
import type { ApiRequest, RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'
import { dealHand } from './hand.ts'
import { Meter, type Demand } from './meter.ts'
import type { Limits } from './seats.ts'

/** A connection that is not being read; `since` in milliseconds. */
export interface Held { readonly socket: Socket; readonly since: number }

/** A flow: the requests of one schema with the same distinguisher, a user or a namespace. */
export interface Flow {
  readonly distinguisher: string
  /** Its queues. */
  readonly hand: readonly number[]
  executing: number
  /** Requests in the queues of its hand. */
  waiting: number
  /** Held connections, in the order of their answers, and how many others are about to bring a request; see `hold.ts`. */
  readonly held: Held[]
  coming: number
  /** The event loop iteration in which one of its requests last began. */
  round: number
}

export interface Counts { dispatched: number; rejected: number; timedOut: number; cancelled: number }

/** A flow schema in effect. */
export interface Schema {
  readonly object: flowcontrol.FlowSchema
  readonly name: string
  readonly uid: string
  readonly level: Level
}

export interface Ticket extends Member {
  readonly schema: Schema
  readonly level: Level
  readonly flow: Flow
  readonly queue: Queue | undefined
  readonly request: ApiRequest
  readonly user: Identity
  readonly info: RequestInfo
  readonly seats: number
  /** Seats that stay taken after a write, for `ms` milliseconds, for the watch events it causes. */
  readonly after: { readonly seats: number; readonly ms: number } | undefined
  /** Milliseconds, as `performance.now()` counts them. */
  readonly arrived: number
  began: number
  /** The estimate its queue was charged in advance. */
  charged: number
  /** While it waits: the deadline in milliseconds of the clock; called when its turn comes; called when it stops waiting, with the reason. */
  until: number
  go: (() => void) | undefined
  refuse: ((reason: unknown) => void) | undefined
}

export interface Queue {
  readonly index: number
  readonly waiting: Ticket[]
  seats: number
  executing: number
  waitingSeats: number
  /** Virtual time. */
  next: number
}

/** The estimated duration of a request until one has finished, in milliseconds; afterwards a moving average. */
const firstGuess = 3
const weight = 1 / 16
/** Longer requests, in milliseconds, wait for something outside the server. */
const longest = 100

/** Characters of users and namespaces that distinguish flows. */
const longestName = 300

const newQueue = (index: number): Queue => ({ index, waiting: [], seats: 0, executing: 0, waitingSeats: 0, next: 0 })

export class Level {
  readonly name: string
  uid = ''
  spec: flowcontrol.PriorityLevelConfigurationSpec
  limits: Limits = { nominal: 0, min: 0, max: 0 }
  /** The seats it may use now. */
  current = 1
  /** No longer configured; removed when it is empty. */
  quiescing = false
  /** Whether a request could begin, as of the last `next`. */
  ready = false
  /** Seats in use, by requests and after writes. */
  seats = 0
  executing = 0
  waiting = 0
  waitingSeats = 0
  /** The seat demand's high-water mark since the last reset. */
  peak = 0
  /** `peak` smoothed over time. */
  demand = 0
  /** Usage over time, and the seat demand as of the last borrowing adjustment. */
  readonly meter = new Meter()
  wanted: Demand = { average: 0, deviation: 0 }
  /** Work given so far, divided by the level's share: levels are compared by it when the event loop is busy. */
  served = 0
  readonly running = new Roster<Ticket>()
  readonly counts: Counts = { dispatched: 0, rejected: 0, timedOut: 0, cancelled: 0 }
  #queues: Queue[] = [newQueue(0)]
  /** The estimated duration of a request, per seat, in milliseconds. */
  #guess = firstGuess
  #flows = new Map<string, Flow>()

  constructor(name: string, spec: flowcontrol.PriorityLevelConfigurationSpec) {
    this.name = name
    this.spec = spec
    this.configure(spec)
  }

  get exempt(): boolean { return this.spec.type === 'Exempt' }
  get queues(): readonly Queue[] { return this.#queues }
  /** Whether requests never wait for seats. */
  get rejects(): boolean { return this.spec.limited?.limitResponse.type !== 'Queue' }

  /** Applies a new configuration; waiting requests keep their place. */
  configure(spec: flowcontrol.PriorityLevelConfigurationSpec): void {
    this.spec = spec
    this.quiescing = false
    const wanted = this.queueCount
    while (this.#queues.length < wanted) this.#queues.push(newQueue(this.#queues.length))
    // Queues beyond the new number get no more requests, and drain.
    if (this.waiting === 0 && this.executing === 0) this.#queues.length = wanted
    this.#flows.clear()
  }

  /** Requests that may wait. */
  get places(): number { return this.queueCount * (this.spec.limited?.limitResponse.queuing?.queueLengthLimit ?? 0) }
  get queueCount(): number { return this.spec.limited?.limitResponse.queuing?.queues ?? 1 }

  /** The flow of a schema and a distinguisher. */
  flow(schema: string, distinguisher: string): Flow {
    const key = `${schema}/${distinguisher.slice(0, longestName)}`
    let flow = this.#flows.get(key)
    if (flow) return flow
    if (this.#flows.size >= 10_000) this.#flows.clear()
    const queuing = this.spec.limited?.limitResponse.queuing
    flow = { distinguisher, hand: queuing ? dealHand(key, queuing.queues, queuing.handSize) : [0], executing: 0, waiting: 0, held: [], coming: 0, round: -1 }
    this.#flows.set(key, flow)
    return flow
  }

  /** The queue of the flow's hand with the least work. */
  queueOf({ hand }: Flow): Queue {
    let best = this.#queues[hand[0] as number] as Queue
    for (let i = 1; i < hand.length; i++) {
      const queue = this.#queues[hand[i] as number] as Queue
      if (queue.waitingSeats + queue.seats < best.waitingSeats + best.seats) best = queue
    }
    return best
  }

  /** Whether so many seats are free. A request wider than the level may run alone. */
  fits(seats: number): boolean { return this.seats + seats <= this.current || this.seats === 0 }

  /** Appends a request to its queue; false when that is full. */
  enqueue(ticket: Ticket): boolean {
    const queue = ticket.queue as Queue
    const limit = this.spec.limited?.limitResponse.queuing?.queueLengthLimit ?? this.current
    if (queue.waiting.length >= limit) return false
    this.meter.pass(this, ticket.arrived)
    this.#wake(queue)
    queue.waiting.push(ticket)
    queue.waitingSeats += ticket.seats
    ticket.flow.waiting++
    this.waiting++
    this.waitingSeats += ticket.seats
    this.#want()
    return true
  }

  /**
   * A queue that was idle starts at the earliest virtual time of the others: it gets no credit for the past. Nor does it owe more than
   * one request, since the measured time of a request may have been spent on others.
   */
  #wake(queue: Queue): void {
    if (queue.waiting.length > 0 || queue.executing > 0) return
    let least = Infinity
    for (const other of this.#queues) if ((other.waiting.length > 0 || other.executing > 0) && other.next < least) least = other.next
    if (least < Infinity) queue.next = Math.min(Math.max(queue.next, least), least + this.#guess)
  }

  #want(): void { this.peak = Math.max(this.peak, this.seats + this.waitingSeats) }

  /** The next request in fair order with free seats that `may` begin. Sets `ready` to whether there were seats for any. */
  next(may: (ticket: Ticket) => boolean): Ticket | undefined {
    let best: Ticket | undefined
    let earliest = Infinity
    this.ready = false
    if (this.waiting === 0) return undefined
    for (const { waiting, next } of this.#queues) {
      const first = waiting[0]
      if (!first) continue
      const end = next + first.seats * this.#guess
      if (end >= earliest || !this.fits(first.seats)) continue
      this.ready = true
      if (!may(first)) continue
      best = first
      earliest = end
    }
    return best
  }

  /** Takes a request out of its queue. */
  leaveQueue(ticket: Ticket): void {
    const { queue, seats, flow } = ticket
    const at = queue?.waiting.indexOf(ticket) ?? -1
    if (!queue || at < 0) return
    this.meter.pass(this, performance.now())
    queue.waiting.splice(at, 1)
    queue.waitingSeats -= seats
    flow.waiting--
    this.waiting--
    this.waitingSeats -= seats
  }

  begin(ticket: Ticket, now: number): void {
    const { queue, seats, flow } = ticket
    ticket.began = now
    this.meter.pass(this, now)
    flow.executing++
    this.executing++
    this.seats += seats
    this.counts.dispatched++
    this.running.add(ticket)
    this.#want()
    if (!queue) return
    this.#wake(queue)
    ticket.charged = seats * this.#guess
    queue.next += ticket.charged
    queue.seats += seats
    queue.executing++
  }

  /** Releases the seats, and corrects the queue's charge. Returns the work that was done. */
  finish(ticket: Ticket, now: number): number {
    const { queue, seats, flow } = ticket
    const took = Math.min(longest, now - ticket.began)
    const work = seats * took
    this.meter.pass(this, now)
    this.#guess += (took - this.#guess) * weight
    flow.executing--
    this.executing--
    this.seats -= seats
    this.running.delete(ticket)
    if (queue) {
      queue.next += work - ticket.charged
      queue.seats -= seats
      queue.executing--
    }
    return work
  }

  /** The estimated duration of a request of one seat, in milliseconds. */
  get guess(): number { return this.#guess }
}
