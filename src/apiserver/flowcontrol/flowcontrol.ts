/** API Priority and Fairness: every request gets a place by who sends it and what it asks for, waits its turn, or is told to come again. */
import { flowcontrol } from '../../api/index.ts'
import type { Timer } from '../../machinery/clock.ts'
import { TextError } from '../http/respond.ts'
import type { ApiRequest, RequestInfo } from '../http/request.ts'
import { isStream } from '../http/request-info.ts'
import type { FlowEdge, ServerEnvironment } from '../options.ts'
import { createDispatcher, type DispatcherOptions } from './dispatcher.ts'
import type { Ticket } from './level.ts'
import { createLevels, type Levels } from './levels.ts'
import { createRecord, type FlowRecord } from './record.ts'
import { widthOf } from './width.ts'

export interface FlowControlOptions extends Pick<DispatcherOptions, 'now' | 'busy'> {
  /** Seats of all priority levels together. */
  readonly seats: number
}

export interface FlowControl extends FlowEdge {
  readonly levels: Levels
  readonly record: FlowRecord
}

/** A request waits for a quarter of the time that it may take, which is a minute where the client asks for no less. */
const part = 4
const patience = 15_000
/** How often the seats are shared anew, in milliseconds. */
const period = 10_000

/** The answer that Kubernetes gives when there is no room: a text, not a `Status`. */
export const tooMany = (): TextError => new TextError(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 })

/** Makes the edge. */
export function createFlowControl(env: Pick<ServerEnvironment, 'lister' | 'clock' | 'load'>, options: FlowControlOptions): FlowControl {
  const { clock } = env
  const now = options.now ?? (() => performance.now())
  const levels = createLevels({ levels: env.lister(flowcontrol.prioritylevelconfigurations), schemas: env.lister(flowcontrol.flowschemas), seats: options.seats })
  const record = createRecord()
  const dispatcher = createDispatcher({ ...options, clock, levels: levels.all, total: () => options.seats })
  const load = ({ group, version, resource }: RequestInfo) => env.load({ group, version, plural: resource })
  let adjusted = now()

  const end = (ticket: Ticket) => {
    record.executed(ticket, now() - ticket.began)
    dispatcher.finish(ticket)
    const { level, after } = ticket
    if (!after) return
    level.seats += after.seats
    clock.after(after.ms, () => {
      level.seats -= after.seats
      dispatcher.waiting()
    })
  }
  /** Gives back once, however often it is asked. */
  const releaseOf = (ticket: Ticket, finish: (ticket: Ticket) => void) => {
    let done = false
    return () => {
      if (done) return
      done = true
      finish(ticket)
    }
  }
  const patienceOf = ({ deadline = Infinity }: ApiRequest): number => (deadline === Infinity ? patience : Math.max(0, (deadline - clock.now()) / part))
  const enterExempt = (ticket: Ticket) => {
    ticket.level.begin(ticket, ticket.arrived)
    record.waited(ticket.schema, 0, ticket.seats)
    return releaseOf(ticket, () => {
      record.executed(ticket, now() - ticket.began)
      ticket.level.finish(ticket, now())
    })
  }
  const ticketOf = ({ user, info, query }: ApiRequest): Ticket => {
    const { schema, flow } = levels.classify(user, info)
    const { level } = schema
    const queue = level.exempt ? undefined : level.queueOf(flow)
    return { schema, level, flow, queue, user, info, ...widthOf(info, query, level.limits.nominal, load), arrived: now(), began: 0, place: -1, charged: 0 }
  }
  const wait = (ticket: Ticket, signal: AbortSignal, longest: number): Promise<() => void> => {
    const { level, schema } = ticket
    const reject = (reason: 'queue-full' | 'concurrency-limit' | 'time-out') => {
      record.rejected(schema, reason)
      level.counts[reason === 'time-out' ? 'timedOut' : 'rejected']++
      return tooMany()
    }
    if (level.rejects && !level.fits(level.waitingSeats + ticket.seats)) return Promise.reject(reject('concurrency-limit'))
    if (!level.enqueue(ticket)) return Promise.reject(reject('queue-full'))
    record.queued(schema, ticket.queue?.waiting.length ?? 0)
    return new Promise((resolve, fail) => {
      const timer: Timer = clock.after(longest, () => leave(() => reject('time-out')))
      const abort = () => leave(() => {
        record.rejected(schema, 'cancelled')
        level.counts.cancelled++
        return signal.reason
      })
      const over = () => {
        timer.cancel()
        signal.removeEventListener('abort', abort)
      }
      const leave = (why: () => unknown) => {
        over()
        level.leaveQueue(ticket)
        fail(why())
      }
      ticket.go = () => {
        over()
        record.waited(schema, ticket.began - ticket.arrived, ticket.seats)
        resolve(releaseOf(ticket, end))
      }
      signal.addEventListener('abort', abort, { once: true })
      dispatcher.waiting()
    })
  }

  return {
    levels, record,
    enter(request, response) {
      if (isStream(request.info)) return undefined
      const ticket = ticketOf(request)
      if (ticket.arrived - adjusted >= period) {
        adjusted = ticket.arrived
        levels.adjust()
      }
      if (response) mark(request.early, ticket)
      if (!ticket.queue) return enterExempt(ticket)
      if (!dispatcher.begin(ticket)) return wait(ticket, request.signal, patienceOf(request))
      record.waited(ticket.schema, 0, ticket.seats)
      return releaseOf(ticket, end)
    },
  }
}

/** Tells the client, without names, what its request was taken for. */
function mark(early: string[], { schema, level }: Ticket): void {
  if (schema.uid) early.push('x-kubernetes-pf-flowschema-uid', schema.uid)
  if (level.uid) early.push('x-kubernetes-pf-prioritylevel-uid', level.uid)
}

