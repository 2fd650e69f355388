/** A watch over HTTP: frames as they come, cut off when the client does not read. */
import type { ApiError } from '../../machinery/errors.ts'
import type { Sink } from '../cache/watch.ts'
import { bytesOf, errorEvent, type EventEncoder } from '../encoding/encode.ts'
import { contentTypes, type Format } from '../encoding/negotiate.ts'
import { Pieces } from '../encoding/pieces.ts'
import { drained, unless } from './drained.ts'
import type { ApiResponse } from './request.ts'
import { plain } from './respond.ts'

/** A client may be behind by this many bytes beside what it got at the start. */
export const patience = 16 * 1024 * 1024
/** What there is at the start is told as fast as the client takes it: not more than these bytes are ahead of it, and not longer than these milliseconds. */
export const ahead = 256 * 1024
export const standstill = 30_000
/** Changes of one batch are sent together, up to about so many bytes. */
const batch = 256 * 1024

/** What was joined last: the next watcher most likely was told the same. */
const last: { frames: readonly Buffer[]; bytes: Buffer } = { frames: [], bytes: Buffer.alloc(0) }

function joined(frames: readonly Buffer[], size: number): Buffer {
  if (frames.length === 1) return frames[0]!
  if (last.frames.length !== frames.length || !frames.every((frame, i) => frame === last.frames[i])) Object.assign(last, { frames, bytes: Buffer.concat(frames, size) })
  return last.bytes
}

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

  const begin = () => {
    if (http.headersSent) return
    const type = format.media === 'protobuf' ? `${contentTypes.protobuf};stream=watch` : contentTypes.json
    http.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache, private' })
    http.flushHeaders()
  }
  const isOver = () => closed || http.writableEnded
  /** What there is at the start may be long, and is written as long answers are. */
  const start = new Pieces({
    piece(bytes, taken) {
      if (isOver()) return
      begin()
      http.write(bytes, unless(taken))
    },
    room: () => undefined,
    over: isOver,
  })
  const flush = () => {
    if (isOver()) return
    begin()
    start.flush()
    if (size === 0) return
    const bytes = joined(frames, size)
    frames = []
    size = 0
    http.write(bytes)
    if (http.writableLength > limit) http.destroy()
  }
  const add = (frame: Buffer) => {
    frames.push(frame)
    size += frame.length
    if (size > batch) flush()
  }
  return {
    over,
    closed: () => closed,
    flush,
    event(type, item, change) {
      const frame = encode(type, item, change)
      if (change || limit < Infinity) return add(bytesOf(frame))
      if (size > 0) flush()
      for (const part of frame) start.put(part)
    },
    room() {
      if (closed || http.writableLength < ahead) return undefined
      return drained(http, standstill, () => http.destroy())
    },
    started: () => (limit = http.writableLength + patience),
    end(error?: ApiError) {
      if (closed || http.writableEnded) return
      if (error) add(errorEvent(error.status, format))
      flush()
      http.end()
    },
  }
}
