/**
 * Nobody hands out rights that they do not have: a role's rules, and the rules of a role that is bound, must be covered by the
 * user's own, unless the user may `escalate` or `bind` that role.
 */
import { rbac } from '../../../api/index.ts'
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
    const action: Action = { isResourceRequest: true, path: '', verb, group, version: 'v1', namespace, resource, subresource: '', name }
    return (await authorizer.decide(a.context.user, action)).opinion === 'allow'
  }

  async function checkRules(a: AdmissionAttributes, rules: readonly rbac.PolicyRule[]): Promise<void> {
    const { rules: held } = authorizer.rulesFor(a.context.user, a.namespace)
    const missing = missingRules(rules, held)
    if (missing.length === 0) return
    const { name, groups } = a.context.user
    const list = wordsOf(missing).join('\n')
    throw refused(a, `user ${JSON.stringify(name)} (groups=${JSON.stringify(groups)}) is attempting to grant RBAC permissions not currently held:\n${list}`)
  }

  async function checkRole(a: AdmissionAttributes): Promise<void> {
    const role = a.object as unknown as Role
    const old = a.old as unknown as Role | undefined
    const same = old && deepEqual(old.rules, role.rules) && deepEqual(old.aggregationRule, role.aggregationRule)
    if (same || (await may(a, 'escalate', a.namespace, a.resource.plural, a.name || (a.object?.metadata.name ?? '')))) return
    if (role.aggregationRule && !deepEqual(old?.aggregationRule, role.aggregationRule)) await checkRules(a, everything)
    await checkRules(a, role.rules ?? [])
  }

  async function checkBinding(a: AdmissionAttributes): Promise<void> {
    const binding = a.object as unknown as rbac.RoleBinding
    const old = a.old as unknown as rbac.RoleBinding | undefined
    if (old && deepEqual(old.subjects, binding.subjects) && deepEqual(old.roleRef, binding.roleRef)) return
    const cluster = binding.roleRef.kind === 'ClusterRole'
    if (await may(a, 'bind', a.namespace, cluster ? 'clusterroles' : 'roles', binding.roleRef.name)) return
    const role = cluster ? clusterRoles.get('', binding.roleRef.name) : roles.get(a.namespace, binding.roleRef.name)
    if (!role) throw refused(a, `${cluster ? 'clusterroles' : 'roles'}.${group} ${JSON.stringify(binding.roleRef.name)} not found`)
    await checkRules(a, role.rules ?? [])
  }

  return {
    name: 'RoleEscalation',
    handles: (a) => a.resource.group === group && (a.operation === 'CREATE' || a.operation === 'UPDATE') && !a.context.user.groups.includes('system:masters'),
    validate: (a) => (a.resource.plural.endsWith('bindings') ? checkBinding(a) : checkRole(a)),
  }
}

const everything: readonly rbac.PolicyRule[] = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }]
