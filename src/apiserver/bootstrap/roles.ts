/** Default roles and bindings: created when missing, and given what a newer release adds to them, unless somebody opted out. */
import { rbac, type In } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import { ensure } from './ensure.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles, type RoleData, type BindingData } from './policy.ts'

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate'
const annotations = { [autoUpdate]: 'true' }

/** Writes all default roles and bindings. Needs the system namespaces. */
export async function ensureRoles(client: Client): Promise<void> {
  await Promise.all([
    ...clusterRoles.map((data) => ensure(client, rbac.clusterroles, data, { ...meta(data), rules: rulesOf(data), ...(data.aggregate ? { aggregationRule: aggregationOf(data.aggregate) } : {}) }, mendRules(data))),
    ...roles.map((data) => ensure(client, rbac.roles, data, { ...meta(data), rules: data.rules }, mendRules(data))),
    ...clusterRoleBindings.map((data) => ensure(client, rbac.clusterrolebindings, data, bindingOf(data), mendSubjects(data))),
    ...roleBindings.map((data) => ensure(client, rbac.rolebindings, data, bindingOf(data), mendSubjects(data))),
  ])
}

const meta = (data: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> }) => ({
  metadata: { name: data.name, ...(data.namespace ? { namespace: data.namespace } : {}), labels: { ...labels, ...data.labels }, annotations },
})

const aggregationOf = (keys: readonly string[]) => ({ clusterRoleSelectors: keys.map((key) => ({ matchLabels: { [key]: 'true' } })) })

/** An aggregated role starts with what it will be given, so that it is right from the first request on. */
function rulesOf(data: RoleData): RoleData['rules'] {
  if (!data.aggregate) return data.rules
  const chosen = clusterRoles.filter((role) => data.aggregate?.some((label) => role.labels?.[label] === 'true')).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return [...new Map(chosen.flatMap(rulesOf).map((rule) => [JSON.stringify(rule), rule])).values()]
}

const bindingOf = (data: BindingData): In<typeof rbac.ClusterRoleBinding> => ({
  ...meta(data),
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: data.roleKind ?? 'ClusterRole', name: data.role },
  subjects: data.subjects,
})

const optedOut = (object: ApiObject): boolean => object.metadata.annotations?.[autoUpdate] === 'false'

/** Adds the default rules that are missing word for word; what an administrator added stays. Aggregated roles are filled by their controller. */
function mendRules(data: RoleData) {
  return <T extends rbac.Role>(current: T): T => {
    if (optedOut(current) || data.aggregate) return current
    const known = new Set((current.rules ?? []).map((rule) => JSON.stringify(normal(rule))))
    const missing = data.rules.filter((rule) => !known.has(JSON.stringify(normal(rule))))
    return missing.length === 0 ? current : { ...current, rules: [...(current.rules ?? []), ...missing] }
  }
}

const normal = (rule: Partial<rbac.PolicyRule>) =>
  [rule.verbs, rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs].map((list) => [...(list ?? [])].toSorted())

function mendSubjects(data: BindingData) {
  return <T extends rbac.RoleBinding>(current: T): T => {
    if (optedOut(current)) return current
    const id = (s: Partial<rbac.Subject>) => `${s.kind}/${s.namespace ?? ''}/${s.name}`
    const known = new Set((current.subjects ?? []).map(id))
    const missing = data.subjects.filter((s) => !known.has(id(s)))
    return missing.length === 0 ? current : { ...current, subjects: [...(current.subjects ?? []), ...missing] }
  }
}
