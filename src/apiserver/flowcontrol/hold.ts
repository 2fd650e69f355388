/**
 * Connections whose next request is left unread for a moment. When enough requests of a flow wait, more of them in this process change nothing for it:
 * they are served as fast as its turns come. But each is some kilobytes that live until then, and hundreds of those are what garbage collections spend
 * their time with, everybody's time. So a connection of such a flow that has been answered is read again when the flow has few left that wait: the
 * client's next request is in the kernel meanwhile. This is for HTTP/1.1, where a connection has one request at a time.
 */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock } from '../../machinery/clock.ts'
import type { Flow } from './level.ts'

export interface Holds {
  /** One of the flow's requests has been answered: its connection is held if enough others wait. */
  answered(flow: Flow, raw: IncomingMessage | Http2ServerRequest): void
  /** One of those that waited has begun, or left. */
  left(flow: Flow): void
}

/** So many of a flow wait here, before connections are held: more than begin in one round of the event loop. */
const enough = 16
/** No connection is held much longer than that, in milliseconds, whatever becomes of its flow. */
const longest = 250
/** How often it is looked for those. */
const look = 50

const lastFlow = Symbol('lastFlow')
/** `null`: of several flows. Those who pass on the requests of others are not held: the next may be anybody's. */
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
