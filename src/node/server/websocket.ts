/**
 * WebSocket callers of exec, attach and port-forward. The runtimes' own WebSocket speaks only old versions that cannot say
 * that standard input has ended; so the current one (v5.channel.k8s.io) is translated to SPDY, which they all speak.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import { connectSpdy, type SpdySession, type SpdyStream } from './spdy.ts'

const channels = 'v5.channel.k8s.io'
const tunnel = 'SPDY/3.1+portforward.k8s.io'
const streamTypes = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const
const channel = { stdin: 0, error: 3, close: 255 } as const

const offered = (request: IncomingMessage): readonly string[] => (request.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim())

/** Whether the caller speaks a WebSocket protocol that is answered here and not by the runtime. */
export const isTranslated = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket' && offered(request).some((p) => p === channels || p === tunnel)

/** Bytes of a message: what Kubernetes takes. */
const maxPayload = 32 * 1024 * 1024
/** Bytes that a caller who does not read may be behind; then the runtime waits. */
const ahead = 1024 * 1024

const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload, handleProtocols: (protocols) => (protocols.has(channels) ? channels : false) })
/** The tunnel's protocol has a slash in its name, which the library rightly refuses: its part of the handshake is made here. */
const tunnels = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload })
tunnels.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${tunnel}`))

/** Answers the upgrade once the runtime has accepted its side. `query` is that of the caller's request. Rejects when the runtime refuses. */
export async function translate(request: IncomingMessage, socket: Duplex, head: Buffer, target: string, query: URLSearchParams): Promise<void> {
  const accept = (by: WebSocketServer): WebSocket | undefined => {
    let accepted: WebSocket | undefined
    if (!socket.destroyed) by.handleUpgrade(request, socket, head, (ws) => (accepted = ws))
    return accepted
  }
  if (offered(request).includes(tunnel)) {
    delete request.headers['sec-websocket-protocol']
    const upstream = await upstreamOf(target)
    const ws = accept(tunnels)
    return ws ? carryTunnel(upstream, ws) : void upstream.socket.destroy()
  }
  const session = await connectSpdy(target, { 'x-stream-protocol-version': 'v4.channel.k8s.io' })
  // A handshake that is no good has been answered; a caller who is gone needs nothing.
  const ws = accept(server)
  if (!ws) return session.close()
  try {
    await carryChannels(session, ws, query)
  } catch (error) {
    session.close()
    throw error
  }
}

const bytesOf = (data: RawData): Buffer => (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer))

async function carryChannels(session: SpdySession, ws: WebSocket, query: URLSearchParams): Promise<void> {
  ws.on('close', () => session.close())
  ws.on('error', () => session.close())
  // Nothing is read before there is somewhere to put it.
  ws.pause()

  const isSet = (name: string) => ['1', 'true'].includes(query.get(name) ?? '')
  const tty = isSet('tty')
  const wanted: (typeof streamTypes)[number][] = ['error']
  if (isSet('input')) wanted.push('stdin')
  if (isSet('output')) wanted.push('stdout')
  if (isSet('error') && !tty) wanted.push('stderr')
  if (tty) wanted.push('resize')
  const streams = new Map<number, SpdyStream>()
  for (const type of wanted) {
    const number = streamTypes.indexOf(type)
    const prefix = Buffer.from([number])
    const onData = (data: Buffer) => {
      if (data.length === 0 || ws.readyState !== ws.OPEN) return
      ws.send(Buffer.concat([prefix, data]), () => { if (ws.bufferedAmount <= ahead) session.resume() })
      if (ws.bufferedAmount > ahead) session.pause()
    }
    streams.set(number, await session.open({ streamtype: type }, onData, () => undefined))
  }
  ws.on('message', (data) => {
    const message = bytesOf(data)
    const [first, second] = message
    if (first === channel.close) streams.get(second ?? -1)?.end()
    else if (message.length > 1) streams.get(first ?? -1)?.write(message.subarray(1))
    if (!session.isFull()) return
    ws.pause()
    session.whenTaken(() => ws.resume())
  })
  ws.resume()
  void session.closed.then(() => ws.close(1000))
}

/** A SPDY connection to the runtime, of which the caller himself speaks every byte. */
function upstreamOf(target: string): Promise<{ readonly socket: Duplex; readonly first: Buffer }> {
  const url = new URL(target)
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: url.hostname, port: url.port, path: url.pathname + url.search, method: 'POST', agent: false,
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'portforward.k8s.io' },
    })
    request.once('error', reject)
    request.once('upgrade', (_response, socket: Duplex, first: Buffer) => resolve({ socket, first }))
    request.once('response', (response) => { response.resume(); reject(new Error(`the runtime refuses to forward ports: ${response.statusCode}`)) })
    request.end()
  })
}

function carryTunnel({ socket, first }: { readonly socket: Duplex; readonly first: Buffer }, ws: WebSocket): void {
  if (first.length > 0) ws.send(first)
  socket.on('data', (data: Buffer) => {
    if (ws.readyState !== ws.OPEN) return
    socket.pause()
    ws.send(data, () => socket.resume())
  })
  socket.once('close', () => ws.close(1000))
  socket.on('error', () => socket.destroy())
  ws.on('message', (data) => {
    if (!socket.writable || socket.write(bytesOf(data))) return
    ws.pause()
    socket.once('drain', () => ws.resume())
  })
  ws.on('close', () => socket.destroy())
  ws.on('error', () => socket.destroy())
}
