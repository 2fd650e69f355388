/** Keeps an RBAC index equal to the watch cache: only what changed since the last check is indexed anew. */
import type { rbac } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { AuthorizationMode } from './authorizer.ts'
import { createRbacIndex, type RbacIndex } from './rbac.ts'

/** The part of `Lister` that is needed. */
interface Source<T> { list(): readonly T[]; revision(): number }

export interface RbacSources {
  readonly roles: Source<rbac.Role>
  readonly clusterRoles: Source<rbac.ClusterRole>
  readonly roleBindings: Source<rbac.RoleBinding>
  readonly clusterRoleBindings: Source<rbac.ClusterRoleBinding>
}

/** The RBAC mode over live objects: a role or binding counts from the moment its write is answered. */
export function createRbacMode(sources: RbacSources): AuthorizationMode & Pick<RbacIndex, 'rules'> {
  const index = createRbacIndex()
  const role = (namespace: string, name: string, object: rbac.Role | undefined) => index.setRole(namespace, name, object?.rules ?? undefined)
  const followers = [
    follower(sources.roles, role),
    follower(sources.clusterRoles, role),
    follower(sources.roleBindings, index.setBinding),
    follower(sources.clusterRoleBindings, index.setBinding),
  ]
  const current = (): RbacIndex => {
    for (const follow of followers) follow()
    return index
  }
  return {
    name: 'RBAC',
    authorize: (user, action) => current().authorize(user, action),
    rules: (user, namespace) => current().rules(user, namespace),
    rulesFor: (user, namespace) => current().rulesFor?.(user, namespace),
  }
}

/** Calls `set` for what differs from the last call; does nothing while the source's revision stands still. */
function follower<T extends ApiObject>(source: Source<T>, set: (namespace: string, name: string, object: T | undefined) => void): () => void {
  let revision = -1
  let known = new Map<string, T>()
  return () => {
    const now = source.revision()
    if (now === revision) return
    revision = now
    const next = new Map<string, T>()
    for (const object of source.list()) {
      const { namespace = '', name = '' } = object.metadata
      const key = `${namespace}/${name}`
      next.set(key, object)
      if (known.get(key) !== object) set(namespace, name, object)
    }
    for (const [key, object] of known) if (!next.has(key)) set(object.metadata.namespace ?? '', object.metadata.name ?? '', undefined)
    known = next
  }
}
