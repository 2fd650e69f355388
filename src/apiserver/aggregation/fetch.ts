/** One GET of an extension API server on this server's own behalf: bounded in time and size, whatever the other side does. */
import https from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Identity } from '../identity.ts'
import { goError, refuseUpgrades, wayTo, type Destination } from '../streaming/forward.ts'
import { identityHeaders } from './front-proxy.ts'

export interface Fetched { readonly code: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

/** Whom extension servers see when this server asks for itself. */
const aggregatorIdentity: Identity = { name: 'system:kube-aggregator', groups: ['system:masters'] }

/** How long a server may take to say what it serves. */
const discoveryTimeout = 5_000
/** Larger documents than this are taken for a fault: 64 MiB. */
const largest = 64 * 1024 * 1024

export interface FetchOptions {
  readonly headers?: OutgoingHttpHeaders
  readonly method?: string
  /** JSON. */
  readonly body?: string
  readonly contentType?: string
  readonly timeout?: number
  /** Whom the other server sees. */
  readonly user?: Identity
  readonly signal?: AbortSignal | undefined
}

/** Opens a request; resolves with the head of the answer. Rejects with an `Error` in the words Go programs use for failed connections. */
export function open(to: Destination, { headers = {}, method = 'GET', body, contentType = 'application/json', timeout = discoveryTimeout, user = aggregatorIdentity, signal }: FetchOptions = {}): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const url = urlOf(to)
  const fail = (why: string) => reject(new Error(`${method === 'GET' ? 'Get' : method} ${JSON.stringify(url)}: ${why}`))
  const length = body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }
  const request = https.request({
    host: to.address, port: to.port, path: to.path, method, ...wayTo(to), ...(signal ? { signal } : {}),
    headers: { accept: 'application/json', ...headers, ...length, ...identityHeaders(user), host: new URL(url).host },
  })
  const timer = setTimeout(() => {
    fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
    request.destroy()
  }, timeout)
  request.on('error', (error) => fail(goError(error)))
  refuseUpgrades(request, (error) => fail(error.message))
  request.on('close', () => {
    clearTimeout(timer)
    fail('unexpected EOF')
  })
  request.on('response', (response) => {
    clearTimeout(timer)
    resolve(response)
  })
  // As bytes: a text would go out together with the head, which is of another encoding.
  request.end(body === undefined ? undefined : Buffer.from(body))
  return promise
}

/** The whole answer, in time and not too large. Rejects like `open`. */
export async function fetchFrom(to: Destination, options: FetchOptions = {}): Promise<Fetched> {
  const response = await open(to, options)
  const { promise, resolve, reject } = Promise.withResolvers<Fetched>()
  const chunks: Buffer[] = []
  let length = 0
  const giveUp = (why: string) => {
    reject(new Error(`Get ${JSON.stringify(urlOf(to))}: ${why}`))
    response.destroy()
  }
  const timer = setTimeout(() => giveUp('context deadline exceeded (Client.Timeout or context cancellation while reading body)'), options.timeout ?? discoveryTimeout)
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if ((length += chunk.length) > largest) giveUp(`answer is larger than ${largest} bytes`)
  })
  response.on('end', () => resolve({ code: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }))
  response.on('close', () => giveUp('unexpected EOF'))
  return promise.finally(() => clearTimeout(timer))
}

/** The URL of a destination, as messages name it. */
export const urlOf = (to: Destination): string => `${to.scheme}://${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}${to.path}`
