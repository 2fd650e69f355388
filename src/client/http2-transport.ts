/** The connections of the HTTPS client: HTTP/2 sessions that are shared, monitored, and replaced when they die. */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2'

export interface Request {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly stream: ClientHttp2Stream
}

export interface Transport {
  /** Resolves with the response's headers. Rejects with a plain `Error` when the server cannot be reached. */
  send(request: Request): Promise<Response>
  /** Opens connections with this certificate from now on; open ones end when their last stream does. */
  renew(pair: { readonly cert: string; readonly key: string }): void
  close(): void
}

export interface TransportOptions {
  readonly server: string
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly servername?: string | undefined
  readonly insecure?: boolean | undefined
}

interface Session { readonly session: ClientHttp2Session; streams: number }

/** Below 100, which API servers allow at least: a watch holds a stream for minutes. */
const streamsPerSession = 90
/** Milliseconds: a session that does not answer a ping within this is dead, whatever TCP says. */
const pingEvery = 30_000
const pingTimeout = 15_000
const connectTimeout = 30_000

/** Connects on demand. A session that goes away is left to its streams, and the next request opens a new one. */
export function createTransport(options: TransportOptions): Transport {
  const { server, ca, servername, insecure = false } = options
  let { cert, key } = options
  const sessions = new Set<Session>()
  let closed = false

  function open(): Session {
    const session = connect(server, { ca, cert, key, ...(servername ? { servername } : {}), rejectUnauthorized: !insecure, ALPNProtocols: ['h2'] })
    const entry: Session = { session, streams: 0 }
    sessions.add(entry)
    const pings = setInterval(() => ping(entry), pingEvery).unref()
    const slow = setTimeout(() => session.destroy(new Error('connecting took too long')), connectTimeout).unref()
    session.once('connect', () => clearTimeout(slow))
    // The streams report the error to their readers; the session only leaves the pool.
    session.on('error', () => sessions.delete(entry))
    session.on('goaway', () => sessions.delete(entry))
    session.once('close', () => {
      clearInterval(pings)
      clearTimeout(slow)
      sessions.delete(entry)
    })
    return entry
  }

  function ping(entry: Session): void {
    if (entry.streams === 0 || entry.session.connecting) return
    const dead = setTimeout(() => entry.session.destroy(new Error('the server does not answer')), pingTimeout).unref()
    entry.session.ping(() => clearTimeout(dead))
  }

  function pick(): Session {
    for (const entry of sessions) {
      const limit = Math.min(streamsPerSession, entry.session.remoteSettings?.maxConcurrentStreams ?? streamsPerSession)
      if (entry.streams < limit && !entry.session.closed && !entry.session.destroyed) return entry
    }
    return open()
  }

  return {
    send({ method, path, headers, body, signal }) {
      if (closed) return Promise.reject(new Error('the client is closed'))
      if (signal?.aborted) return Promise.reject(signal.reason as Error)
      const entry = pick()
      return new Promise((resolve, reject) => {
        const stream = entry.session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined, ...(signal ? { signal } : {}) })
        entry.streams++
        entry.session.ref()
        let answered = false
        stream.once('response', (received: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
          answered = true
          resolve({ status: received[':status'] ?? 0, headers: received, stream })
        })
        // After the response, errors are the reader's; this listener only keeps them from being unhandled.
        stream.on('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : unreachable(server, error)))
        stream.once('close', () => {
          entry.streams--
          if (entry.streams === 0) entry.session.unref()
          if (!answered) reject(unreachable(server, new Error(`stream closed (${stream.rstCode ?? constants.NGHTTP2_NO_ERROR})`)))
        })
        if (body !== undefined) stream.end(body)
      })
    },
    renew(pair) {
      ;({ cert, key } = pair)
      for (const { session } of sessions) session.close()
      sessions.clear()
    },
    close() {
      closed = true
      for (const { session } of sessions) session.destroy()
      sessions.clear()
    },
  }
}

/**
 * The body of a response as it arrives. Node's own iteration takes a stream for aborted when the server ended it before reading began,
 * even if there is data left to read.
 */
export async function* chunksOf(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
  let over = false
  let failure: Error | undefined
  let wake: (() => void) | undefined
  const tell = () => wake?.()
  const end = () => {
    over = true
    tell()
  }
  const fail = (error: Error) => {
    failure = error
    tell()
  }
  stream.on('readable', tell).on('end', end).on('error', fail).on('close', tell)
  try {
    for (;;) {
      const chunk = stream.read() as Buffer | null
      if (chunk) yield chunk
      else if (failure) throw failure
      else if (stream.rstCode) throw new Error(`the response broke off (${stream.rstCode})`)
      else if (over || stream.readableEnded) return
      else if (stream.destroyed) throw new Error('the response broke off')
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stream.off('readable', tell).off('end', end).off('error', fail).off('close', tell)
  }
}

const unreachable = (server: string, cause: Error): Error => new Error(`cannot reach the API server at ${server}: ${cause.message}`, { cause })
