/** What roles and bindings of both scopes have in common. */
import type { rbac } from '../../../api/index.ts'
import { path, type FieldError, type Path } from '../../../machinery/field.ts'
import { dns1123Subdomain, pathSegmentName } from '../../../machinery/names.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { ageColumn, nameColumn, printer, text, wide } from '../printing.ts'

const group = 'rbac.authorization.k8s.io'

/** Names of roles and bindings may hold colons and capitals: anything that can stand in a path. */
export const validateName = (name: string): readonly string[] => pathSegmentName(name)

export function ruleErrors(rules: readonly rbac.PolicyRule[] | null, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, i) => oneRule(rule, path('rules').index(i), namespaced))
}

function oneRule(rule: rbac.PolicyRule, at: Path, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (rule.verbs.length === 0) errors.push(at.at('verbs').required('verbs must contain at least one value'))
  if (rule.nonResourceURLs?.length) {
    if (namespaced) errors.push(at.at('nonResourceURLs').invalid(rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
      errors.push(at.at('nonResourceURLs').invalid(rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'))
    }
    return errors
  }
  if (!rule.apiGroups?.length) errors.push(at.at('apiGroups').required('resource rules must supply at least one api group'))
  if (!rule.resources?.length) errors.push(at.at('resources').required('resource rules must supply at least one resource'))
  return errors
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

export function bindingErrors(binding: rbac.RoleBinding, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = []
  const ref = path('roleRef')
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (binding.roleRef.apiGroup !== group) errors.push(ref.at('apiGroup').notSupported(binding.roleRef.apiGroup, [group]))
  if (!kinds.includes(binding.roleRef.kind)) errors.push(ref.at('kind').notSupported(binding.roleRef.kind, kinds))
  if (binding.roleRef.name === '') errors.push(ref.at('name').required())
  else for (const problem of pathSegmentName(binding.roleRef.name)) errors.push(ref.at('name').invalid(binding.roleRef.name, problem))
  return [...errors, ...(binding.subjects ?? []).flatMap((subject, i) => subjectErrors(subject, path('subjects').index(i), namespaced))]
}

/** An account of no namespace is of the binding's own, if that has one. */
function subjectErrors(subject: rbac.Subject, at: Path, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (subject.name === '') errors.push(at.at('name').required())
  if (subject.kind === 'ServiceAccount') {
    if (subject.name) for (const problem of dns1123Subdomain(subject.name)) errors.push(at.at('name').invalid(subject.name, problem))
    if (subject.apiGroup) errors.push(at.at('apiGroup').notSupported(subject.apiGroup, ['']))
    if (!namespaced && !subject.namespace) errors.push(at.at('namespace').required())
  } else if (subject.kind === 'User' || subject.kind === 'Group') {
    if (subject.apiGroup !== group) errors.push(at.at('apiGroup').notSupported(subject.apiGroup, [group]))
  } else {
    errors.push(at.at('kind').notSupported(subject.kind, ['ServiceAccount', 'User', 'Group']))
  }
  return errors
}

/** What a binding binds to cannot be changed: who may edit a binding must not hand out another role. */
export const sameRole = (next: rbac.RoleBinding, current: rbac.RoleBinding): FieldError[] =>
  (deepEqual(next.roleRef, current.roleRef) ? [] : [path('roleRef').invalid(next.roleRef, 'cannot change roleRef')])

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
