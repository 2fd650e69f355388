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
  /** A request of the flow has arrived. */
  arrived(flow: Flow, raw: IncomingMessage | Http2ServerRequest): void
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
const readSince = Symbol('readSince')
/** `lastFlow`: `null` for several flows. Proxies are not held, as their next request may be of any flow. `readSince`: while a request is expected, in milliseconds. */
type Connection = Socket & { [lastFlow]?: Flow | null; [readSince]?: number | undefined }

/** One that is about to bring a request no more. */
function settle(flow: Flow, connection: Connection): void {
  if (connection[readSince] === undefined) return
  connection[readSince] = undefined
  flow.coming--
}

export function createHolds(clock: Clock): Holds {
  const flows = new Set<Flow>()
  let looking = false

  const expect = (flow: Flow, connection: Connection) => {
    const since = clock.now()
    connection[readSince] = since
    flow.coming++
    flow.read.push({ socket: connection, since })
  }
  /** Gives up those that had nothing to send after all. */
  const forgetIdle = (flow: Flow) => {
    const late = clock.now() - soon
    for (let first = flow.read[0]; first; first = flow.read[0]) {
      const connection = first.socket as Connection
      const isExpected = connection[readSince] === first.since
      if (isExpected && first.since > late) return
      if (isExpected) settle(flow, connection)
      flow.read.shift()
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
    forgetIdle(flow)
    while (flow.held.length > 0 && !hasEnough(flow)) letGo(flow)
  }
  const lookAround = () => {
    const late = clock.now() - longest
    for (const flow of flows) {
      while (flow.held[0] && flow.held[0].since <= late) letGo(flow)
      forgetIdle(flow)
      fill(flow)
      if (flow.held.length === 0 && flow.read.length === 0) flows.delete(flow)
    }
    looking = flows.size > 0
    if (looking) clock.after(look, lookAround)
  }
  const watch = (flow: Flow) => {
    flows.add(flow)
    if (looking) return
    looking = true
    clock.after(look, lookAround)
  }
  return {
    arrived: (flow, raw) => settle(flow, raw.socket as Connection),
    answered(flow, raw) {
      if (raw.httpVersionMajor !== 1) return
      const socket = raw.socket as Connection
      const before = socket[lastFlow]
      socket[lastFlow] = before === undefined || before === flow ? flow : null
      if (before !== flow || flow.waiting === 0 || !raw.complete || socket.destroyed) return
      watch(flow)
      forgetIdle(flow)
      if (!hasEnough(flow)) return expect(flow, socket)
      socket.pause()
      flow.held.push({ socket, since: clock.now() })
    },
    left: fill,
  }
}
