/** Default roles and bindings: created when missing, and given what a newer release adds to them, unless somebody opted out. */
import { rbac, type In, type Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import type { Logger } from '../../machinery/log.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { missingRules } from '../authz/covers.ts'
import { ensure } from './ensure.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles, type RoleData, type BindingData } from './policy.ts'

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate'
const annotations = { [autoUpdate]: 'true' }

/** Writes all default roles and bindings; whether all could be written. Needs the system namespaces. What cannot be written is logged, and keeps nobody from starting. */
export async function ensureRoles(client: Client, log: Logger): Promise<boolean> {
  const named = (kind: string, data: { readonly name: string; readonly namespace?: string }, done: Promise<unknown>) =>
    done.then(() => true, (error: unknown) => {
      log.error({ kind, name: data.name, namespace: data.namespace, error: String(error) }, 'a default role or binding could not be brought up to date')
      return false
    })
  const written = await Promise.all([
    ...clusterRoles.map((data) => named('ClusterRole', data, ensure(client, rbac.clusterroles, data, { ...meta(data), rules: rulesOf(data), ...(data.aggregate ? { aggregationRule: aggregationOf(data.aggregate) } : {}) }, mendClusterRole(data)))),
    ...roles.map((data) => named('Role', data, ensure(client, rbac.roles, data, { ...meta(data), rules: data.rules }, mendRole(data)))),
    ...clusterRoleBindings.map((data) => named('ClusterRoleBinding', data, ensureBinding(client, rbac.clusterrolebindings, data))),
    ...roleBindings.map((data) => named('RoleBinding', data, ensureBinding(client, rbac.rolebindings, data))),
  ])
  return written.every(Boolean)
}

/** What a binding is for cannot be changed: one that is for something else is made anew. */
async function ensureBinding<O extends rbac.RoleBinding>(client: Client, resource: Resource<O, In<typeof rbac.ClusterRoleBinding>>, data: BindingData): Promise<void> {
  const wanted = bindingOf(data)
  const options = data.namespace ? { namespace: data.namespace } : {}
  const { roleRef, metadata } = await ensure(client, resource, data, wanted, mendBinding(data))
  if (isFor(roleRef, data) || optedOut({ metadata })) return
  await client.delete(resource, data.name, { ...options, preconditions: { uid: metadata.uid ?? '' } })
  await ensure(client, resource, data, wanted)
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

const optedOut = (object: Pick<ApiObject, 'metadata'>): boolean => object.metadata.annotations?.[autoUpdate] === 'false'

/** The object with the default labels and annotations that it has none of; the same one if there are none. */
function mendMeta<T extends ApiObject>(current: T, data: Parameters<typeof meta>[0]): T {
  const wanted = meta(data).metadata
  const lacks = (have: Readonly<Record<string, string>> | undefined, want: Readonly<Record<string, string>>) => Object.keys(want).some((key) => have?.[key] === undefined)
  if (!lacks(current.metadata.labels, wanted.labels) && !lacks(current.metadata.annotations, wanted.annotations)) return current
  return { ...current, metadata: { ...current.metadata, labels: { ...wanted.labels, ...current.metadata.labels }, annotations: { ...wanted.annotations, ...current.metadata.annotations } } }
}

/** Adds the default rules that the role does not cover; what an administrator added stays. Aggregated roles are filled by their controller. */
function mendRole(data: RoleData) {
  return <T extends rbac.Role>(current: T): T => {
    if (optedOut(current)) return current
    const next = mendMeta(current, data)
    const held = (current.rules ?? []) as readonly rbac.PolicyRule[]
    const missing = data.rules.filter((rule) => missingRules([rule], held).length > 0)
    return missing.length === 0 ? next : { ...next, rules: [...held, ...missing] }
  }
}

/** The same for cluster roles; those that are aggregated get back what they select by, and the others select nothing. */
function mendClusterRole(data: RoleData) {
  return (current: rbac.ClusterRole): rbac.ClusterRole => {
    const next = mendRole(data)(current)
    if (optedOut(current)) return current
    if (!data.aggregate) return current.aggregationRule ? { ...next, aggregationRule: undefined } : next
    const selectors = current.aggregationRule?.clusterRoleSelectors ?? []
    const missing = aggregationOf(data.aggregate).clusterRoleSelectors.filter((wanted) => !selectors.some((selector) => deepEqual(selector, wanted)))
    return missing.length === 0 ? next : { ...next, aggregationRule: { ...current.aggregationRule, clusterRoleSelectors: [...selectors, ...missing] } }
  }
}

const isFor = ({ kind, name }: rbac.RoleRef, { role, roleKind = 'ClusterRole' }: BindingData): boolean => kind === roleKind && name === role

/** Adds the subjects that are missing, unless the binding is for another role: that is not theirs. */
function mendBinding(data: BindingData) {
  return <T extends rbac.RoleBinding>(current: T): T => {
    if (optedOut(current) || !isFor(current.roleRef, data)) return current
    const next = mendMeta(current, data)
    const id = (s: Partial<rbac.Subject>) => `${s.kind}/${s.namespace ?? ''}/${s.name}`
    const known = new Set((current.subjects ?? []).map(id))
    const missing = data.subjects.filter((s) => !known.has(id(s)))
    return missing.length === 0 ? next : { ...next, subjects: [...(current.subjects ?? []), ...missing] }
  }
}
