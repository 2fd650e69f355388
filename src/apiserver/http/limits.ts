/** What one client, known or not, may take of the sockets. Everything here holds before anybody knows who asks. */
import { constants, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ApiResponse } from './request.ts'

export interface HttpLimits {
  /** Bytes of a request's head, its URL included. The command of an exec is in the URL, so this is generous. */
  readonly headBytes: number
  /** Headers of a request. */
  readonly headers: number
  /** For the head of a request, from the first byte or from the opening of the connection, in milliseconds: kube-apiserver's. */
  readonly headTime: number
  /** For the TLS handshake, in milliseconds. */
  readonly handshakeTime: number
  /** A connection with nothing under way is kept so long, in milliseconds: longer than clients keep theirs. */
  readonly idleTime: number
  /** Connections at a time. */
  readonly connections: number
  /** Streams at a time of one HTTP/2 connection; clients open another connection for more. */
  readonly streams: number
  /** Streams that one connection may open and take back at once, and every second after that (CVE-2023-44487). */
  readonly resets: number
  readonly resetsPerSecond: number
  /** Pings and settings of one HTTP/2 connection in a second: each makes the server answer. */
  readonly controlsPerSecond: number
  /** When the answer is sent and its request is not all there: how long the rest may take, in milliseconds, and how many bytes. */
  readonly restTime: number
  readonly restBytes: number
  /** How likely an HTTP/2 request is to be the last that its connection takes, from 0 to 1: behind a balancer, clients spread over servers. */
  readonly goawayChance: number
}

export const defaultLimits: HttpLimits = {
  headBytes: 256 * 1024,
  headers: 1000,
  headTime: 32_000,
  handshakeTime: 10_000,
  idleTime: 90_000,
  connections: 10_000,
  streams: 1000,
  resets: 1000,
  resetsPerSecond: 100,
  controlsPerSecond: 1000,
  restTime: 1000,
  restBytes: 8 * 1024 * 1024,
  goawayChance: 0,
}

const answers: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Answers what is not HTTP/1.1, or not in time, and closes. */
export function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  socket.end(`HTTP/1.1 ${answers[error.code ?? ''] ?? '400 Bad Request'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  // A peer that does not close its side is not waited for.
  setTimeout(() => socket.destroy(), defaultLimits.restTime).unref()
}

/** Answers a request with too many headers, and closes. */
export function refuseHeaders(response: ApiResponse): void {
  const http = response as ServerResponse
  http.writeHead(431, { 'content-length': 0, ...(http.req.httpVersionMajor === 1 ? { connection: 'close' } : {}) }).end()
}

/** Whether a body was announced. */
const mayHaveBody = ({ headers }: IncomingMessage | Http2ServerRequest): boolean => headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

/**
 * An answer may be sent before all of its request has come: nobody reads the rest. It gets a moment, so that a client that is still
 * sending sees the answer; then its connection is closed, or in HTTP/2 its stream.
 */
export function boundRest(raw: IncomingMessage | Http2ServerRequest, response: ApiResponse, { restTime, restBytes }: HttpLimits): void {
  const stream = 'stream' in raw ? raw.stream : undefined
  if (stream ? stream.endAfterHeaders : !mayHaveBody(raw)) return
  const isThere = () => (stream ? stream.readableEnded : raw.complete) || raw.destroyed
  // In HTTP/2 the response itself finishes when its stream is closed: too late. Closing the stream at once would overtake the answer.
  ;(stream ?? response).once('finish', () => {
    if (isThere()) return
    let rest = restBytes
    const close = () => {
      stream?.close()
      ;(stream ?? raw.socket).destroy()
    }
    const timer = setTimeout(close, restTime).unref()
    const source = stream ?? raw
    source.on('data', (chunk: Buffer) => { if ((rest -= chunk.length) < 0) close() })
    for (const event of ['close', 'end'] as const) source.once(event, () => clearTimeout(timer))
  })
}

/** Ends a session that floods the server with pings or settings. */
export function boundControls(session: ServerHttp2Session, { controlsPerSecond }: HttpLimits): void {
  let since = 0
  let count = 0
  const counted = () => {
    const now = performance.now()
    if (now - since > 1000) {
      since = now
      count = 0
    }
    if (++count > controlsPerSecond) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
  session.on('ping', counted)
  session.on('remoteSettings', counted)
}

/** Closes a session that has had nothing under way for so long. */
export function boundIdle(session: ServerHttp2Session, { idleTime }: HttpLimits): void {
  let open = 0
  session.on('stream', (stream) => {
    open++
    stream.once('close', () => open--)
  })
  session.setTimeout(idleTime, () => { if (open === 0) session.close() })
}

/** Asks a client, now and then, to open another connection; what is under way on this one goes on. */
export function sendAwayAtRandom(raw: IncomingMessage | Http2ServerRequest, { goawayChance }: HttpLimits): void {
  if (goawayChance > 0 && 'stream' in raw && Math.random() < goawayChance) raw.stream.session?.close()
}
