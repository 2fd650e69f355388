/** Calls of a server outside of the cluster that decides something for this one: JSON by POST, within a time, never redirected. */
import http from 'node:http'
import https from 'node:https'
import type { HttpsClientOptions } from '../client/https.ts'

/** Resolves with the answer, decoded; rejects when there is none that can be read. The time is in milliseconds. */
export type Post = (body: object, options: { readonly timeout: number; readonly signal?: AbortSignal | undefined }) => Promise<unknown>

/** Answered, but not with what was asked for: worth another attempt when the server is at fault or busy. */
export class RemoteError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const largestAnswer = 4 * 1024 * 1024

/** What calls the server that a kubeconfig names, over connections that stay open. */
export function createPost(remote: HttpsClientOptions): Post {
  const url = new URL(remote.server)
  const { ca, cert, key, servername, insecure = false } = remote
  const module = url.protocol === 'https:' ? https : http
  const agent = url.protocol === 'https:'
    ? new https.Agent({ keepAlive: true, ca, cert, key, ...(servername ? { servername } : {}), rejectUnauthorized: !insecure, minVersion: 'TLSv1.2' })
    : new http.Agent({ keepAlive: true })
  return async (body, { timeout, signal }) => {
    const text = JSON.stringify(body)
    const token = typeof remote.token === 'function' ? await remote.token() : remote.token
    const headers = { 'content-type': 'application/json', accept: 'application/json', 'content-length': Buffer.byteLength(text), ...(token ? { authorization: `Bearer ${token}` } : {}) }
    const limit = AbortSignal.timeout(timeout)
    const outgoing = module.request(url, { method: 'POST', agent, headers, signal: signal ? AbortSignal.any([signal, limit]) : limit })
    const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve)
      outgoing.on('error', (error) => reject(limit.aborted ? new Error(`no answer within ${timeout} ms`) : error))
    })
    outgoing.end(text)
    return readJson(await answer, url.origin)
  }
}

/** The JSON of an answer. Throws `RemoteError` for other codes than 200 and 201, and for what is too large or no JSON. */
export async function readJson(answer: http.IncomingMessage, from: string): Promise<unknown> {
  const text = await readText(answer, from)
  try {
    return JSON.parse(text)
  } catch {
    throw new RemoteError(0, `${from} did not answer with JSON`)
  }
}

/** The text of an answer. Throws `RemoteError` for other codes than 200 and 201, and for what is too large. */
export async function readText(answer: http.IncomingMessage, from: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > largestAnswer) throw new RemoteError(0, `the answer of ${from} is larger than ${largestAnswer} bytes`)
  }
  const code = answer.statusCode ?? 0
  if (code !== 200 && code !== 201) throw new RemoteError(code, `${from} answered ${code}`)
  return Buffer.concat(chunks).toString('utf8')
}
