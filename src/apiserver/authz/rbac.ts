/**
 * RBAC: roles are sets of rules, and bindings grant them to subjects. Bindings are indexed by subject, so that a check looks only
 * at those that name the user or one of the user's groups, however many others there are.
 */
import type { rbac } from '../../api/index.ts'
import type { Identity } from '../identity.ts'
import type { Action, AuthorizationMode, Decision, HeldRule } from './authorizer.ts'

type Rule = rbac.PolicyRule
type Binding = Pick<rbac.RoleBinding, 'metadata' | 'subjects' | 'roleRef'>

/** The roles and bindings that RBAC decides by. Filled from the watch cache by `rbac-source.ts`. */
export interface RbacIndex extends AuthorizationMode {
  setRole(namespace: string, name: string, rules: readonly Rule[] | undefined): void
  setBinding(namespace: string, name: string, binding: Binding | undefined): void
  /** Every rule that applies to the user in the namespace ('' for cluster scope only), each with the binding it comes from. */
  rules(user: Identity, namespace: string): Iterable<{ readonly rule: Rule; readonly source: string }>
  authorize(user: Identity, action: Action): Decision
}

const no: Decision = { opinion: 'none', reason: '' }
const noRules: readonly Rule[] = []

/** The reason is worded only when somebody reads it. (A class: an accessor in an object literal costs ten times as much.) */
class Allowed implements Decision {
  readonly opinion = 'allow'
  readonly #scope: string
  readonly #name: string
  readonly #binding: Binding
  readonly #key: string
  constructor(scope: string, name: string, binding: Binding, key: string) {
    this.#scope = scope
    this.#name = name
    this.#binding = binding
    this.#key = key
  }
  get reason(): string { return `RBAC: allowed by ${sourceOf(this.#scope, this.#name, this.#binding, this.#key)}` }
}

/** An empty index, which allows nothing until roles and bindings are set. Namespace '' holds cluster roles and cluster role bindings. */
export function createRbacIndex(): RbacIndex {
  const roles = new Map<string, readonly Rule[]>()
  const bindings = new Map<string, { readonly binding: Binding; readonly keys: readonly string[] }>()
  /** namespace → subject → bindings by name. */
  const bySubject = new Map<string, Map<string, Map<string, Binding>>>()

  const rulesOf = (scope: string, { roleRef }: Binding): readonly Rule[] => roles.get(roleRef.kind === 'ClusterRole' ? `/${roleRef.name}` : `${scope}/${roleRef.name}`) ?? noRules

  /** The decision of the first rule in this scope that covers the action. */
  function allowedIn(scope: string, keys: readonly string[], action: Action): Decision | undefined {
    const subjects = bySubject.get(scope)
    if (!subjects) return undefined
    for (const key of keys) {
      const named = subjects.get(key)
      if (!named) continue
      for (const [name, binding] of named) {
        for (const rule of rulesOf(scope, binding)) if (ruleAllows(rule, action)) return new Allowed(scope, name, binding, key)
      }
    }
    return undefined
  }

  function* rules(user: Identity, namespace: string) {
    for (const scope of namespace === '' ? [''] : ['', namespace]) {
      const subjects = bySubject.get(scope)
      if (!subjects || subjects.size === 0) continue
      for (const key of subjectKeysOf(user)) {
        for (const [name, binding] of subjects.get(key) ?? []) {
          for (const rule of rulesOf(scope, binding)) yield { rule, get source() { return sourceOf(scope, name, binding, key) } }
        }
      }
    }
  }

  return {
    name: 'RBAC',
    rules,
    setRole(namespace, name, rules) {
      if (rules) roles.set(`${namespace}/${name}`, rules)
      else roles.delete(`${namespace}/${name}`)
    },
    setBinding(namespace, name, binding) {
      const id = `${namespace}/${name}`
      let scope = bySubject.get(namespace)
      for (const key of bindings.get(id)?.keys ?? []) {
        scope?.get(key)?.delete(name)
        if (scope?.get(key)?.size === 0) scope.delete(key)
      }
      bindings.delete(id)
      if (!binding) return
      if (!scope) bySubject.set(namespace, (scope = new Map()))
      const keys = [...new Set((binding.subjects ?? []).map((subject) => subjectKey(subject, namespace)))]
      for (const key of keys) {
        let named = scope.get(key)
        if (!named) scope.set(key, (named = new Map()))
        named.set(name, binding)
      }
      bindings.set(id, { binding, keys })
    },
    authorize(user, action) {
      const keys = subjectKeysOf(user)
      const namespace = action.isResourceRequest ? action.namespace : ''
      return allowedIn('', keys, action) ?? (namespace === '' ? undefined : allowedIn(namespace, keys, action)) ?? no
    },
    rulesFor: (user, namespace) => [...rules(user, namespace)].map(({ rule }) => heldRule(rule)),
  }
}

/** A rule as `can-i --list` shows it. */
function heldRule(rule: Rule): HeldRule {
  if (rule.nonResourceURLs?.length) return { verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs }
  return {
    verbs: rule.verbs,
    apiGroups: rule.apiGroups ?? [],
    resources: rule.resources ?? [],
    ...(rule.resourceNames?.length ? { resourceNames: rule.resourceNames } : {}),
  }
}

const keysOf = new WeakMap<Identity, readonly string[]>()
/** An identity is the same object as long as its credential is valid, so its keys are computed once. */
function subjectKeysOf(user: Identity): readonly string[] {
  let keys = keysOf.get(user)
  if (!keys) keysOf.set(user, (keys = [`User ${user.name}`, ...user.groups.map((group) => `Group ${group}`)]))
  return keys
}

/** The index key of a subject. Service accounts are users; the default namespace is the binding's. */
function subjectKey(subject: rbac.Subject, namespace: string): string {
  return subject.kind === 'ServiceAccount' ? `User system:serviceaccount:${subject.namespace || namespace}:${subject.name}` : `${subject.kind} ${subject.name}`
}

function sourceOf(namespace: string, name: string, binding: Binding, key: string): string {
  const kind = namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding'
  const full = namespace === '' ? name : `${name}/${namespace}`
  const at = key.indexOf(' ')
  return `${kind} "${full}" of ${binding.roleRef.kind} "${binding.roleRef.name}" to ${key.slice(0, at)} "${key.slice(at + 1)}"`
}

const has = (list: readonly string[] | undefined, wanted: string): boolean => list !== undefined && (list.includes('*') || list.includes(wanted))

/** Whether one rule covers one action. */
export function ruleAllows(rule: Rule, action: Action): boolean {
  if (!has(rule.verbs, action.verb)) return false
  if (!action.isResourceRequest) return rule.nonResourceURLs?.some((url) => urlMatches(url, action.path)) ?? false
  return has(rule.apiGroups, action.group)
    && resourceMatches(rule.resources ?? [], action.resource, action.subresource)
    && (!rule.resourceNames?.length || rule.resourceNames.includes(action.name))
}

function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  const full = subresource ? `${resource}/${subresource}` : resource
  return resources.some((r) => r === '*' || r === full || (subresource !== '' && r === `*/${subresource}`))
}

/** Whether a non-resource URL matches; a trailing `*` matches any suffix. */
export const urlMatches = (pattern: string, path: string): boolean =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1).replace(/\*+$/, '')))
