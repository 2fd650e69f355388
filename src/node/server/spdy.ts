/**
 * The caller's side of SPDY/3.1, as far as the streaming servers of container runtimes need it: streams are opened, written,
 * half-closed and read. There is no flow control (those servers have none), and headers of answers are not looked at.
 */
import { request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { constants, createDeflate } from 'node:zlib'

export interface SpdyStream {
  write(data: Buffer): void
  /** No more is written; the other side may still answer. */
  end(): void
}

export interface SpdySession {
  /** Opens a stream with these headers. `onData` gets what arrives on it, `onEnd` is called when the other side has ended it. */
  open(headers: Readonly<Record<string, string>>, onData: (data: Buffer) => void, onEnd: () => void): Promise<SpdyStream>
  /** Whether more is written than the other side has taken; `whenTaken` calls back once when it has, or is gone. */
  isFull(): boolean
  whenTaken(resume: () => void): void
  /** Nothing is read until `resume`: whoever takes the data cannot keep up. */
  pause(): void
  resume(): void
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  close(): void
}

const control = { synStream: 1, rstStream: 3, ping: 6, goAway: 7 } as const
const fin = 1

/** Upgrades a connection to `target`. Rejects with the answer's text when the server refuses. */
export function connectSpdy(target: string, headers: Readonly<Record<string, string>>): Promise<SpdySession> {
  const url = new URL(target)
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: url.hostname, port: url.port, path: url.pathname + url.search, method: 'POST', agent: false,
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', ...headers },
    })
    request.once('error', reject)
    request.once('upgrade', (_response, socket: Duplex, head: Buffer) => resolve(session(socket, head)))
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => reject(new Error(`the runtime refuses to stream: ${response.statusCode} ${Buffer.concat(chunks).toString()}`)))
    })
    request.end()
  })
}

interface Open { readonly onData: (data: Buffer) => void; readonly onEnd: () => void; ended: boolean }

function session(socket: Duplex, head: Buffer): SpdySession {
  const streams = new Map<number, Open>()
  const compress = headerCompressor()
  const closed = Promise.withResolvers<void>()
  let nextId = 1
  let buffered: Buffer = head

  const endStream = (id: number): void => {
    const stream = streams.get(id)
    if (!stream || stream.ended) return
    stream.ended = true
    stream.onEnd()
  }
  const handle = (frame: Frame): void => {
    if (!frame.isControl) {
      streams.get(frame.stream)?.onData(frame.data)
      if (frame.flags & fin) endStream(frame.stream)
    } else if (frame.type === control.ping) socket.write(controlFrame(control.ping, 0, frame.data))
    else if (frame.type === control.rstStream) {
      // Without the number of a stream it is no such frame, and nothing after it can be trusted.
      if (frame.data.length < 4) socket.destroy()
      else endStream(frame.data.readUInt32BE(0) & 0x7fffffff)
    } else if (frame.type === control.goAway) socket.end()
  }
  const take = (): void => {
    for (let frame = readFrame(buffered); frame; frame = readFrame(buffered)) {
      buffered = buffered.subarray(frame.size)
      handle(frame)
    }
  }
  socket.on('data', (chunk: Buffer) => { buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]); take() })
  socket.once('close', () => {
    for (const id of streams.keys()) endStream(id)
    closed.resolve()
  })
  socket.on('error', () => socket.destroy())
  take()

  return {
    closed: closed.promise,
    close: () => socket.destroy(),
    isFull: () => socket.writableNeedDrain,
    whenTaken(resume) {
      const taken = () => {
        socket.off('drain', taken).off('close', taken)
        resume()
      }
      socket.once('drain', taken).once('close', taken)
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    async open(headers, onData, onEnd) {
      const id = nextId
      nextId += 2
      streams.set(id, { onData, onEnd, ended: false })
      const fixed = Buffer.alloc(10)
      fixed.writeUInt32BE(id, 0)
      socket.write(controlFrame(control.synStream, 0, Buffer.concat([fixed, await compress(headerBlock(headers))])))
      return {
        write: (data) => { if (socket.writable) socket.write(dataFrame(id, 0, data)) },
        end: () => { if (socket.writable) socket.write(dataFrame(id, fin, Buffer.alloc(0))) },
      }
    },
  }
}

interface Frame { readonly isControl: boolean; readonly type: number; readonly stream: number; readonly flags: number; readonly data: Buffer; readonly size: number }

/** The first whole frame, if there is one: eight bytes of head, then as many as it says. */
export function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 8) return undefined
  const first = bytes.readUInt32BE(0)
  const size = 8 + bytes.readUIntBE(5, 3)
  if (bytes.length < size) return undefined
  return { isControl: first >= 0x80000000, type: first & 0xffff, stream: first & 0x7fffffff, flags: bytes[4] ?? 0, data: bytes.subarray(8, size), size }
}

/** A control frame of SPDY/3.1. */
export function controlFrame(type: number, flags: number, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(0x8003, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt8(flags, 4)
  head.writeUIntBE(data.length, 5, 3)
  return Buffer.concat([head, data])
}

/** A data frame of SPDY/3.1. */
export function dataFrame(stream: number, flags: number, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(stream, 0)
  head.writeUInt8(flags, 4)
  head.writeUIntBE(data.length, 5, 3)
  return Buffer.concat([head, data])
}

/** Count, then length and bytes of each name and value. */
function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(headers).flat()
  const parts: Buffer[] = [uint32(words.length / 2)]
  for (const word of words) parts.push(uint32(Buffer.byteLength(word)), Buffer.from(word))
  return Buffer.concat(parts)
}

const uint32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(n)
  return bytes
}

/** All header blocks of a connection are one zlib stream. It says that it uses no dictionary, which every reader accepts. */
function headerCompressor(): (block: Buffer) => Promise<Buffer> {
  const deflate = createDeflate()
  let last: Promise<unknown> = Promise.resolve()
  return (block) => {
    const result = last.then(() => new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = []
      const collect = (chunk: Buffer) => chunks.push(chunk)
      deflate.on('data', collect)
      deflate.once('error', reject)
      deflate.write(block)
      deflate.flush(constants.Z_SYNC_FLUSH, () => {
        deflate.off('data', collect)
        deflate.off('error', reject)
        resolve(Buffer.concat(chunks))
      })
    }))
    last = result
    return result
  }
}
