/** Passes a request on to another server and its answer back, byte for byte, upgraded connections included. */
import http, { type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ApiError, internal, unavailable } from '../../machinery/errors.ts'
import type { ApiRequest, ApiResponse } from '../http/request.ts'

export interface Destination {
  readonly scheme: 'http' | 'https'
  readonly address: string
  readonly port: number
  /** With its query, beginning with a slash. */
  readonly path: string
  /** Certificates and the authorities to check the other side by. */
  readonly tls?: https.AgentOptions
  readonly agent?: https.Agent
}

/** Headers of an answer that belong to one connection; HTTP/2 does not take them. */
const ofConnection = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'] as const

/** Headers that belong to one connection, or that prove who the client is: what a pod could use to act in the client's name. */
const dropped = new Set([
  'authorization', 'connection', 'host', 'http2-settings', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade',
])

/** The client's headers as they go on to the other side. */
export function forwardedHeaders(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const next: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':') && !name.startsWith('impersonate-') && !name.startsWith('x-remote-') && !dropped.has(name)) next[name] = value
  }
  const protocols = next['sec-websocket-protocol']
  if (typeof protocols === 'string') next['sec-websocket-protocol'] = withoutToken(protocols)
  return next
}

/** Browsers, which cannot set headers on WebSockets, send their token as one of the protocols they offer. */
const withoutToken = (protocols: string): string =>
  protocols.split(',').map((p) => p.trim()).filter((p) => !p.startsWith('base64url.bearer.authorization.k8s.io.')).join(', ')

function optionsOf(to: Destination, method: string, headers: OutgoingHttpHeaders): RequestOptions & https.AgentOptions {
  return { host: to.address, port: to.port, path: to.path, method, headers: { ...headers, host: hostOf(to) }, ...to.tls, ...(to.agent ? { agent: to.agent } : {}) }
}

const hostOf = (to: Destination): string => `${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}`
const moduleOf = (to: Destination) => (to.scheme === 'https' ? https : http)

/** Sends the request on; resolves with the answer's head. Throws 503 when the other side cannot be reached. */
export async function send(request: ApiRequest, to: Destination, headers: OutgoingHttpHeaders, body: boolean): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = moduleOf(to).request({ ...optionsOf(to, request.method, headers), signal: request.signal })
  outgoing.on('response', resolve)
  outgoing.on('error', (error) => reject(unavailable(`error trying to reach service: ${reasonOf(error)}`)))
  if (body) pipeline(request.raw, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined))
  else outgoing.end()
  return promise
}

export interface ForwardOptions {
  /** Changes the answer's headers on their way back. */
  readonly mend?: (headers: OutgoingHttpHeaders) => OutgoingHttpHeaders
  readonly headers?: OutgoingHttpHeaders
}

/** Passes the whole exchange on. */
export async function forward(request: ApiRequest, response: ApiResponse, to: Destination, options: ForwardOptions = {}): Promise<void> {
  const answer = await send(request, to, { ...forwardedHeaders(request.headers), ...options.headers }, !['GET', 'HEAD'].includes(request.method))
  const headers: OutgoingHttpHeaders = { ...answer.headers }
  for (const name of ofConnection) delete headers[name]
  const back = response as ServerResponse
  back.writeHead(answer.statusCode ?? 502, options.mend?.(headers) ?? headers)
  await stream(answer, back, request.signal)
}

/** Sends the rest of an answer as it comes; a client that goes away is no error. */
export async function stream(answer: IncomingMessage, back: ServerResponse, signal: AbortSignal): Promise<void> {
  back.flushHeaders?.()
  try {
    await pipeline(answer, back)
  } catch (error) {
    if (!signal.aborted && !back.destroyed && !answer.destroyed) throw error
    answer.destroy()
    back.destroy()
  }
}

const reasonOf = (error: Error & { code?: string; address?: string; port?: number }): string =>
  (error.code === 'ECONNREFUSED' ? `dial tcp ${error.address}:${error.port}: connect: connection refused` : error.message)

/**
 * Passes an upgrade on: when the other side switches protocols, both connections become one pipe; otherwise its answer goes back.
 * Throws 500 when the other side cannot be reached. Resolves when the pipe is closed.
 */
export async function forwardUpgrade(request: ApiRequest, socket: Duplex, head: Buffer, to: Destination): Promise<void> {
  const headers: OutgoingHttpHeaders = { ...forwardedHeaders(request.headers), connection: 'Upgrade', upgrade: request.headers.upgrade }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const outgoing = moduleOf(to).request({ ...optionsOf(to, request.method, headers), agent: false })
  const giveUp = () => outgoing.destroy()
  socket.once('close', giveUp)
  outgoing.on('error', (error) => reject(Object.assign(internal(`error dialing backend: ${reasonOf(error)}`), { cause: error })))
  outgoing.on('upgrade', (answer, other, otherHead) => {
    socket.off('close', giveUp)
    writeHead(socket, answer, 'Upgrade')
    join(socket, head, other, otherHead).then(resolve, resolve)
  })
  outgoing.on('response', (answer) => {
    socket.off('close', giveUp)
    writeHead(socket, answer, 'close')
    pipeline(answer, socket).then(resolve, resolve)
  })
  outgoing.end()
  return promise
}

function writeHead(socket: Duplex, answer: IncomingMessage, connection: string): void {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ''}`]
  for (let i = 0; i < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i] as string
    if (!['connection', 'transfer-encoding'].includes(name.toLowerCase())) lines.push(`${name}: ${answer.rawHeaders[i + 1]}`)
  }
  socket.write(`${lines.join('\r\n')}\r\nConnection: ${connection}\r\n\r\n`)
}

/** Two connections become one; it ends when either of them does. */
async function join(a: Duplex, aHead: Buffer, b: Duplex, bHead: Buffer): Promise<void> {
  for (const socket of [a, b]) if ('setNoDelay' in socket && typeof socket.setNoDelay === 'function') socket.setNoDelay(true)
  if (aHead.length > 0) b.write(aHead)
  if (bHead.length > 0) a.write(bHead)
  const end = () => {
    a.destroy()
    b.destroy()
  }
  // Two pipes over one pair of connections listen to each of them more often than Node thinks right for one; they end together.
  for (const side of [a, b]) side.setMaxListeners(20)
  await Promise.all([pipeline(a, b), pipeline(b, a)]).finally(end)
}

/** What a node answered instead of what was asked for, as an error for the client. */
export async function errorOf(answer: IncomingMessage): Promise<ApiError> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer)
    if ((length += (chunk as Buffer).length) > 50_000) break
  }
  const text = Buffer.concat(chunks).toString('utf8').trim()
  const code = answer.statusCode ?? 500
  if (code === 400) return new ApiError(400, 'BadRequest', text)
  if (code === 404) return new ApiError(404, 'NotFound', text || 'the server could not find the requested resource')
  if (code === 401 || code === 403) return new ApiError(code, code === 401 ? 'Unauthorized' : 'Forbidden', text)
  return code === 500 ? internal(text) : new ApiError(code, 'InternalError', text)
}
