/** Keeps an RBAC index in step with the watch cache: only what changed since the last check is reindexed. */
import type { rbac } from '../../api/index.ts'
import { keepDerived, type Followed } from '../cache/derived.ts'
import type { AuthorizationMode } from './authorizer.ts'
import { createRbacIndex, type RbacIndex } from './rbac.ts'

export interface RbacSources {
  readonly roles: Followed<rbac.Role>
  readonly clusterRoles: Followed<rbac.ClusterRole>
  readonly roleBindings: Followed<rbac.RoleBinding>
  readonly clusterRoleBindings: Followed<rbac.ClusterRoleBinding>
}

/** The RBAC mode over live objects: a role or binding takes effect before its write is answered. */
export function createRbacMode(sources: RbacSources): AuthorizationMode & Pick<RbacIndex, 'rules'> {
  const index = createRbacIndex()
  const role = (namespace: string, name: string, object: rbac.Role | undefined) => index.setRole(namespace, name, object?.rules ?? undefined)
  const bringRoles = keepDerived(sources.roles, role)
  const bringClusterRoles = keepDerived(sources.clusterRoles, role)
  const bringRoleBindings = keepDerived(sources.roleBindings, index.setBinding)
  const bringClusterRoleBindings = keepDerived(sources.clusterRoleBindings, index.setBinding)
  const current = (): RbacIndex => {
    bringRoles()
    bringClusterRoles()
    bringRoleBindings()
    bringClusterRoleBindings()
    return index
  }
  return {
    name: 'RBAC',
    authorize: (user, action) => current().authorize(user, action),
    rules: (user, namespace) => current().rules(user, namespace),
    rulesFor: (user, namespace) => current().rulesFor?.(user, namespace),
  }
}
