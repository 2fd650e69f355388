/**
 * Nobody hands out rights that they do not have: a role's rules, and the rules of a role that is bound, must be covered by the
 * user's own, unless the user may `escalate` or `bind` that role.
 */
import { rbac } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { notFound } from '../../../machinery/errors.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Action, Authorizer } from '../../authz/authorizer.ts'
import { missingRules, wordsOf } from '../../authz/covers.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

const group = 'rbac.authorization.k8s.io'
type Role = Pick<rbac.ClusterRole, 'rules' | 'aggregationRule'>

export function roleEscalation(env: Pick<ServerEnvironment, 'lister'>, authorizer: Authorizer): AdmissionPlugin {
  const roles = env.lister(rbac.roles)
  const clusterRoles = env.lister(rbac.clusterroles)
  const may = async (a: AdmissionAttributes, verb: string, namespace: string, resource: string, name: string) => {
    const action: Action = { isResourceRequest: true, path: '', verb, group, version: '*', namespace, resource, subresource: '', name }
    return (await authorizer.decide(a.context.user, action)).opinion === 'allow'
  }

  const lacks = (a: AdmissionAttributes, rules: readonly rbac.PolicyRule[]) => missingRules(rules, authorizer.rulesFor(a.context.user, a.namespace).rules)

  async function checkRules(a: AdmissionAttributes, rules: readonly rbac.PolicyRule[]): Promise<void> {
    const missing = lacks(a, rules)
    if (missing.length === 0) return
    const { name, groups } = a.context.user
    const list = wordsOf(missing).join('\n')
    throw refused(a, `user ${JSON.stringify(name)} (groups=[${groups.map((group) => JSON.stringify(group)).join(' ')}]) is attempting to grant RBAC permissions not currently held:\n${list}`)
  }

  async function checkRole(a: AdmissionAttributes): Promise<void> {
    const role = a.object as unknown as Role
    const old = a.old as unknown as Role | undefined
    // A label alone may add the role's rules to another one's, so whatever is changed takes the right to them.
    if (old && onlyForCollection(a)) return
    if (await may(a, 'escalate', a.namespace, a.resource.plural, a.context.verb === 'create' ? '' : a.name)) return
    await checkRules(a, role.rules ?? [])
    if ((gathers(role) || gathers(old)) && lacks(a, everything).length > 0) throw refused(a, 'must have cluster-admin privileges to use the aggregationRule')
  }

  async function checkBinding(a: AdmissionAttributes): Promise<void> {
    const binding = a.object as unknown as rbac.RoleBinding
    if (a.old && onlyForCollection(a)) return
    const cluster = binding.roleRef.kind === 'ClusterRole'
    if (await may(a, 'bind', a.namespace, cluster ? 'clusterroles' : 'roles', binding.roleRef.name)) return
    const role = cluster ? clusterRoles.get('', binding.roleRef.name) : roles.get(a.namespace, binding.roleRef.name)
    if (!role) throw notFound(cluster ? rbac.clusterroles : rbac.roles, binding.roleRef.name)
    await checkRules(a, role.rules ?? [])
  }

  return {
    name: 'RoleEscalation',
    handles: (a) => a.resource.group === group && (a.operation === 'CREATE' || a.operation === 'UPDATE') && !a.context.user.groups.includes('system:masters'),
    validate: (a) => (a.resource.plural.endsWith('bindings') ? checkBinding(a) : checkRole(a)),
  }
}

const everything: readonly rbac.PolicyRule[] = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }]

const gathers = (role: Role | undefined): boolean => (role?.aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0

/** What a change leaves alone when it only lets the garbage collector do its work. */
function lasting(object: ApiObject | undefined): object {
  const { metadata: { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, resourceVersion: _revision, ...metadata } = {}, ...rest } = object ?? {}
  return { ...rest, metadata }
}

const onlyForCollection = ({ object, old }: AdmissionAttributes): boolean => deepEqual(lasting(object), lasting(old))
