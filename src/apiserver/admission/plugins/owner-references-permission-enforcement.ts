/**
 * An owner reference makes the garbage collector act: whoever changes those of an object that is there must be allowed to delete it, and whoever makes an owner
 * wait for it (`blockOwnerDeletion`) to set finalizers of the owner. Off by default.
 */
import type { meta } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Action, Authorizer } from '../../authz/authorizer.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

const ownersOf = (object: AdmissionAttributes['object']): readonly meta.OwnerReference[] => object?.metadata.ownerReferences ?? []

export function ownerReferencesPermissionEnforcement(env: Pick<ServerEnvironment, 'resources'>, authorizer: Authorizer): AdmissionPlugin {
  const may = async (a: AdmissionAttributes, action: Pick<Action, 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'namespace' | 'name'>, why: string) => {
    const { opinion, reason } = await authorizer.decide(a.context.user, { isResourceRequest: true, path: '', ...action })
    if (opinion !== 'allow') throw refused(a, `${why}: ${reason}, <nil>`)
  }
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: (a) => (a.operation === 'CREATE' || a.operation === 'UPDATE') && a.object !== undefined && !(a.resource.groupResource === 'pods' && a.subresource !== '')
      && !deepEqual(ownersOf(a.object), ownersOf(a.old)),
    async validate(a) {
      const { group, version, plural } = a.resource
      // Whoever makes an object could as well not have made it.
      if (a.operation !== 'CREATE') await may(a, { verb: 'delete', group, version, resource: plural, subresource: a.subresource, namespace: a.namespace, name: a.name }, 'cannot set an ownerRef on a resource you can\'t delete')
      const before = new Set(ownersOf(a.old).flatMap(({ uid, blockOwnerDeletion }) => (blockOwnerDeletion ? [uid] : [])))
      for (const owner of ownersOf(a.object)) {
        if (!owner.blockOwnerDeletion || before.has(owner.uid)) continue
        const of = env.resources().find((r) => r.apiVersion === owner.apiVersion && r.kind === owner.kind)
        if (!of) throw refused(a, `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`)
        await may(a, { verb: 'update', group: of.group, version: of.version, resource: of.plural, subresource: 'finalizers', namespace: of.namespaced ? a.namespace : '', name: owner.name },
          'cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set finalizers on')
      }
    },
  }
}
