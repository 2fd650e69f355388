/** `kubectl --as`: a request on somebody else's behalf, by the `Impersonate-*` headers, for those who are allowed to. */
import type { IncomingHttpHeaders } from 'node:http'
import { badRequest } from '../../machinery/errors.ts'
import { refusal, type Action, type Authorizer } from '../authz/authorizer.ts'
import { receivedText } from '../header-text.ts'
import type { Identity } from '../identity.ts'

const extraPrefix = 'impersonate-extra-'

interface Wanted {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

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
  if (name === '') throw badRequest('requested impersonating without impersonating a user')
  return { name, uid, groups, extra }
}

const prefix = 'impersonate-'

/** The identity to go on with: `user` itself, at once where no header asks for another, or whom it impersonates. Throws 403 for every part it has no right to take. */
export function impersonate(user: Identity, headers: IncomingHttpHeaders, authorizer: Authorizer): Promise<Identity> | Identity {
  for (const header in headers) if (header.startsWith(prefix)) return impersonateWanted(user, headers, authorizer)
  return user
}

async function impersonateWanted(user: Identity, headers: IncomingHttpHeaders, authorizer: Authorizer): Promise<Identity> {
  const wanted = wantedIdentity(headers)
  if (!wanted) return user
  for (const action of actionsOf(wanted)) {
    const decision = await authorizer.decide(user, action)
    if (decision.opinion !== 'allow') throw refusal(user, action, decision.reason)
  }
  const account = serviceAccountOf(wanted.name)
  const anonymous = wanted.name === 'system:anonymous'
  const own = wanted.groups.length > 0 || !account ? wanted.groups : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`]
  const standing = anonymous ? 'system:unauthenticated' : 'system:authenticated'
  const groups = own.includes('system:authenticated') || own.includes('system:unauthenticated') ? own : [...own, standing]
  return { name: wanted.name, ...(wanted.uid ? { uid: wanted.uid } : {}), groups, ...(Object.keys(wanted.extra).length > 0 ? { extra: wanted.extra } : {}) }
}

function* actionsOf(wanted: Wanted): Iterable<Action> {
  const base: Action = { isResourceRequest: true, path: '', verb: 'impersonate', group: '', version: 'v1', namespace: '', resource: '', subresource: '', name: '' }
  const account = serviceAccountOf(wanted.name)
  if (account) yield { ...base, resource: 'serviceaccounts', ...account }
  else yield { ...base, resource: 'users', name: wanted.name }
  for (const name of wanted.groups) yield { ...base, resource: 'groups', name }
  const authentication = { ...base, group: 'authentication.k8s.io' }
  if (wanted.uid) yield { ...authentication, resource: 'uids', name: wanted.uid }
  for (const [key, values] of Object.entries(wanted.extra)) {
    for (const name of values) yield { ...authentication, resource: 'userextras', subresource: key, name }
  }
}

/** `system:serviceaccount:ns:name` taken apart. */
function serviceAccountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user)
  return match ? { namespace: match[1] as string, name: match[2] as string } : undefined
}

const one = (value: string | string[] | undefined): string => receivedText(Array.isArray(value) ? (value[0] ?? '') : (value ?? ''))
/** Node joins repeated headers of unknown names with a comma and a blank. */
const many = (value: string | string[] | undefined): string[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : value.split(', ')).filter((v) => v !== '').map(receivedText)

/** Header names are case-insensitive and have few characters: keys come percent-encoded. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase()
  } catch {
    return key.toLowerCase()
  }
}
