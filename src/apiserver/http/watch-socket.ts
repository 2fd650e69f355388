/** A watch over a WebSocket, one message for each event: how browsers and the Java clients watch. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { ApiError } from '../../machinery/errors.ts'
import { bytesOf, errorEvent, type EventEncoder } from '../encoding/encode.ts'
import type { Format } from '../encoding/negotiate.ts'
import { drained } from './drained.ts'
import type { ApiRequest, RequestInfo } from './request.ts'
import type { ResourceEnvironment } from './resource-request.ts'
import { checkPlace } from './resources.ts'
import { ahead, patience, standstill, type WatchStream } from './watch-response.ts'
import { runWatch } from './watch.ts'

/** Nothing is expected of the client. */
const maxPayload = 64 * 1024
/** The length before each event of a stream; a message has its own. */
const lengthBytes = 4

/** Whether a request offers to become a WebSocket. */
export const isSocketOffered = (raw: IncomingMessage): boolean => raw.headers.upgrade?.toLowerCase() === 'websocket'

/** Whether a request for an upgrade is a watch. */
export const isWatchSocket = ({ isResourceRequest, verb, subresource }: RequestInfo, raw: IncomingMessage): boolean =>
  isResourceRequest && verb === 'watch' && subresource === '' && isSocketOffered(raw)

/** Answers it; resolves when the watch is over. What is wrong with the request is thrown as `ApiError` before the connection is taken over. */
export async function watchOverSocket(env: ResourceEnvironment, request: ApiRequest, socket: Duplex, head: Buffer): Promise<void> {
  const { info } = request
  const served = env.registry.find(info.group, info.version, info.resource)
  if (!served) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
  checkPlace(served, info)
  const { WebSocketServer } = await import('ws')
  // Of the protocols a browser offers one may be its token: that is never the one to speak.
  const handleProtocols = (offered: Set<string>) => [...offered].find((name) => !name.startsWith('base64url.bearer.')) ?? false
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload, handleProtocols })
  const open = (): WebSocket | undefined => {
    let opened: WebSocket | undefined
    server.handleUpgrade(request.raw as IncomingMessage, socket, head, (ws) => (opened = ws))
    return opened
  }
  await runWatch(env, request, served, (format, encode) => socketStream({ socket, open, format, encode }))
}

interface SocketStreamOptions {
  readonly socket: Duplex
  /** Takes the connection over; undefined when the handshake was no good, which the client has been told. */
  readonly open: () => WebSocket | undefined
  readonly format: Format
  readonly encode: EventEncoder
}

function socketStream({ socket, open, format, encode }: SocketStreamOptions): WatchStream {
  const binary = format.media === 'protobuf'
  let ws: WebSocket | undefined
  let limit = Infinity
  let closed = socket.destroyed
  let finish: () => void
  const over = new Promise<void>((resolve) => (finish = resolve))
  const close = () => {
    closed = true
    finish()
  }
  if (closed) close()
  socket.once('close', close)
  /** The connection, taken over by the first who needs it. */
  const speak = (): WebSocket | undefined => {
    if (closed || ws) return ws
    ws = open()
    if (ws) ws.on('error', () => ws?.terminate())
    else close()
    return ws
  }
  const send = (message: Buffer) => speak()?.send(binary ? message.subarray(lengthBytes) : message, { binary })
  return {
    over,
    closed: () => closed,
    flush() {
      if (!closed && (speak()?.bufferedAmount ?? 0) > limit) ws?.terminate()
    },
    event: (type, item, change) => send(bytesOf(encode(type, item, change))),
    room() {
      if (closed || (ws?.bufferedAmount ?? 0) < ahead) return undefined
      return drained(socket, standstill, () => ws?.terminate())
    },
    started: () => (limit = (ws?.bufferedAmount ?? 0) + patience),
    end(error) {
      if (closed) return
      if (error) send(errorEvent(error.status, format))
      speak()?.close(1000)
    },
  }
}
