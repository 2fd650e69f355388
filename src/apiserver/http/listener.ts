/** The sockets: HTTPS with HTTP/2 and HTTP/1.1 on one port, or plain HTTP where no certificate is given. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TlsOptions } from '../options.ts'
import type { ApiResponse } from './request.ts'

export interface ListenerOptions {
  readonly tls: TlsOptions | undefined
  readonly address: string
  readonly port: number
  onRequest(raw: IncomingMessage | Http2ServerRequest, response: ApiResponse): void
  onUpgrade(raw: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface Listener {
  readonly url: string
  readonly port: number
  /** Takes no more connections; resolves when the last one is closed. */
  drain(): Promise<void>
  /** Closes what is still open. */
  destroy(): void
}

/** The command of an exec is in its URL, so this has to be generous. */
const headerLimit = 256 * 1024
/** Idle HTTP/1.1 connections stay open longer than clients keep them. */
const keepAlive = 90_000
/** What browsers and client-go open at once is far below; what a broken client may open is bounded by it. */
const streamsPerConnection = 1000

/** Not in the types of HTTP/2 servers, which hand them on to HTTP/1.1. A request that announces no body is over when it comes: there are no events to wait for. */
const http1 = { maxHeaderSize: headerLimit, optimizeEmptyRequests: true }

function createSecure({ key, cert, clientCa }: TlsOptions): Http2SecureServer {
  return createSecureServer({
    key,
    cert,
    ...(clientCa ? { ca: clientCa } : {}),
    allowHTTP1: true,
    requestCert: clientCa !== undefined,
    // A client without a certificate, or with one of another authority, may still have a token: authentication decides.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    settings: { maxConcurrentStreams: streamsPerConnection, initialWindowSize: 1024 * 1024, maxHeaderListSize: headerLimit },
    maxSessionMemory: 64,
    ...http1,
  })
}

/** Opens the port. Rejects when it is taken. */
export async function listen({ tls, address, port, onRequest, onUpgrade }: ListenerOptions): Promise<Listener> {
  const server: Server | Http2SecureServer = tls ? createSecure(tls) : createServer(http1)
  const sockets = new Set<Socket>()
  const sessions = new Set<ServerHttp2Session>()
  const events = server as Server
  events.keepAliveTimeout = keepAlive
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
  })
  events.on('request', onRequest)
  events.on('upgrade', onUpgrade)
  events.on('clientError', (_error: Error, socket: Duplex) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve, reject) => {
    events.once('error', reject)
    events.listen(port, address, () => {
      events.off('error', reject)
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
    destroy: () => {
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}
