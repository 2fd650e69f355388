/**
 * In which ways somebody may be somebody else (https://kep.k8s.io/5284). Each mode but the oldest takes two rights: `impersonate:<mode>` of whom one
 * wants to be, and `impersonate-on:<mode>:<verb>` of what one wants to do as them. The oldest, `impersonate`, is bound to nothing.
 */
import { forbidden } from '../../machinery/errors.ts'
import { dns1123Label, dns1123Subdomain } from '../../machinery/names.ts'
import { refusal, type Action, type Authorizer } from '../authz/authorizer.ts'
import type { Identity } from '../identity.ts'

export interface Wanted {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

export interface Impersonated {
  readonly identity: Identity
  /** The verb that allowed it; undefined for the mode that is bound to nothing. */
  readonly constraint?: string | undefined
}

export interface Mode {
  readonly name: string
  /** Undefined when the mode is not for this; throws 403 when `user` has not the rights. */
  check(authorizer: Authorizer, user: Identity, wanted: Wanted, action: Action): Promise<Impersonated | undefined>
}

const reviews = 'authentication.k8s.io'
/** As many names of one kind are asked about all at once first. */
const many = 4
const blank: Action = { isResourceRequest: true, path: '', verb: '', group: '', version: 'v1', namespace: '', resource: '', subresource: '', name: '' }

/** Throws 403 unless `user` may. */
async function must(authorizer: Authorizer, user: Identity, action: Action): Promise<void> {
  const { opinion, reason } = await authorizer.decide(user, action)
  if (opinion !== 'allow') throw refusal(user, action, reason)
}

const refused = (action: Action, why: string) => forbidden({ group: action.group, plural: action.resource }, action.name, why)

/** `system:serviceaccount:ns:name` taken apart; undefined for what is none. */
function serviceAccountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace = '', name = ''] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? []
  return namespace && dns1123Label(namespace).length === 0 && dns1123Subdomain(name).length === 0 ? { namespace, name } : undefined
}

/** The name of a node in `system:node:name`. */
function nodeOf(user: string): string | undefined {
  const name = user.startsWith('system:node:') ? user.slice('system:node:'.length) : ''
  return name !== '' && dns1123Subdomain(name).length === 0 ? name : undefined
}

const onlyName = ({ uid, groups, extra }: Wanted): boolean => uid === '' && groups.length === 0 && Object.keys(extra).length === 0

/** The groups that everybody is in, beside one's own. */
function inStanding(name: string, groups: readonly string[]): readonly string[] {
  const standing = name === 'system:anonymous' ? 'system:unauthenticated' : groups.includes('system:unauthenticated') ? undefined : 'system:authenticated'
  return standing === undefined || groups.includes(standing) ? groups : [...groups, standing]
}

const identityOf = ({ name, uid, extra }: Wanted, groups: readonly string[]): Identity =>
  ({ name, ...(uid ? { uid } : {}), groups: inStanding(name, groups), ...(Object.keys(extra).length > 0 ? { extra } : {}) })

/** The right to the name, and the groups that come with it. */
function byName(wanted: Wanted, base: Action, bound: boolean): { readonly action: Action; readonly groups: readonly string[] } {
  const node = bound ? nodeOf(wanted.name) : undefined
  if (node !== undefined) return { action: { ...base, resource: 'nodes', name: node }, groups: ['system:nodes'] }
  const account = serviceAccountOf(wanted.name)
  if (!account) return { action: { ...base, resource: 'users', name: wanted.name }, groups: wanted.groups }
  const own = wanted.groups.length > 0 ? wanted.groups : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`]
  return { action: { ...base, resource: 'serviceaccounts', ...account }, groups: own }
}

/** Checks the rights to each part of whom one wants to be. */
async function checkParts(authorizer: Authorizer, user: Identity, wanted: Wanted, verb: string, bound: boolean): Promise<Identity> {
  const base: Action = { ...blank, verb, group: bound ? reviews : '' }
  const { action, groups } = byName(wanted, base, bound)
  await must(authorizer, user, action)
  const other: Action = { ...base, group: reviews }
  if (wanted.uid) await must(authorizer, user, { ...other, resource: 'uids', name: wanted.uid })
  if (wanted.groups.length > 0) await checkGroups(authorizer, user, wanted.groups, { ...base, resource: 'groups' }, bound)
  if (Object.keys(wanted.extra).length > 0) await checkExtra(authorizer, user, wanted.extra, { ...other, resource: 'userextras' }, bound)
  return identityOf(wanted, groups)
}

const may = async (authorizer: Authorizer, user: Identity, action: Action): Promise<boolean> => (await authorizer.decide(user, action)).opinion === 'allow'

async function checkGroups(authorizer: Authorizer, user: Identity, groups: readonly string[], base: Action, bound: boolean): Promise<void> {
  if (bound && groups.includes('')) throw refused(base, 'impersonating the empty string group is not allowed')
  if (bound && groups.includes('system:masters')) throw refused({ ...base, name: 'system:masters' }, 'impersonating the system:masters group is not allowed')
  if (bound && groups.length >= many && (await may(authorizer, user, { ...base, name: '*' }))) return
  for (const name of groups) await must(authorizer, user, { ...base, name })
}

/** Why nobody may have that, where it is bound to what is asked; undefined when there is no reason. */
function extraProblem(key: string, values: readonly string[]): string | undefined {
  if (key === '') return 'impersonating the empty string key in extra is not allowed'
  const problem = prefixedPathProblem(key)
  if (problem) return `impersonating an invalid key in extra is not allowed: ${problem}`
  if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`
  if (values.length === 0) return 'impersonating empty values in extra is not allowed'
  return values.includes('') ? 'impersonating the empty string value in extra is not allowed' : undefined
}

const pathCharacters = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const pathForm = new RegExp(`^${pathCharacters}$`)

/** What is wrong with a path behind a domain, `acme.io/foo`. */
function prefixedPathProblem(key: string): string | undefined {
  const at = key.indexOf('/')
  const invalid = (value: string, why: string): string => `extra.key: Invalid value: ${JSON.stringify(value)}: ${why}`
  if (at <= 0 || at === key.length - 1) return invalid(key, 'must be a domain-prefixed path (such as "acme.io/foo")')
  const [domain, rest] = [key.slice(0, at), key.slice(at + 1)]
  const problems = dns1123Subdomain(domain).map((why) => invalid(domain, why))
  if (!pathForm.test(rest)) problems.push(invalid(rest, `Invalid path (regex used for validation is '${pathCharacters}')`))
  return problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]
}

async function checkExtra(authorizer: Authorizer, user: Identity, extra: Wanted['extra'], base: Action, bound: boolean): Promise<void> {
  const entries = Object.entries(extra)
  if (bound) {
    for (const entry of entries) {
      const why = extraProblem(...entry)
      if (why) throw refused(base, why)
    }
    const large = entries.length >= many || entries.reduce((sum, [, values]) => sum + values.length, 0) >= many
    if (large && (await may(authorizer, user, { ...base, subresource: '*', name: '*' }))) return
  }
  for (const [subresource, values] of entries) for (const name of values) await must(authorizer, user, { ...base, subresource, name })
}

/** A mode that is bound to what is asked, for those whom `fits` says. */
function boundMode(name: string, fits: (wanted: Wanted, user: Identity) => boolean, around: (authorizer: Authorizer) => Authorizer = (authorizer) => authorizer): Mode {
  const constraint = `impersonate:${name}`
  return {
    name,
    async check(plain, user, wanted, action) {
      if (!fits(wanted, user)) return undefined
      const authorizer = around(plain)
      await must(authorizer, user, { ...action, verb: `impersonate-on:${name}:${action.verb}` })
      return { identity: await checkParts(authorizer, user, wanted, constraint, true), constraint }
    },
  }
}

/** Whether the account's token is of the node that it wants to be. */
function isOfNode(wanted: Wanted, user: Identity): boolean {
  const node = nodeOf(wanted.name)
  const own = user.extra?.['authentication.kubernetes.io/node-name'] ?? []
  return node !== undefined && onlyName(wanted) && serviceAccountOf(user.name) !== undefined && own.length === 1 && own[0] === node
}

/** Which node it is was checked before: the right is one to the node that one is on, whichever that is. */
const forAnyNode = (authorizer: Authorizer): Authorizer => ({
  ...authorizer,
  decide: (user, action) => authorizer.decide(
    { ...user, extra: { 'authentication.kubernetes.io/associated-node-keys': Object.keys(user.extra ?? {}).toSorted() } },
    action.verb === 'impersonate:associated-node' ? { ...action, name: '*' } : action,
  ),
})

/** In the order in which they are tried. */
export const modes: readonly Mode[] = [
  boundMode('associated-node', isOfNode, forAnyNode),
  boundMode('arbitrary-node', (wanted) => onlyName(wanted) && nodeOf(wanted.name) !== undefined),
  boundMode('serviceaccount', (wanted) => onlyName(wanted) && serviceAccountOf(wanted.name) !== undefined),
  boundMode('user-info', (wanted) => nodeOf(wanted.name) === undefined && serviceAccountOf(wanted.name) === undefined),
  { name: 'legacy', check: async (authorizer, user, wanted) => ({ identity: await checkParts(authorizer, user, wanted, 'impersonate', false) }) },
]
