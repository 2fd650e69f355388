/** Plain HTTPS requests to a test control plane, for what no client library lets through. */
import { request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { KeyPair } from '../../src/cluster/certificate.ts'
import type { TestControlPlane } from './control-plane.ts'

export interface Reply { readonly code: number; readonly headers: IncomingMessage['headers']; readonly bytes: Buffer }

type Body = string | Buffer | object
type Headers = Readonly<Record<string, string>>

function open(cluster: TestControlPlane, method: string, path: string, { body, headers, as = cluster.pki.admin }: { readonly body?: Body | undefined; readonly headers?: Headers; readonly as?: KeyPair }) {
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
  const length = bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(bytes)) }
  const call = httpsRequest(`${cluster.url}${path}`, { method, ca: cluster.pki.ca.cert, cert: as.cert, key: as.key, agent: false, headers: { ...length, ...headers } })
  call.end(bytes)
  return call
}

/** One request as the administrator (or `as`); resolves with the whole answer. */
export function send(cluster: TestControlPlane, method: string, path: string, body?: Body, headers: Headers = {}, as?: KeyPair): Promise<Reply> {
  return new Promise((resolve, reject) => {
    open(cluster, method, path, { body, headers, ...(as ? { as } : {}) }).on('error', reject).on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => void chunks.push(chunk))
      response.on('end', () => resolve({ code: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
  })
}

/** The JSON in an answer. */
export const json = <T>(reply: Reply): T => JSON.parse(reply.bytes.toString()) as T

export interface Stream {
  readonly code: number
  readonly headers: IncomingMessage['headers']
  /** The next `count` frames; throws with those that came when they do not come in time or the stream ends. */
  take(count: number, timeoutMs?: number): Promise<Buffer[]>
  /** Resolves when the server ends the stream. */
  readonly ended: Promise<void>
  close(): void
}

/** Where the first frame of `bytes` ends; -1 while it is not there as a whole. */
type Framing = (bytes: Buffer) => { readonly from: number; readonly to: number; readonly next: number } | undefined

/** Lines. */
export const lines: Framing = (bytes) => {
  const at = bytes.indexOf(0x0a)
  return at < 0 ? undefined : { from: 0, to: at, next: at + 1 }
}

/** Four bytes of length, then as many bytes. */
export const prefixed: Framing = (bytes) => {
  if (bytes.length < 4) return undefined
  const to = 4 + bytes.readUInt32BE(0)
  return bytes.length < to ? undefined : { from: 4, to, next: to }
}

/** Opens a request whose answer comes in frames. */
export function stream(cluster: TestControlPlane, path: string, framing: Framing = lines, headers: Headers = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const call = open(cluster, 'GET', path, { headers }).on('error', reject)
    call.on('response', (response) => resolve(streamOf(response, framing, () => call.destroy())))
  })
}

function streamOf(response: IncomingMessage, framing: Framing, close: () => void): Stream {
  let rest = Buffer.alloc(0)
  const frames: Buffer[] = []
  const now = { over: false, late: false }
  let changed: () => void = () => undefined
  response.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let frame = framing(rest); frame; frame = framing(rest)) {
      frames.push(rest.subarray(frame.from, frame.to))
      rest = rest.subarray(frame.next)
    }
    changed()
  })
  const ended = new Promise<void>((resolve) => response.once('close', () => {
    now.over = true
    changed()
    resolve()
  }))
  const take = async (count: number, timeoutMs = 10_000): Promise<Buffer[]> => {
    now.late = false
    const timer = setTimeout(() => {
      now.late = true
      changed()
    }, timeoutMs)
    while (frames.length < count && !now.over && !now.late) await new Promise<void>((resolve) => (changed = resolve))
    clearTimeout(timer)
    if (frames.length >= count) return frames.splice(0, count)
    throw new Error(`${now.over ? 'the stream ended' : `nothing for ${timeoutMs} ms`} after ${frames.length} of ${count} frames: ${frames.map(String).join(' ')}`)
  }
  return { code: response.statusCode ?? 0, headers: response.headers, take, ended, close }
}

interface WatchedObject {
  readonly kind: string
  readonly apiVersion: string
  readonly metadata: { readonly name?: string; readonly resourceVersion: string; readonly annotations?: Record<string, string>; readonly labels?: Record<string, string> }
  readonly code?: number
  readonly reason?: string
  readonly message?: string
}

/** One event of a watch in JSON. */
export interface WatchedEvent { readonly type: string; readonly object: WatchedObject & Record<string, unknown> }

/** The events in frames of JSON. */
export const events = (frames: readonly Buffer[]): WatchedEvent[] => frames.map((frame) => JSON.parse(frame.toString()) as WatchedEvent)
