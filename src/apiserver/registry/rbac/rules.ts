/** What roles and bindings of both scopes have in common. */
import type { rbac } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Subdomain, pathSegmentName } from '../../../machinery/names.ts'
import { forEach, unchanged } from '../checks.ts'
import { ageColumn, nameColumn, printer, text, wide } from '../printing.ts'

const group = 'rbac.authorization.k8s.io'

/** Names of roles and bindings may hold colons and capitals: anything that can stand in a path. */
export const validateName = (name: string): readonly string[] => pathSegmentName(name)

/** Validates the rules of a role. `namespaced`: of a Role, which cannot hold non-resource URLs. */
export function ruleErrors(rules: readonly rbac.PolicyRule[] | null, namespaced: boolean, root: Place): void {
  forEach(root.at('rules'), rules ?? undefined, (rule, at) => oneRule(rule, at, namespaced))
}

function oneRule(rule: rbac.PolicyRule, at: Place, namespaced: boolean): void {
  if (rule.verbs.length === 0) at.at('verbs').required('verbs must contain at least one value')
  if (rule.nonResourceURLs?.length) {
    if (namespaced) at.at('nonResourceURLs').invalid(rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs')
    if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
      at.at('nonResourceURLs').invalid(rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs')
    }
    return
  }
  if (!rule.apiGroups?.length) at.at('apiGroups').required('resource rules must supply at least one api group')
  if (!rule.resources?.length) at.at('resources').required('resource rules must supply at least one resource')
}

/** Users and groups are of the RBAC group, service accounts of none, unless it is said. */
export function withGroups<T extends rbac.RoleBinding>(binding: T): T {
  const missing = binding.subjects?.some((s) => !s.apiGroup && s.kind !== 'ServiceAccount') ?? false
  if (!missing && binding.roleRef.apiGroup) return binding
  return {
    ...binding,
    ...(binding.subjects ? { subjects: binding.subjects.map((s) => (s.apiGroup || s.kind === 'ServiceAccount' ? s : { ...s, apiGroup: group })) } : {}),
    roleRef: { ...binding.roleRef, apiGroup: binding.roleRef.apiGroup || group },
  }
}

/** Validates a binding. `namespaced`: a RoleBinding, which may refer to a Role. */
export function bindingErrors(binding: rbac.RoleBinding, namespaced: boolean, root: Place): void {
  const ref = root.at('roleRef')
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (binding.roleRef.apiGroup !== group) ref.at('apiGroup').notSupported(binding.roleRef.apiGroup, [group])
  if (!kinds.includes(binding.roleRef.kind)) ref.at('kind').notSupported(binding.roleRef.kind, kinds)
  if (binding.roleRef.name === '') ref.at('name').required()
  else for (const problem of pathSegmentName(binding.roleRef.name)) ref.at('name').invalid(binding.roleRef.name, problem)
  forEach(root.at('subjects'), binding.subjects, (subject, at) => subjectErrors(subject, at, namespaced))
}

/** An account of no namespace is of the binding's own, if that has one. */
function subjectErrors(subject: rbac.Subject, at: Place, namespaced: boolean): void {
  if (subject.name === '') at.at('name').required()
  if (subject.kind === 'ServiceAccount') {
    if (subject.name) for (const problem of dns1123Subdomain(subject.name)) at.at('name').invalid(subject.name, problem)
    if (subject.apiGroup) at.at('apiGroup').notSupported(subject.apiGroup, [''])
    if (!namespaced && !subject.namespace) at.at('namespace').required()
  } else if (subject.kind === 'User' || subject.kind === 'Group') {
    if (subject.apiGroup !== group) at.at('apiGroup').notSupported(subject.apiGroup, [group])
  } else {
    at.at('kind').notSupported(subject.kind, ['ServiceAccount', 'User', 'Group'])
  }
}

/** What a binding binds to cannot be changed: who may edit a binding must not hand out another role. */
export const sameRole = (next: rbac.RoleBinding, current: rbac.RoleBinding, root: Place): void => unchanged(root.at('roleRef'), next.roleRef, current.roleRef, 'cannot change roleRef')

const named = (kind: string) => (binding: rbac.RoleBinding): string =>
  (binding.subjects ?? []).filter((s) => s.kind === kind).map((s) => (kind === 'ServiceAccount' ? `${s.namespace ?? ''}/${s.name}` : s.name)).join(', ')

export const bindingPrinter = printer<rbac.RoleBinding>(
  nameColumn,
  text('Role', 'The role that is handed out.', (o) => `${o.roleRef.kind}/${o.roleRef.name}`),
  ageColumn,
  wide(text('Users', 'Users who have the role.', named('User'))),
  wide(text('Groups', 'Groups whose members have the role.', named('Group'))),
  wide(text('ServiceAccounts', 'Service accounts that have the role.', named('ServiceAccount'))),
)
