/**
 * Holds connections: their next request is left unread for a moment. Once enough requests of a flow wait, reading more gains it nothing, as they are
 * served in turn. But each takes some kilobytes until then, and hundreds of them make every garbage collection longer, for everybody; and when many come
 * at once, reading them is a long turn of the event loop. So a connection of such a flow, once answered, is read again only when few of the flow's
 * requests wait or are about to come; meanwhile the client's next request stays in the kernel. For HTTP/1.1 only, where a connection has one request at a time.
 */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock } from '../../machinery/clock.ts'
import type { Flow } from './level.ts'

export interface Holds {
  /** A request has arrived. */
  arrived(raw: IncomingMessage | Http2ServerRequest): void
  /** A request of the flow has been answered: holds its connection if enough others wait. */
  answered(flow: Flow, raw: IncomingMessage | Http2ServerRequest): void
  /** A waiting request has begun, or left. */
  left(flow: Flow): void
}

/** Connections are held once this many requests of the flow wait or are about to come: more than begin in one iteration of the event loop. */
const enough = 6
/** A connection is held about this long at most, in milliseconds. */
const longest = 250
/** A connection that is read is expected to bring a request for so long, in milliseconds. */
const soon = 20
/** The interval of the check for those, in milliseconds. */
const look = 20

const lastFlow = Symbol('lastFlow')
const expected = Symbol('expected')
/** The flow of its last request, `null` after requests of several: proxies are not held, as their next may be of any flow. The request that is expected, by its flow. */
type Connection = Socket & { [lastFlow]?: Flow | null; [expected]?: Expected | undefined }

/** A request of the flow is expected on the connection, which is read since then, in milliseconds. */
interface Expected { readonly flow: Flow; readonly connection: Connection; readonly since: number }

/** It is expected no more: something has come, or nothing for too long. */
function settle(connection: Connection): void {
  const was = connection[expected]
  if (!was) return
  connection[expected] = undefined
  was.flow.coming--
}

export function createHolds(clock: Clock): Holds {
  const flows = new Set<Flow>()
  /** What is or was expected, the oldest first. */
  const requests: Expected[] = []
  let looking = false

  const expect = (flow: Flow, connection: Connection) => {
    settle(connection)
    const request = { flow, connection, since: clock.now() }
    connection[expected] = request
    flow.coming++
    requests.push(request)
  }
  /** Gives up those that had nothing to send after all. */
  const forgetIdle = () => {
    const late = clock.now() - soon
    for (let first = requests[0]; first; first = requests[0]) {
      const isExpected = first.connection[expected] === first
      if (isExpected && first.since > late) return
      if (isExpected) settle(first.connection)
      requests.shift()
    }
  }
  const hasEnough = (flow: Flow): boolean => flow.waiting + flow.coming >= enough
  const letGo = (flow: Flow) => {
    const next = flow.held.shift()
    if (!next || next.socket.destroyed) return
    expect(flow, next.socket as Connection)
    next.socket.resume()
  }
  const fill = (flow: Flow) => {
    if (flow.held.length === 0) return
    forgetIdle()
    while (flow.held.length > 0 && !hasEnough(flow)) letGo(flow)
  }
  const lookAround = () => {
    const late = clock.now() - longest
    forgetIdle()
    for (const flow of flows) {
      while (flow.held[0] && flow.held[0].since <= late) letGo(flow)
      fill(flow)
      if (flow.held.length === 0) flows.delete(flow)
    }
    looking = flows.size > 0 || requests.length > 0
    if (looking) clock.after(look, lookAround)
  }
  const watch = () => {
    if (looking) return
    looking = true
    clock.after(look, lookAround)
  }
  return {
    arrived(raw) { if (raw.httpVersionMajor === 1) settle(raw.socket as Connection) },
    answered(flow, raw) {
      if (raw.httpVersionMajor !== 1) return
      const socket = raw.socket as Connection
      const before = socket[lastFlow]
      socket[lastFlow] = before === undefined || before === flow ? flow : null
      if (before !== flow || flow.waiting === 0 || !raw.complete || socket.destroyed) return
      watch()
      forgetIdle()
      if (!hasEnough(flow)) return expect(flow, socket)
      socket.pause()
      flow.held.push({ socket, since: clock.now() })
      flows.add(flow)
    },
    left: fill,
  }
}
