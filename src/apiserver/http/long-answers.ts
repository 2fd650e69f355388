/** Long answers: made while the client takes them, in pieces that are used again, compressed on the way where it takes that. */
import type { ServerResponse } from 'node:http'
import { createGzip } from 'node:zlib'
import { Pieces, type LongBody } from '../encoding/pieces.ts'
import { drained, isOver, unless } from './drained.ts'
import type { ApiRequest } from './request.ts'

/** Whether a client takes a long answer compressed. */
export const takesGzip = ({ headers }: Pick<ApiRequest, 'headers'>): boolean => /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))
export const compressedHeaders = ['content-encoding', 'gzip', 'vary', 'Accept-Encoding'] as const

/** How an answer begins. */
interface Head { readonly code: number; readonly headers: string[] }

/** The way to the client, once there is more than one piece. */
interface Way {
  write(bytes: Buffer, taken: () => void): void
  room(): Promise<void> | undefined
  end(): void
}

/**
 * Sends a body as fast as the client takes it: not more than a piece is ahead of it. An answer of one piece goes out in one go; longer ones
 * say their length if it is known and are chunked if not. Resolves when the last piece is handed over, or the client is gone. Throws when the
 * body is not as long as it was said to be: what was sent must be broken off.
 */
export async function sendPieces(request: Pick<ApiRequest, 'headers' | 'sent'>, http: ServerResponse, head: Head, body: LongBody): Promise<void> {
  if (http.req.method === 'HEAD') {
    http.writeHead(head.code, body.length === undefined ? head.headers : [...head.headers, 'content-length', String(body.length)])
    return void http.end()
  }
  let way: Way | undefined
  let ending = false
  const pieces = new Pieces({
    piece(bytes, taken) {
      if (isOver(http)) return
      if (!way && ending) return sendOnly(request, http, head, bytes, taken)
      way ??= takesGzip(request) ? compressing(request, http, head) : straight(request, http, head, body.length)
      way.write(bytes, taken)
    },
    room: () => way?.room(),
    over: () => isOver(http),
  })
  await body.write(pieces)
  if (isOver(http)) return
  if (body.length !== undefined && pieces.written !== body.length) throw new Error(`an answer has ${pieces.written} bytes instead of ${body.length}`)
  ending = true
  pieces.flush()
  way?.end()
}

function sendOnly(request: Pick<ApiRequest, 'sent'>, http: ServerResponse, { code, headers }: Head, bytes: Buffer, taken: () => void): void {
  request.sent = bytes.length
  http.writeHead(code, [...headers, 'content-length', String(bytes.length)])
  http.end(bytes, unless(taken))
}

function straight(request: Pick<ApiRequest, 'sent'>, http: ServerResponse, { code, headers }: Head, length: number | undefined): Way {
  http.writeHead(code, length === undefined ? headers : [...headers, 'content-length', String(length)])
  let full = false
  return {
    write(bytes, taken) {
      request.sent += bytes.length
      full = !http.write(bytes, unless(taken))
    },
    room() {
      if (!full) return undefined
      full = false
      return drained(http)
    },
    end: () => void http.end(),
  }
}

function compressing(request: Pick<ApiRequest, 'sent'>, http: ServerResponse, { code, headers }: Head): Way {
  http.writeHead(code, [...headers, ...compressedHeaders])
  const gzip = createGzip({ level: 1 })
  gzip.on('data', (chunk: Buffer) => void (request.sent += chunk.length))
  // What was put in and not yet compressed is no longer wanted: its writers are told so, and there is nothing to do about it.
  gzip.on('error', () => http.destroy())
  http.once('close', () => gzip.destroy())
  gzip.pipe(http)
  let full = false
  return {
    write: (bytes, taken) => void (full = !gzip.write(bytes, unless(taken))),
    room() {
      if (!full) return undefined
      full = false
      return drained(gzip)
    },
    end: () => void gzip.end(),
  }
}
