/** The sockets: HTTPS with HTTP/2 and HTTP/1.1 on one port, or plain HTTP where no certificate is given. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { serverTls } from '../../machinery/tls.ts'
import type { TlsOptions } from '../options.ts'
import { boundControls, boundIdle, boundRest, defaultLimits, refuse, refuseHeaders, sendAwayAtRandom, type HttpLimits } from './limits.ts'
import type { ApiResponse } from './request.ts'

export interface ListenerOptions {
  readonly tls: TlsOptions | undefined
  readonly address: string
  readonly port: number
  onRequest(raw: IncomingMessage | Http2ServerRequest, response: ApiResponse): void
  /** Whether a request that offers an upgrade goes to `onUpgrade`; others go to `onRequest`. Left out: all of them do. */
  takesUpgrade?(raw: IncomingMessage): boolean
  onUpgrade(raw: IncomingMessage, socket: Duplex, head: Buffer): void
  /** A connection could not be accepted. */
  onError?(error: Error): void
  /** Others than the default ones. */
  readonly limits?: Partial<HttpLimits> | undefined
}

export interface Listener {
  readonly url: string
  readonly port: number
  /** Takes no more connections; resolves when the last one is closed. */
  drain(): Promise<void>
  /** Closes what is still open. */
  destroy(): void
  /** Shows another certificate from now on; connections that are open go on. */
  renewTls(tls: TlsOptions): void
}

/** How often connections are looked through for heads that do not come, in milliseconds. */
const lookEvery = 5000
/** A peer that is gone without a word is found out after so long, in milliseconds. */
const probeAfter = 30_000

/** Not in the types of HTTP/2 servers, which hand them on to HTTP/1.1. A request that announces no body is over when it comes: there are no events to wait for. */
const http1 = ({ headBytes, headTime }: HttpLimits) => ({
  maxHeaderSize: headBytes,
  optimizeEmptyRequests: true,
  headersTimeout: headTime,
  // How long a body may take is for the corridor to say: a stream to a pod may take hours.
  requestTimeout: 0,
  connectionsCheckingInterval: Math.min(lookEvery, headTime),
  keepAlive: true,
  keepAliveInitialDelay: probeAfter,
})

function createSecure({ key, cert, clientCa }: TlsOptions, limits: HttpLimits): Http2SecureServer {
  return createSecureServer({
    key,
    cert,
    ...(clientCa ? { ca: clientCa } : {}),
    allowHTTP1: true,
    requestCert: clientCa !== undefined,
    // A client without a certificate, or with one of another authority, may still have a token: authentication decides.
    rejectUnauthorized: false,
    ...serverTls,
    handshakeTimeout: limits.handshakeTime,
    settings: { maxConcurrentStreams: limits.streams, initialWindowSize: 1024 * 1024, maxHeaderListSize: limits.headBytes },
    maxSessionMemory: 64,
    maxHeaderListPairs: limits.headers,
    streamResetBurst: limits.resets,
    streamResetRate: limits.resetsPerSecond,
    ...http1(limits),
  })
}

/** Opens the port. Rejects when it is taken. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { tls, address, port, onRequest, onUpgrade } = options
  const limits = { ...defaultLimits, ...options.limits }
  const server: Server | Http2SecureServer = tls ? createSecure(tls, limits) : createServer(http1(limits))
  const sockets = new Set<Socket>()
  const sessions = new Set<ServerHttp2Session>()
  const events = server as Server
  events.keepAliveTimeout = limits.idleTime
  events.headersTimeout = limits.headTime
  events.requestTimeout = 0
  events.maxHeadersCount = limits.headers
  events.maxConnections = limits.connections
  // An HTTP/2 server that also speaks HTTP/1.1 does not look for this among its options.
  if (options.takesUpgrade) Object.assign(events, { shouldUpgradeCallback: options.takesUpgrade })
  events.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  ;(server as Http2SecureServer).on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    // A connection that breaks takes its requests with it; they are told by their own events.
    session.on('error', () => session.destroy())
    // A client that no longer wants its answer says so in many ways. After the mildest, NO_ERROR, Node waits for what is written to be taken.
    session.on('stream', (stream) => stream.once('aborted', () => stream.destroy()))
    boundIdle(session, limits)
    boundControls(session, limits)
  })
  events.on('request', (raw, response) => {
    // Node leaves out what is too much; a request that is not what its sender wrote is not answered.
    if (raw.rawHeaders.length >= 2 * limits.headers) return refuseHeaders(response)
    boundRest(raw, response, limits)
    sendAwayAtRandom(raw, limits)
    onRequest(raw, response)
  })
  events.on('upgrade', (raw, socket, head) => {
    // Nobody else listens yet, and a client that resets its connection must not be an error of the server's.
    socket.on('error', () => socket.destroy())
    onUpgrade(raw, socket, head)
  })
  events.on('clientError', refuse)
  // Before there is a secure connection nothing can be said on it.
  events.on('tlsClientError', (_error: Error, socket: Duplex) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    events.once('error', reject)
    events.listen(port, address, () => {
      events.off('error', reject)
      // A connection that could not be taken, for want of file descriptors: the others go on.
      events.on('error', (error) => options.onError?.(error))
      resolve()
    })
  })
  const bound = (events.address() as AddressInfo).port
  const host = address.includes(':') ? `[${address}]` : address
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${bound}`,
    port: bound,
    drain: () => new Promise((resolve) => {
      events.close(() => resolve())
      for (const session of sessions) session.close()
      ;(server as { closeIdleConnections?: () => void }).closeIdleConnections?.()
    }),
    renewTls: ({ key, cert, clientCa }) => (server as Http2SecureServer).setSecureContext({ key, cert, ...(clientCa ? { ca: clientCa } : {}), ...serverTls }),
    destroy: () => {
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}
