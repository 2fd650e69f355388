/**
 * How a request waits: until its turn comes, its client leaves, or its time is up. Hundreds may wait at once, each through several garbage
 * collections, so a wait is small: one timer for all of them, and no signals. Its functions get names before they are assigned to the
 * ticket: V8 takes a function literal on the right of `ticket.go =` for a method and allocates it in the old generation, where it keeps the whole
 * finished request alive until the next full collection.
 */
import type { Clock } from '../../machinery/clock.ts'
import { TextError } from '../http/respond.ts'
import type { ApiRequest } from '../http/request.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Holds } from './hold.ts'
import type { Level, Ticket } from './level.ts'
import type { FlowRecord } from './record.ts'

export interface WaitsOptions {
  readonly clock: Clock
  readonly levels: () => readonly Level[]
  readonly record: FlowRecord
  readonly holds: Holds
  readonly dispatcher: Dispatcher
}

export interface Waits {
  /** Resolves with the result of `begin` when the ticket's turn comes. Rejects with 429 when the queue is full or the wait too long, and with the reason when the client leaves. */
  wait(ticket: Ticket, begin: (ticket: Ticket) => () => void): Promise<() => void>
}

/** A request waits for at most a quarter of its timeout, which is a minute unless the client asks for less. */
const part = 4
const patience = 15_000
/** The interval of the check for requests that have waited too long, in milliseconds. */
const look = 100

/** Kubernetes's answer when there is no room: text, not a `Status`. */
export const tooMany = (): TextError => new TextError(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 })

/** Creates the queues of waiting requests. */
export function createWaits({ clock, levels, record, holds, dispatcher }: WaitsOptions): Waits {
  let looking = false
  const patienceOf = ({ deadline = Infinity }: ApiRequest): number => (deadline === Infinity ? patience : Math.max(0, (deadline - clock.now()) / part))
  const refusal = ({ schema, level }: Ticket, reason: 'queue-full' | 'concurrency-limit' | 'time-out') => {
    record.rejected(schema, reason)
    level.counts[reason === 'time-out' ? 'timedOut' : 'rejected']++
    return tooMany()
  }
  const lookAround = () => {
    const at = clock.now()
    for (const { queues } of levels()) {
      for (const { waiting } of queues) {
        if (waiting.length === 0) continue
        for (const ticket of waiting.filter(({ until }) => until <= at)) ticket.refuse?.(refusal(ticket, 'time-out'))
      }
    }
    looking = levels().some(({ waiting }) => waiting > 0)
    if (looking) clock.after(look, lookAround)
  }
  return {
    wait(ticket, begin) {
      const { level, schema, flow, request } = ticket
      if (level.rejects && !level.fits(level.waitingSeats + ticket.seats)) return Promise.reject(refusal(ticket, 'concurrency-limit'))
      if (!level.enqueue(ticket)) return Promise.reject(refusal(ticket, 'queue-full'))
      record.queued(schema, ticket.queue?.waiting.length ?? 0)
      ticket.until = clock.now() + patienceOf(request)
      if (!looking) clock.after(look, lookAround)
      looking = true
      return new Promise((resolve, fail) => {
        const go = () => {
          request.onGone = undefined
          holds.left(flow)
          record.waited(schema, ticket.began - ticket.arrived, ticket.seats)
          resolve(begin(ticket))
        }
        const refuse = (reason: unknown) => {
          request.onGone = undefined
          level.leaveQueue(ticket)
          holds.left(flow)
          fail(reason)
        }
        const gone = (reason: unknown) => {
          record.rejected(schema, 'cancelled')
          level.counts.cancelled++
          refuse(reason)
        }
        ticket.go = go
        ticket.refuse = refuse
        request.onGone = gone
        dispatcher.waiting()
      })
    },
  }
}
