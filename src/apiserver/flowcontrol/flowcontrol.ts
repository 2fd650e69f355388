/** API Priority and Fairness: every request is classified by its user and target, and is then served, queued, or rejected with 429. */
import { flowcontrol } from '../../api/index.ts'
import type { ApiRequest, RequestInfo } from '../http/request.ts'
import { isStream } from '../http/request-info.ts'
import type { FlowEdge, ServerEnvironment } from '../options.ts'
import { createDispatcher, type DispatcherOptions } from './dispatcher.ts'
import { createHolds } from './hold.ts'
import type { Ticket } from './level.ts'
import { createLevels, type Levels } from './levels.ts'
import { createRecord, type FlowRecord } from './record.ts'
import { createWaits } from './waits.ts'
import { widthOf } from './width.ts'

export interface FlowControlOptions extends Pick<DispatcherOptions, 'now' | 'busy' | 'respite'> {
  /** Seats of all priority levels together. */
  readonly seats: number
}

export interface FlowControl extends FlowEdge {
  readonly levels: Levels
  readonly record: FlowRecord
}

/** The interval of borrowing adjustments, in milliseconds. */
const period = 10_000

/** Makes the edge. */
export function createFlowControl(env: Pick<ServerEnvironment, 'lister' | 'clock' | 'load' | 'commits'>, options: FlowControlOptions): FlowControl {
  const { clock } = env
  const now = options.now ?? (() => performance.now())
  const levels = createLevels({ levels: env.lister(flowcontrol.prioritylevelconfigurations), schemas: env.lister(flowcontrol.flowschemas), seats: options.seats })
  const record = createRecord()
  const dispatcher = createDispatcher({ ...options, clock, commits: env.commits, levels: levels.all, total: () => options.seats })
  const load = ({ group, version, resource }: RequestInfo) => env.load({ group, version, plural: resource })
  const holds = createHolds(clock)
  const waits = createWaits({ clock, levels: levels.all, record, holds, dispatcher })
  let adjusted = now()

  const end = (ticket: Ticket) => {
    record.executed(ticket, now() - ticket.began)
    dispatcher.finish(ticket)
    const { level, after, flow, request, info } = ticket
    // A watch releases its seats once it has begun.
    if (info.verb !== 'watch') holds.answered(flow, request.raw)
    if (!after) return
    level.meter.pass(level, now())
    level.seats += after.seats
    clock.after(after.ms, () => {
      level.meter.pass(level, now())
      level.seats -= after.seats
      dispatcher.waiting()
    })
  }
  const endExempt = (ticket: Ticket) => {
    record.executed(ticket, now() - ticket.began)
    ticket.level.finish(ticket, now())
  }
  /** Releases the seats; idempotent. */
  const releaseOf = (ticket: Ticket, finish: (ticket: Ticket) => void) => {
    let done = false
    return () => {
      if (done) return
      done = true
      finish(ticket)
    }
  }
  const releaseAtEnd = (ticket: Ticket) => releaseOf(ticket, end)
  const enterExempt = (ticket: Ticket) => {
    ticket.level.begin(ticket, ticket.arrived)
    record.waited(ticket.schema, 0, ticket.seats)
    return releaseOf(ticket, endExempt)
  }
  const ticketOf = (request: ApiRequest): Ticket => {
    const { user, info, query } = request
    const { schema, flow } = levels.classify(user, info)
    const { level } = schema
    const queue = level.exempt ? undefined : level.queueOf(flow)
    const { seats, after } = widthOf(info, query, level.limits.nominal, load)
    return { schema, level, flow, queue, request, user, info, seats, after, arrived: now(), began: 0, charged: 0, place: -1, until: Infinity, go: undefined, refuse: undefined }
  }

  return {
    levels, record,
    enter(request, response) {
      if (isStream(request.info)) return undefined
      const ticket = ticketOf(request)
      holds.arrived(request.raw)
      if (ticket.arrived - adjusted >= period) {
        adjusted = ticket.arrived
        levels.adjust(adjusted)
      }
      if (response) mark(request.early, ticket)
      if (!ticket.queue) return enterExempt(ticket)
      if (!dispatcher.begin(ticket)) {
        if (!ticket.level.fits(ticket.seats)) record.unaccommodated(ticket.schema)
        return waits.wait(ticket, releaseAtEnd)
      }
      record.waited(ticket.schema, 0, ticket.seats)
      return releaseAtEnd(ticket)
    },
  }
}

/** Tells the client the UIDs of its flow schema and priority level. */
function mark(early: string[], { schema, level }: Ticket): void {
  if (schema.uid) early.push('x-kubernetes-pf-flowschema-uid', schema.uid)
  if (level.uid) early.push('x-kubernetes-pf-prioritylevel-uid', level.uid)
}

