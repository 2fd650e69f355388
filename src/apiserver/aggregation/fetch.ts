/** One GET of an extension API server on this server's own behalf: bounded in time and size, whatever the other side does. */
import https from 'node:https'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { Identity } from '../identity.ts'
import { goError, type Destination } from '../streaming/forward.ts'
import { identityHeaders } from './front-proxy.ts'

export interface Fetched { readonly code: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

/** Whom extension servers see when this server asks for itself. */
export const aggregatorIdentity: Identity = { name: 'system:kube-aggregator', groups: ['system:masters'] }

/** How long a server may take to say what it serves. */
export const discoveryTimeout = 5_000
/** Larger documents than this are taken for a fault: 64 MiB. */
const largest = 64 * 1024 * 1024

/** Rejects with an `Error` in the words Go programs use for failed connections. */
export function fetchFrom(to: Destination, headers: OutgoingHttpHeaders = {}, timeout = discoveryTimeout, user = aggregatorIdentity): Promise<Fetched> {
  const { promise, resolve, reject } = Promise.withResolvers<Fetched>()
  const url = urlOf(to)
  const fail = (why: string) => reject(new Error(`Get ${JSON.stringify(url)}: ${why}`))
  const request = https.request({
    host: to.address, port: to.port, path: to.path, method: 'GET', ...to.tls, ...(to.agent ? { agent: to.agent } : {}),
    headers: { accept: 'application/json', ...headers, ...identityHeaders(user), host: new URL(url).host },
  })
  const timer = setTimeout(() => {
    fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
    request.destroy()
  }, timeout)
  request.on('error', (error) => fail(goError(error)))
  request.on('close', () => {
    clearTimeout(timer)
    fail('unexpected EOF')
  })
  request.on('response', (response) => {
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if ((length += chunk.length) <= largest) return
      fail(`answer is larger than ${largest} bytes`)
      request.destroy()
    })
    response.on('end', () => resolve({ code: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }))
  })
  request.end()
  return promise
}

/** The URL of a destination, as messages name it. */
export const urlOf = (to: Destination): string => `${to.scheme}://${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}${to.path}`
