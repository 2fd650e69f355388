/** Which of a client's headers go on to what is proxied to, and which of its answer come back. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { ApiRequest } from '../http/request.ts'

/** Headers that belong to one connection, or that prove who the client is: what a pod could use to act in the client's name. */
const dropped = new Set([
  'authorization', 'connection', 'host', 'http2-settings', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade',
])
/** Whole families of headers that say who somebody is. */
const droppedPrefixes = [':', 'impersonate-', 'x-remote-'] as const

/** The client's headers as they go on to the other side. */
export function forwardedHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const ofConnection = new Set(String(headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim()))
  const next: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    // Some servers take an underscore for a hyphen.
    const read = name.replaceAll('_', '-')
    if (dropped.has(read) || ofConnection.has(name) || droppedPrefixes.some((prefix) => read.startsWith(prefix))) continue
    next[name] = value
  }
  const protocols = next['sec-websocket-protocol']
  if (typeof protocols === 'string') next['sec-websocket-protocol'] = withoutToken(protocols)
  return next
}

/** Browsers, which cannot set headers on WebSockets, send their token as one of the protocols they offer. */
const withoutToken = (protocols: string): string =>
  protocols.split(',').map((p) => p.trim()).filter((p) => !p.startsWith('base64url.bearer.authorization.k8s.io.')).join(', ')

/** The name the client used for this server: HTTP/2 has it in a field of its own. */
export const hostOf = ({ headers }: Pick<ApiRequest, 'headers'>): string => headers.host ?? String(headers[':authority'] ?? '')

/** The headers of a proxied request: the client's, the host it asked for, and where it came from. */
export function proxyHeaders(request: ApiRequest): OutgoingHttpHeaders {
  const before = request.headers['x-forwarded-for']
  const from = request.raw.socket?.remoteAddress?.replace(/^::ffff:/, '')
  return {
    ...forwardedHeaders(request.headers),
    ...(hostOf(request) ? { host: hostOf(request) } : {}),
    ...(from ? { 'x-forwarded-for': before ? `${String(before)}, ${from}` : from } : {}),
  }
}

/** Headers of an answer that belong to one connection; HTTP/2 does not take them. */
const ofConnection = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])
/** Whether other sites may read an answer is for this server to say: what runs in a pod must not open it to them. */
const crossOrigin = /^access-control-allow-(?:credentials|headers|methods|origin)$/

/** Whether a header of an answer, by its name in lower case, goes back to the client. What the request is called in the audit log is for this server to say. */
export const isReturned = (name: string): boolean => !ofConnection.has(name) && !crossOrigin.test(name) && name !== 'audit-id'

/** An answer's headers as they go back to the client. */
export const returnedHeaders = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => Object.fromEntries(Object.entries(headers).filter(([name]) => isReturned(name)))
