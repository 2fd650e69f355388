/** For whom a node may ask tokens of its pods: for those that the pod's volumes name. A stolen node must not speak for pods to anybody else. */
import { core, storage } from '../../api/index.ts'
import { forbidden } from '../../machinery/errors.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment } from '../options.ts'

export interface AudienceRequest {
  readonly user: Identity
  readonly namespace: string
  readonly account: string
  /** The pod that the token is to be bound to; undefined for the node's own. */
  readonly pod: core.Pod | undefined
  readonly audiences: readonly string[]
}

/** Throws 403 unless the pod names the audience, one of its CSI drivers does, or the node was given `request-serviceaccounts-token-audience` for it. */
export type CheckAudiences = (request: AudienceRequest) => Promise<void>

export function createAudienceCheck(env: Pick<ServerEnvironment, 'lister'>, authorizer: Pick<Authorizer, 'decide'>): CheckAudiences {
  const drivers = env.lister(storage.csidrivers)
  const claims = env.lister(core.persistentvolumeclaims)
  const disks = env.lister(core.persistentvolumes)

  function* driversOf(pod: core.Pod): Iterable<string> {
    const namespace = pod.metadata.namespace ?? ''
    for (const volume of pod.spec.volumes ?? []) {
      if (volume.csi) yield volume.csi.driver
      const claim = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined)
      const disk = claim === undefined ? undefined : disks.get('', claims.get(namespace, claim)?.spec.volumeName ?? '')
      if (disk?.spec.csi) yield disk.spec.csi.driver
    }
  }
  const named = (pod: core.Pod, audience: string): boolean =>
    (pod.spec.volumes ?? []).some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken && (source.serviceAccountToken.audience ?? '') === audience))
    || [...driversOf(pod)].some((driver) => drivers.get('', driver)?.spec.tokenRequests?.some((request) => request.audience === audience))

  return async ({ user, namespace, account, pod, audiences }) => {
    const refuse = (why: string) => forbidden({ group: '', plural: 'serviceaccounts' }, account, why)
    if (audiences.length > 1) throw refuse('node may only request 0 or 1 audiences')
    // Without an audience the token is for this server: the pod has to mount such a one.
    const [audience = ''] = audiences
    if (pod ? named(pod, audience) : audience === '') return
    const { opinion } = await authorizer.decide(user, { isResourceRequest: true, path: '', verb: 'request-serviceaccounts-token-audience', group: '', version: 'v1', namespace, resource: audience, subresource: '', name: account })
    if (opinion !== 'allow') throw refuse(`audience ${JSON.stringify(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`)
  }
}
