/**
 * RBAC: roles are sets of rules, bindings hand them to subjects. Bindings are indexed by subject, so that a check looks
 * only at those that name the user or one of the user's groups, however many others there are.
 */
import type { rbac } from '../../api/index.ts'
import type { Identity } from '../identity.ts'
import type { Action, AuthorizationMode, Decision, HeldRule } from './authorizer.ts'

type Rule = rbac.PolicyRule
type Binding = Pick<rbac.RoleBinding, 'metadata' | 'subjects' | 'roleRef'>

/** The part of the cluster's state that RBAC decides by. It is written from the watch cache, see `rbac-source.ts`. */
export interface RbacIndex extends AuthorizationMode {
  setRole(namespace: string, name: string, rules: readonly Rule[] | undefined): void
  setBinding(namespace: string, name: string, binding: Binding | undefined): void
  /** Every rule that applies to the user in the namespace ('' for cluster scope only), each with the binding it comes from. */
  rules(user: Identity, namespace: string): Iterable<{ readonly rule: Rule; readonly source: string }>
  authorize(user: Identity, action: Action): Decision
}

const no: Decision = { opinion: 'none', reason: '' }

/** An empty index: it allows nothing until roles and bindings are set. Namespace '' holds cluster roles and cluster role bindings. */
export function createRbacIndex(): RbacIndex {
  const roles = new Map<string, readonly Rule[]>()
  const bindings = new Map<string, { readonly binding: Binding; readonly keys: readonly string[] }>()
  /** namespace → subject → bindings by name. */
  const bySubject = new Map<string, Map<string, Map<string, Binding>>>()

  function* rules(user: Identity, namespace: string) {
    for (const scope of namespace === '' ? [''] : ['', namespace]) {
      const subjects = bySubject.get(scope)
      if (!subjects || subjects.size === 0) continue
      for (const key of subjectKeysOf(user)) {
        for (const [name, binding] of subjects.get(key) ?? []) {
          const role = roles.get(binding.roleRef.kind === 'ClusterRole' ? `/${binding.roleRef.name}` : `${scope}/${binding.roleRef.name}`)
          for (const rule of role ?? []) yield { rule, get source() { return sourceOf(scope, name, binding, key) } }
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
      const keys = [...new Set((binding.subjects ?? []).map((subject) => subjectKey(subject)))]
      for (const key of keys) {
        let named = scope.get(key)
        if (!named) scope.set(key, (named = new Map()))
        named.set(name, binding)
      }
      bindings.set(id, { binding, keys })
    },
    authorize(user, action) {
      // Where a rule comes from is worded only for the one that allows.
      for (const held of rules(user, action.isResourceRequest ? action.namespace : '')) {
        if (ruleAllows(held.rule, action)) return { opinion: 'allow', reason: `RBAC: allowed by ${held.source}` }
      }
      return no
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

function* subjectKeysOf(user: Identity): Iterable<string> {
  yield `User ${user.name}`
  for (const group of user.groups) yield `Group ${group}`
}

/** Service accounts are users with a name of their own form. */
function subjectKey(subject: rbac.Subject): string {
  return subject.kind === 'ServiceAccount' ? `User system:serviceaccount:${subject.namespace ?? ''}:${subject.name}` : `${subject.kind} ${subject.name}`
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

/** A trailing star stands for any ending. */
export const urlMatches = (pattern: string, path: string): boolean =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1).replace(/\*+$/, '')))
