/**
 * Holds connections: their next request is left unread for a moment. Once enough requests of a flow wait, reading more gains it nothing, as they are
 * served in turn. But each takes some kilobytes until then, and hundreds of them make every garbage collection longer, for everybody. So a connection
 * of such a flow, once answered, is read again only when few of the flow's requests still wait; meanwhile the client's next request stays in the kernel.
 * For HTTP/1.1 only, where a connection has one request at a time.
 */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock } from '../../machinery/clock.ts'
import type { Flow } from './level.ts'

export interface Holds {
  /** A request of the flow has been answered: holds its connection if enough others wait. */
  answered(flow: Flow, raw: IncomingMessage | Http2ServerRequest): void
  /** A waiting request has begun, or left. */
  left(flow: Flow): void
}

/** Connections are held once this many requests of the flow wait: more than begin in one iteration of the event loop. */
const enough = 16
/** A connection is held about this long at most, in milliseconds. */
const longest = 250
/** The interval of the check for those, in milliseconds. */
const look = 50

const lastFlow = Symbol('lastFlow')
/** `null`: several flows. Proxies are not held, as their next request may be of any flow. */
type Connection = Socket & { [lastFlow]?: Flow | null }

export function createHolds(clock: Clock): Holds {
  const flows = new Set<Flow>()
  let looking = false
  const letGo = ({ held }: Flow) => held.shift()?.socket.resume()
  const lookAround = () => {
    const late = clock.now() - longest
    for (const flow of flows) {
      while (flow.held[0] && flow.held[0].since <= late) letGo(flow)
      if (flow.held.length === 0) flows.delete(flow)
    }
    looking = flows.size > 0
    if (looking) clock.after(look, lookAround)
  }
  return {
    answered(flow, raw) {
      if (raw.httpVersionMajor !== 1) return
      const socket = raw.socket as Connection
      const before = socket[lastFlow]
      socket[lastFlow] = before === undefined || before === flow ? flow : null
      if (before !== flow || flow.waiting < enough || !raw.complete || socket.destroyed) return
      socket.pause()
      flow.held.push({ socket, since: clock.now() })
      flows.add(flow)
      if (looking) return
      looking = true
      clock.after(look, lookAround)
    },
    left(flow) {
      if (flow.held.length === 0 || flow.waiting >= enough) return
      letGo(flow)
      if (flow.waiting < enough / 2) letGo(flow)
    },
  }
}
