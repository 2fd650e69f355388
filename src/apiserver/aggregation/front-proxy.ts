/** How this server introduces itself, and the user it asks for, to extension API servers. */
import https from 'node:https'
import type { OutgoingHttpHeaders } from 'node:http'
import { sentText } from '../header-text.ts'
import type { Identity } from '../identity.ts'
import type { ServicePlace, ServiceResolver } from '../reach/services.ts'
import type { Destination } from '../streaming/forward.ts'
import type { Remote } from './remotes.ts'

/** The front proxy's client certificate: extension servers believe the headers of whoever shows it. */
export interface FrontProxyTls { readonly cert: string | Buffer; readonly key: string | Buffer }

/** Who asks, as `X-Remote-*` headers. The client's own headers of that name never get this far (`forwardedHeaders`). */
export function identityHeaders({ name, uid, groups, extra }: Identity): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'x-remote-user': sentText(name) }
  if (uid) headers['x-remote-uid'] = sentText(uid)
  if (groups.length > 0) headers['x-remote-group'] = groups.map(sentText)
  for (const [key, values] of Object.entries(extra ?? {})) headers[`x-remote-extra-${escaped(key)}`] = values.map(sentText)
  return headers
}

/** Header names have few characters; others are percent-encoded, as Kubernetes does. */
const escaped = (key: string): string =>
  [...Buffer.from(key)].map((byte) => (/[A-Za-z0-9!#$&'*+.^_`|~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)).join('')

export interface Connections {
  /** Where a remote's server is reached now, with the certificates for it. Throws when nobody is there. */
  destination(remote: Remote, path: string): Destination
  /** The same for every endpoint of it. */
  destinations(remote: Remote, path: string): readonly Destination[]
  /** Closes what is kept open. */
  close(): void
}

/** Connections are kept open and used again, apart for each way of checking a server. `tls` is asked for on the first one. */
export function createConnections(services: ServiceResolver, tls: (() => FrontProxyTls) | undefined): Connections {
  const kept = new Map<string, { readonly tls: https.AgentOptions; readonly agent: https.Agent }>()
  const connect = ({ ca, insecure }: Remote, serverName: string) => {
    const own = tls?.()
    const key = `${serverName} ${insecure} ${ca?.toString('base64') ?? ''} ${own?.cert.toString() ?? ''}`
    let found = kept.get(key)
    if (!found) {
      const options: https.AgentOptions = { ...own, ...(ca ? { ca } : {}), servername: serverName, ...(insecure ? { rejectUnauthorized: false } : {}) }
      // A certificate that was changed for another is a new way of checking; the old one is forgotten with its connections.
      for (const [other, { agent }] of kept) if (other.startsWith(`${serverName} `)) {
        agent.destroy()
        kept.delete(other)
      }
      kept.set(key, (found = { tls: options, agent: new https.Agent({ ...options, keepAlive: true, maxFreeSockets: 16 }) }))
    }
    return found
  }
  const at = (remote: Remote, { address, port, serverName, connect: through }: ServicePlace, path: string): Destination =>
    ({ scheme: 'https', address, port, path, ...connect(remote, serverName), ...(through ? { connect: through } : {}) })
  return {
    destination: (remote, path) => at(remote, services.resolve(remote.service), path),
    destinations: (remote, path) => services.resolveAll(remote.service).map((place) => at(remote, place, path)),
    close() {
      for (const { agent } of kept.values()) agent.destroy()
    },
  }
}
