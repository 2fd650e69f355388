/** A GET of any path by a client in this process: the same handlers, answering into memory. */
import { IncomingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { checkAuthorized } from '../authz/check.ts'
import { answer, Request, type Corridor } from '../corridor.ts'
import type { Identity } from '../identity.ts'

/** What handlers use of a response, kept in memory. */
class MemoryResponse extends Writable {
  statusCode = 200
  headersSent = false
  readonly chunks: Buffer[] = []
  readonly #headers = new Map<string, unknown>()

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.headersSent = true
    this.chunks.push(Buffer.from(chunk))
    done()
  }
  writeHead(code: number): this {
    this.statusCode = code
    return this
  }
  flushHeaders(): void { this.headersSent = true }
  setHeader(name: string, value: unknown): this {
    this.#headers.set(name.toLowerCase(), value)
    return this
  }
  appendHeader(name: string, value: unknown): this { return this.setHeader(name, value) }
  getHeader(name: string): unknown { return this.#headers.get(name.toLowerCase()) }
  removeHeader(name: string): void { this.#headers.delete(name.toLowerCase()) }
}

/** The text at a path. `user` undefined: the server itself, who may read everything. Throws `ApiError`. */
export async function rawGet(corridor: Corridor, user: Identity | undefined, path: string, signal: AbortSignal | undefined): Promise<string> {
  const raw = new IncomingMessage(new Socket())
  raw.method = 'GET'
  raw.url = path
  raw.push(null)
  const request = new Request(raw)
  if (user) {
    request.user = user
    await checkAuthorized(corridor.edges.authorize, user, request.info)
  }
  const abort = () => request.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const response = new MemoryResponse()
  const finished = new Promise<void>((resolve) => response.once('finish', resolve).once('close', resolve))
  try {
    await answer(corridor, request, response as unknown as ServerResponse)
    await finished
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  return Buffer.concat(response.chunks).toString()
}
