/** `kubectl --as`: a request on somebody else's behalf, by the `Impersonate-*` headers, for those who are allowed to. */
import type { IncomingHttpHeaders } from 'node:http'
import { badRequest } from '../../machinery/errors.ts'
import type { Action, Authorizer } from '../authz/authorizer.ts'
import { receivedText } from '../header-text.ts'
import type { Identity } from '../identity.ts'
import { modes, type Impersonated, type Wanted } from './impersonation-modes.ts'

const prefix = 'impersonate-'
const extraPrefix = 'impersonate-extra-'

/** Who the headers ask to be; undefined when there are none. Throws 400 for groups, extra or uid without a user. */
function wantedIdentity(headers: IncomingHttpHeaders): Wanted | undefined {
  const name = one(headers['impersonate-user'])
  const groups = many(headers['impersonate-group'])
  const uid = one(headers['impersonate-uid'])
  const parts: [string, string[]][] = []
  for (const [header, value] of Object.entries(headers)) {
    if (header.startsWith(extraPrefix)) parts.push([unescaped(header.slice(extraPrefix.length)), many(value)])
  }
  // Not by assignment: a key may be called __proto__.
  const extra = Object.fromEntries(parts)
  if (name === '' && groups.length === 0 && uid === '' && Object.keys(extra).length === 0) return undefined
  if (name === '') throw badRequest(`requested ${shown(uid, groups, parts)} without impersonating a user name`)
  return { name, uid, groups, extra }
}

/** What the headers say, as Kubernetes shows it. */
function shown(uid: string, groups: readonly string[], extra: readonly (readonly [string, readonly string[]])[]): string {
  const list = (texts: readonly string[]) => (texts.length > 0 ? `[]string{${texts.map((text) => JSON.stringify(text)).join(', ')}}` : '[]string(nil)')
  const entries = extra.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`)
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${list(groups)}, Extra:map[string][]string${entries.length > 0 ? `{${entries.join(', ')}}` : '(nil)'}}`
}

/** Told of every attempt: its mode (undefined: none allowed it), and when it began, in milliseconds of `performance.now`. */
export type Attempted = (mode: string | undefined, begun: number) => void

const constraints = new WeakMap<Identity, string>()

/** The verb that allowed somebody to be this one, for audit; undefined for the one that allows everything (`impersonate`), and for who is nobody else. */
export const constraintOf = (identity: Identity): string | undefined => constraints.get(identity)

/**
 * The identity to go on with: `user` itself, at once where no header asks for another, or whom it impersonates. Throws 403 for what it has no right
 * to. Modes that are bound to what is asked (`action`) come before the one that is not (https://kep.k8s.io/5284).
 */
export function impersonate(user: Identity, headers: IncomingHttpHeaders, authorizer: Authorizer, action: Action, attempted?: Attempted): Promise<Identity> | Identity {
  for (const header in headers) if (header.startsWith(prefix)) return impersonateWanted(user, headers, authorizer, action, attempted)
  return user
}

async function impersonateWanted(user: Identity, headers: IncomingHttpHeaders, authorizer: Authorizer, action: Action, attempted: Attempted = () => undefined): Promise<Identity> {
  const wanted = wantedIdentity(headers)
  if (!wanted) return user
  const begun = performance.now()
  let refused: unknown
  for (const mode of modes) {
    let found: Impersonated | undefined
    try {
      found = await mode.check(authorizer, user, wanted, action)
    } catch (error) {
      refused ??= error
    }
    if (!found) continue
    attempted(mode.name, begun)
    if (found.constraint !== undefined) constraints.set(found.identity, found.constraint)
    return found.identity
  }
  attempted(undefined, begun)
  throw refused
}

const one = (value: string | string[] | undefined): string => receivedText(Array.isArray(value) ? (value[0] ?? '') : (value ?? ''))
/** Node joins repeated headers of unknown names with a comma and a blank. An empty one asks for something, too: it is refused, or takes every right. */
const many = (value: string | string[] | undefined): string[] => (Array.isArray(value) ? value : value === undefined ? [] : value.split(', ')).map(receivedText)

/** Header names are case-insensitive and have few characters: keys come percent-encoded. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
