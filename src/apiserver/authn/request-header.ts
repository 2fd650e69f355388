/**
 * An authenticating proxy in front of the server: it proves to be one by its certificate, and says in headers for whom it speaks.
 * The same headers of anybody else mean nothing, and nobody behind the server gets to see them.
 */
import type { TLSSocket } from 'node:tls'
import { receivedText } from '../header-text.ts'
import type { Identity } from '../identity.ts'
import type { Authentication, RawRequest } from './authenticator.ts'
import { tlsSocketOf } from './certificate.ts'
import { authoritiesOf } from './client-ca.ts'

export interface RequestHeaderOptions {
  /** PEM of the authorities of proxies: others than those of clients, or every client could speak for everybody. */
  readonly clientCa: string
  /** Common names that certificates of proxies have; any when empty. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}

/** Throws when the authorities cannot be read. */
export function requestHeaderAuthentication(options: RequestHeaderOptions): Authentication {
  const comesFrom = authoritiesOf(options.clientCa)
  const lower = (names: readonly string[]) => names.map((name) => name.trim().toLowerCase())
  const names = { user: lower(options.usernameHeaders), group: lower(options.groupHeaders), uid: lower(options.uidHeaders), prefixes: lower(options.extraHeaderPrefixes) }
  const proxies = new WeakMap<TLSSocket, boolean>()

  function isProxy(request: RawRequest): boolean {
    const socket = tlsSocketOf(request)
    if (!socket) return false
    let known = proxies.get(socket)
    if (known === undefined) proxies.set(socket, (known = check(socket)))
    return known
  }
  function check(socket: TLSSocket): boolean {
    const leaf = socket.authorized ? socket.getPeerX509Certificate() : undefined
    if (!leaf || !comesFrom(leaf)) return false
    const name = ([] as string[]).concat(socket.getPeerCertificate().subject.CN ?? []).at(-1) ?? ''
    return options.allowedNames.length === 0 || options.allowedNames.includes(name)
  }

  return {
    name: 'requestheader',
    authenticate(request) {
      const sent = take(request, names)
      return sent.name !== '' && isProxy(request) ? identityOf(sent) : undefined
    },
  }
}

interface Names { readonly user: readonly string[]; readonly group: readonly string[]; readonly uid: readonly string[]; readonly prefixes: readonly string[] }
interface Sent { readonly name: string; readonly uid: string; readonly groups: readonly string[]; readonly extra: Readonly<Record<string, readonly string[]>> }

/** Reads the headers, and takes them off the request, whoever sent it. Of several that may say the same, those count that are configured first. */
function take(request: RawRequest, names: Names): Sent {
  const all = new Map<string, string[]>()
  const extra = new Map<string, string[]>()
  const raw = request.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const header = raw[i]!.toLowerCase()
    const prefixes = names.prefixes.filter((prefix) => header.startsWith(prefix))
    const said = names.user.includes(header) || names.uid.includes(header) || names.group.includes(header)
    if (!said && prefixes.length === 0) continue
    const value = receivedText(raw[i + 1]!)
    if (said) add(all, header, value)
    for (const prefix of prefixes) add(extra, keyOf(header.slice(prefix.length)), value)
    delete request.headers[header]
  }
  const first = (list: readonly string[]): string => list.map((header) => all.get(header)?.[0] ?? '').find(Boolean) ?? ''
  return { name: first(names.user), uid: first(names.uid), groups: names.group.flatMap((header) => all.get(header) ?? []).filter(Boolean), extra: Object.fromEntries(extra) }
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  const known = map.get(key)
  if (known) known.push(value)
  else map.set(key, [value])
}

function identityOf({ name, uid, groups, extra }: Sent): Identity {
  return { name, ...(uid ? { uid } : {}), groups, ...(Object.keys(extra).length > 0 ? { extra } : {}) }
}

/** Keys come percent-encoded: header names have few characters, and no capitals. */
function keyOf(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
