/** `/debug/api_priority_and_fairness/dump_*`: what flow control is doing right now, as tables for people, in Kubernetes's columns. */
import { ApiError } from '../../machinery/errors.ts'
import type { Handler } from '../http/request.ts'
import { sendText } from '../reply.ts'
import type { Level, Ticket } from './level.ts'

type Row = readonly (string | number | boolean)[]

/** Columns separated by commas and as wide as their widest cell. */
function table(head: readonly string[], rows: readonly Row[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))].map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : `${cell},`)))
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)))
  return cells.map((row) => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] as number))).join(' ')}\n`).join('')
}

const levelHead = ['PriorityLevelName', 'ActiveQueues', 'IsIdle', 'IsQuiescing', 'WaitingRequests', 'ExecutingRequests', 'DispatchedRequests', 'RejectedRequests', 'TimedoutRequests', 'CancelledRequests']

function levelRow({ name, queues, exempt, quiescing, waiting, executing, counts }: Level): Row {
  const active = exempt ? 0 : queues.filter((queue) => queue.waiting.length > 0 || queue.executing > 0).length
  return [name, active, waiting + executing === 0, quiescing, waiting, executing, counts.dispatched, counts.rejected, counts.timedOut, counts.cancelled]
}

const queueHead = ['PriorityLevelName', 'Index', 'PendingRequests', 'ExecutingRequests', 'SeatsInUse', 'NextDispatchR', 'InitialSeatsSum', 'MaxSeatsSum', 'TotalWorkSum']

/** Work, from seats × milliseconds. */
const work = (amount: number): string => `${(amount / 1000).toFixed(8)}ss`
function queueRows(level: Level): readonly Row[] {
  if (level.rejects) return [[level.name, ...queueHead.slice(1).map(() => '<none>')]]
  return level.queues.map(({ index, waiting, executing, seats, next, waitingSeats }) => {
    const widest = waiting.reduce((sum, ticket) => sum + Math.max(ticket.seats, ticket.after?.seats ?? 0), 0)
    return [level.name, index, waiting.length, executing, seats, work(next), waitingSeats, widest, work(waitingSeats * level.guess)]
  })
}

const requestHead = ['PriorityLevelName', 'FlowSchemaName', 'QueueIndex', 'RequestIndexInQueue', 'FlowDistingsher', 'ArriveTime', 'InitialSeats', 'FinalSeats', 'AdditionalLatency', 'StartTime']
const detailHead = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource']

function requestRow(ticket: Ticket, place: number, details: boolean, timeOf: (at: number) => string): Row {
  const { level, schema, flow, queue, arrived, began, seats, after, user, info } = ticket
  const row = [level.name, schema.name, queue?.index ?? -1, place, flow.distinguisher, timeOf(arrived), seats, after?.seats ?? 0, `${after?.ms ?? 0}ms`, began ? timeOf(began) : '0001-01-01T00:00:00Z']
  return details ? [...row, user.name, info.verb, info.path, info.namespace, info.name, info.version, info.resource, info.subresource] : row
}

function requests(levels: readonly Level[], details: boolean, timeOf: (at: number) => string): string {
  const rows = levels.flatMap((level) => [
    ...[...level.running].map((ticket) => requestRow(ticket, -1, details, timeOf)),
    ...level.queues.flatMap(({ waiting }) => waiting.map((ticket, i) => requestRow(ticket, i, details, timeOf))),
  ])
  return table(details ? [...requestHead, ...detailHead] : requestHead, rows)
}

/** The handler of everything under `/debug/api_priority_and_fairness/`. `now` is the clock that tickets are stamped with, in milliseconds. */
export function dumpHandler(levels: () => readonly Level[], wall: () => number, now: () => number = () => performance.now()): Handler {
  const timeOf = (at: number) => new Date(wall() - (now() - at)).toISOString()
  const headers = { 'x-content-type-options': 'nosniff' }
  return async ({ info, query }, response) => {
    switch (info.path) {
      case '/debug/api_priority_and_fairness/dump_priority_levels': return sendText(response, 200, table(levelHead, levels().map(levelRow)), undefined, headers)
      case '/debug/api_priority_and_fairness/dump_queues': return sendText(response, 200, table(queueHead, levels().filter((level) => !level.exempt).flatMap(queueRows)), undefined, headers)
      case '/debug/api_priority_and_fairness/dump_requests': return sendText(response, 200, requests(levels(), query.has('includeRequestDetails'), timeOf), undefined, headers)
      default: throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
    }
  }
}
