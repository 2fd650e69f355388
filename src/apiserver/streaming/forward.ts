/** Passes a request on to another server and its answer back, byte for byte, upgraded connections included. */
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ApiError, internal, unavailable } from '../../machinery/errors.ts'
import type { ApiRequest, ApiResponse } from '../http/request.ts'
import { throughTunnel, type Connect } from '../reach/tunnel.ts'
import { forwardedHeaders, isReturned, returnedHeaders } from './headers.ts'

export interface Destination {
  readonly scheme: 'http' | 'https'
  readonly address: string
  readonly port: number
  /** With its query, beginning with a slash. */
  readonly path: string
  /** Certificates and the authorities to check the other side by. */
  readonly tls?: https.AgentOptions
  readonly agent?: https.Agent
  /** How it is reached where this host has no way to it. */
  readonly connect?: Connect | undefined
}

/** Over which connection, and with which certificates, a request goes. */
export const wayTo = (to: Destination): RequestOptions & https.AgentOptions =>
  (to.connect ? throughTunnel(to.connect, to.scheme === 'https' ? to.tls ?? {} : undefined) : { ...to.tls, ...(to.agent ? { agent: to.agent } : {}) })

function optionsOf(to: Destination, method: string, headers: OutgoingHttpHeaders): RequestOptions & https.AgentOptions {
  return { host: to.address, port: to.port, path: to.path, method, headers: { host: destinationHost(to), ...headers }, ...wayTo(to) }
}

/** `address:port`, as it stands in a URL. */
export const destinationHost = (to: Pick<Destination, 'address' | 'port'>): string => `${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}`
const moduleOf = (to: Destination) => (to.scheme === 'https' ? https : http)

/**
 * Sends the request on; resolves with the answer's head. Throws 503 when the other side cannot be reached. A connection that was
 * kept open and that the other side has closed meanwhile is no failure: the request goes out again on another.
 */
export function send(request: ApiRequest, to: Destination, headers: OutgoingHttpHeaders, body: boolean): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const attempt = (again: boolean) => {
    const outgoing = moduleOf(to).request({ ...optionsOf(to, request.method, headers), signal: request.signal })
    const failed = (error: Error & { code?: string }) => {
      if (again && !body && outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) attempt(false)
      else reject(unavailable(`error trying to reach service: ${goError(error)}`))
    }
    outgoing.on('response', resolve)
    outgoing.on('error', failed)
    refuseUpgrades(outgoing, failed)
    if (body) pipeline(request.raw, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined))
    else outgoing.end()
  }
  attempt(true)
  return promise
}

/** Another side that switches protocols although nobody asked it to has answered nothing. */
export function refuseUpgrades(outgoing: ClientRequest, refuse: (error: Error) => void): void {
  outgoing.on('upgrade', (_, socket) => {
    socket.destroy()
    refuse(new Error('unexpected 101 response'))
  })
}

/** What may be done to an answer on its way back. */
export interface Mended { readonly headers: OutgoingHttpHeaders; readonly body?: Readable }

export interface ForwardOptions {
  /** Changes the answer; its headers are those that may go back. */
  readonly mend?: (headers: OutgoingHttpHeaders, answer: IncomingMessage) => Mended
  /** What is sent; the client's headers, cleaned, when left out. */
  readonly headers?: OutgoingHttpHeaders
}

/** Whether the client sends a body, or may. */
const hasBody = ({ method, headers }: ApiRequest): boolean =>
  !['GET', 'HEAD'].includes(method) || headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Passes the whole exchange on. */
export async function forward(request: ApiRequest, response: ApiResponse, to: Destination, options: ForwardOptions = {}): Promise<void> {
  const answer = await send(request, to, options.headers ?? forwardedHeaders(request.headers), hasBody(request))
  const headers = returnedHeaders(answer.headers as IncomingHttpHeaders)
  const { headers: sent, body } = options.mend?.(headers, answer) ?? { headers }
  const back = response as ServerResponse
  back.writeHead(answer.statusCode ?? 502, sent)
  await stream(body ?? answer, back, request.signal)
}

/** Sends the rest of an answer as it comes; a client that goes away is no error. */
export async function stream(answer: Readable, back: ServerResponse, signal: AbortSignal): Promise<void> {
  back.flushHeaders?.()
  try {
    await pipeline(answer, back)
  } catch (error) {
    if (!signal.aborted && !back.destroyed && !answer.destroyed) throw error
    answer.destroy()
    back.destroy()
  }
}

interface NetworkError extends Error { readonly code?: string; readonly address?: string; readonly port?: number; readonly errors?: readonly NetworkError[] }

const dialing: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused', EHOSTUNREACH: 'no route to host', ENETUNREACH: 'network is unreachable', ETIMEDOUT: 'connection timed out',
}

/** What is wrong with a connection, in the words of Go programs: people search for these. */
export function goError(error: Error): string {
  const { code = '', address = '', port, message, errors, name } = error as NetworkError
  // A name with several addresses fails once for each.
  if (errors?.[0]) return goError(errors[0])
  if (name === 'AbortError') return 'context canceled'
  const why = dialing[code]
  if (why && address) return `dial tcp ${address.includes(':') ? `[${address}]` : address}:${port}: connect: ${why}`
  if (code === 'ECONNRESET') return message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer'
  if (code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' || code === 'SELF_SIGNED_CERT_IN_CHAIN' || code === 'DEPTH_ZERO_SELF_SIGNED_CERT' || code === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY') {
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  }
  if (code === 'CERT_HAS_EXPIRED') return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `tls: failed to verify certificate: x509: ${message}`
  return message
}

/**
 * Passes an upgrade on: when the other side switches protocols, both connections become one pipe; otherwise its answer goes back.
 * Throws 500 when the other side cannot be reached. Resolves when the pipe is closed.
 */
export async function forwardUpgrade(request: ApiRequest, socket: Duplex, head: Buffer, to: Destination, sent = forwardedHeaders(request.headers)): Promise<void> {
  const headers: OutgoingHttpHeaders = { ...sent, connection: 'Upgrade', upgrade: request.headers.upgrade }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const outgoing = moduleOf(to).request({ ...optionsOf(to, request.method, headers), ...(to.connect ? {} : { agent: false }) })
  const giveUp = () => outgoing.destroy()
  socket.once('close', giveUp)
  outgoing.on('error', (error) => reject(Object.assign(internal(`error dialing backend: ${goError(error)}`), { cause: error })))
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
    if (name.toLowerCase() === 'upgrade' || isReturned(name.toLowerCase())) lines.push(`${name}: ${answer.rawHeaders[i + 1]}`)
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
