/** The bearer token that a request carries: in its header or, from browsers, which cannot set headers on WebSockets, as a protocol. */
import { unauthorized } from '../../machinery/errors.ts'
import type { RawRequest } from './authenticator.ts'
import { remark } from './remarks.ts'

interface Seen { readonly header: string; readonly token: string }
const seen = new WeakMap<object, Seen>()

const spaced = { annotations: {}, warnings: ['the provided Authorization header contains extra space before the bearer token, and is ignored'] }

/**
 * The token; undefined when the request carries none: an `Authorization` header of another scheme is nothing, as in Kubernetes, and the
 * request is anonymous. Throws `ApiError` 401 for WebSocket protocols with a token that cannot be read.
 */
export function bearerToken(request: RawRequest): string | undefined {
  const header = request.headers.authorization
  if (header === undefined) return webSocketToken(request)
  // A connection sends the same header again and again: the same string is found in maps without being hashed anew.
  const { socket } = request
  const before = seen.get(socket)
  if (before?.header === header) return before.token
  const [scheme = '', token, more] = header.trim().split(' ', 3)
  if (scheme.toLowerCase() !== 'bearer' || token === undefined) return webSocketToken(request)
  if (token === '') {
    if (more !== undefined) remark(request, spaced)
    return webSocketToken(request)
  }
  if (socket) seen.set(socket, { header, token })
  return token
}

const prefix = 'base64url.bearer.authorization.k8s.io.'
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One token, and at least one protocol beside it that can be spoken: otherwise 401. */
function webSocketToken({ headers }: RawRequest): string | undefined {
  const offered = headers['sec-websocket-protocol']
  if (!offered?.includes(prefix) || headers.upgrade?.toLowerCase() !== 'websocket') return undefined
  const protocols = offered.split(',').map((protocol) => protocol.trim())
  const tokens = protocols.filter((protocol) => protocol.startsWith(prefix))
  const encoded = tokens[0]?.slice(prefix.length)
  if (!encoded) return undefined
  if (tokens.length > 1 || tokens.length === protocols.length || !/^[\w-]+$/.test(encoded)) throw unauthorized()
  try {
    return text.decode(Buffer.from(encoded, 'base64url')) || undefined
  } catch {
    throw unauthorized()
  }
}
