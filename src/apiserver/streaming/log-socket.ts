/** A log over a WebSocket: how browsers and the Java and JavaScript clients follow one. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { forbidden } from '../../machinery/errors.ts'
import { core } from '../../api/index.ts'
import type { ApiRequest } from '../http/request.ts'

/** What goes into a message, by the protocol that was agreed on: bytes, or base64 of them as text. */
const protocols: Readonly<Record<string, BufferEncoding | undefined>> = { '': undefined, 'binary.k8s.io': undefined, 'base64.binary.k8s.io': 'base64' }

/** Nothing is expected of the client. */
const maxPayload = 64 * 1024

/** The first protocol of the client's that is spoken here, '' when it has no wish; a browser's token among them is none. Throws `ApiError` 403. */
function protocolOf({ headers, info }: ApiRequest): string {
  const wanted = String(headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim()).filter((name) => name && !name.startsWith('base64url.bearer.'))
  const spoken = wanted.length === 0 ? '' : wanted.find((name) => Object.hasOwn(protocols, name))
  if (spoken === undefined) throw forbidden(core.pods, info.name, `requested protocol(s) are not supported: [${wanted.join(' ')}]; supports [base64.binary.k8s.io binary.k8s.io]`)
  return spoken
}

/**
 * Takes the connection over and sends what `open` answers with, as it comes: an empty message first, which says that it goes.
 * Resolves when all is sent, or the client is gone. Throws `ApiError` before the connection is taken over.
 */
export async function logOverSocket(request: ApiRequest, socket: Duplex, head: Buffer, open: () => Promise<IncomingMessage | undefined>): Promise<void> {
  const protocol = protocolOf(request)
  const answer = await open()
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload, handleProtocols: () => protocol || false })
  let ws: WebSocket | undefined
  server.handleUpgrade(request.raw as IncomingMessage, socket, head, (opened) => (ws = opened))
  // The handshake was no good, which the client has been told.
  if (!ws) return void answer?.destroy()
  await passOn(ws, answer, protocols[protocol])
}

async function passOn(ws: WebSocket, answer: IncomingMessage | undefined, encoding: BufferEncoding | undefined): Promise<void> {
  const send = (bytes: Buffer) => new Promise<void>((sent) => ws.send(encoding ? bytes.toString(encoding) : bytes, { binary: !encoding }, () => sent()))
  ws.on('error', () => ws.terminate())
  ws.on('close', () => answer?.destroy())
  await send(Buffer.alloc(0))
  try {
    for await (const bytes of answer ?? []) await send(bytes as Buffer)
    ws.close(1000)
  } catch {
    // The node broke off, or the client went away: either way there is no more to come.
    ws.close(1011)
  }
}
