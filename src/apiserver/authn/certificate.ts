/** Client certificates: the common name is the user, the organizations are the groups. The TLS layer has checked the chain. */
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { Http2ServerRequest } from 'node:http2'
import type { Clock } from '../../machinery/clock.ts'
import { unauthorized } from '../../machinery/errors.ts'
import type { Identity } from '../identity.ts'
import type { Authentication, RawRequest } from './authenticator.ts'
import { authoritiesOf, type ComesFrom } from './client-ca.ts'

/**
 * Identifies by the client certificate of the connection. The server must be set up with `requestCert` and the
 * cluster's CA; a certificate from elsewhere answers 401, and so does one that has run out, also on a connection that is older.
 * `clientCa`, PEM: given when the server was set up with other authorities too.
 */
export function certificateAuthentication(clock: Pick<Clock, 'now'>, clientCa?: string): Authentication {
  // The TLS layer accepts the authorities of proxies too; their certificates make nobody a client.
  const comesFrom = clientCa === undefined ? undefined : authoritiesOf(clientCa)
  const seen = new WeakMap<object, Verified | 'none' | 'untrusted'>()
  return {
    name: 'x509',
    authenticate(request) {
      const socket = tlsSocketOf(request)
      if (!socket) return undefined
      let result = seen.get(socket)
      if (!result) seen.set(socket, (result = identify(socket, comesFrom)))
      if (result === 'none') return undefined
      if (result === 'untrusted' || result.until < clock.now()) throw unauthorized()
      return result.identity
    },
  }
}

/** The TLS socket under an HTTP/1.1 or HTTP/2 request; undefined for plain connections. */
export function tlsSocketOf(request: RawRequest): TLSSocket | undefined {
  const socket = 'stream' in request ? ((request as Http2ServerRequest).stream.session?.socket as TLSSocket | undefined) : (request.socket as TLSSocket)
  return socket && typeof socket.getPeerCertificate === 'function' ? socket : undefined
}

interface Verified {
  readonly identity: Identity
  /** Milliseconds since the epoch. */
  readonly until: number
}

function identify(socket: TLSSocket, comesFrom: ComesFrom | undefined): Verified | 'none' | 'untrusted' {
  const certificate = socket.getPeerCertificate()
  if (!certificate || Object.keys(certificate).length === 0) return 'none'
  if (!socket.authorized) return 'untrusted'
  if (comesFrom) {
    const leaf = socket.getPeerX509Certificate()
    if (!leaf || !comesFrom(leaf)) return 'untrusted'
  }
  let identity: Identity | undefined
  try {
    identity = identityOf(certificate)
  } catch {
    return 'untrusted'
  }
  return identity ? { identity, until: Date.parse(certificate.valid_to) } : 'none'
}

/** Kubernetes's own attribute of a subject, for the uid of a user. */
const uidAttribute = '1.3.6.1.4.1.57683.2'

/** User, uid and groups of a certificate that is trusted; undefined when it names nobody. Throws `ApiError` 401 for a uid that is empty or there twice. */
export function identityOf(certificate: Pick<PeerCertificate, 'subject' | 'fingerprint256'>): Identity | undefined {
  const subject = certificate.subject as unknown as Record<string, string | string[] | undefined>
  const name = [subject['CN'] ?? []].flat().at(-1)
  if (!name) return undefined
  const uids = [subject[uidAttribute] ?? []].flat()
  if (uids.length > 1 || uids[0] === '') throw unauthorized()
  return {
    name,
    ...(uids[0] === undefined ? {} : { uid: uids[0] }),
    groups: [subject['O'] ?? []].flat(),
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`] },
  }
}
