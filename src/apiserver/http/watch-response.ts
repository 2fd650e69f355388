/** A watch over HTTP: frames as they come, cut off when the client does not read. */
import type { ApiError } from '../../machinery/errors.ts'
import type { Sink } from '../cache/watch.ts'
import { errorEvent, type EventEncoder } from '../encoding/encode.ts'
import { contentTypes, type Format } from '../encoding/negotiate.ts'
import { drained } from './drained.ts'
import type { ApiResponse } from './request.ts'
import { plain } from './respond.ts'

/** A client may be behind by this many bytes beside what it got at the start. */
export const patience = 16 * 1024 * 1024
/** What there is at the start is told as fast as the client takes it: not more than these bytes are ahead of it, and not longer than these milliseconds. */
export const ahead = 1024 * 1024
export const standstill = 30_000
/** Frames are sent in pieces of about this size. */
const piece = 256 * 1024

export interface WatchStream extends Sink {
  /** From here on a client that does not read is cut off. */
  started(): void
  /** Resolves when the response is over, whoever ended it. */
  readonly over: Promise<void>
}

/** Sends events as `encode` frames them. Headers go out with the first flush. */
export function watchStream(response: ApiResponse, format: Format, encode: EventEncoder): WatchStream {
  const http = plain(response)
  let frames: Buffer[] = []
  let size = 0
  let limit = Infinity
  let finish: () => void
  const over = new Promise<void>((resolve) => (finish = resolve))
  let closed = false
  http.once('close', () => {
    closed = true
    finish()
  })

  const write = () => {
    const bytes = frames.length === 1 ? frames[0]! : Buffer.concat(frames, size)
    frames = []
    size = 0
    http.write(bytes)
  }
  const flush = () => {
    if (closed || http.writableEnded) return
    if (!http.headersSent) {
      const type = format.media === 'protobuf' ? `${contentTypes.protobuf};stream=watch` : contentTypes.json
      http.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache, private' })
      http.flushHeaders()
    }
    if (size === 0) return
    write()
    if (http.writableLength > limit) http.destroy()
  }
  return {
    over,
    closed: () => closed,
    flush,
    event(type, item, change) {
      for (const part of encode(type, item, change)) {
        frames.push(part)
        size += part.length
      }
      if (size > piece) flush()
    },
    room() {
      if (closed || http.writableLength < ahead) return undefined
      return drained(http, standstill, () => http.destroy())
    },
    started: () => (limit = http.writableLength + patience),
    end(error?: ApiError) {
      if (closed || http.writableEnded) return
      if (error) {
        const frame = errorEvent(error.status, format)
        frames.push(frame)
        size += frame.length
      }
      flush()
      http.end()
    },
  }
}
