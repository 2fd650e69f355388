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
  /** The pod that the token is to be bound to. */
  readonly pod: core.Pod
  /** As they were asked for; none stands for this server's own, as a volume without an audience does. */
  readonly audiences: readonly string[]
}

/** Throws 403 unless the pod names the audience, one of its CSI drivers does, or the node was given `request-serviceaccounts-token-audience` for it. */
export type CheckAudiences = (request: AudienceRequest) => Promise<void>

/** The CSI drivers that serve volumes of the kinds from before CSI. */
const successors = {
  awsElasticBlockStore: 'ebs.csi.aws.com',
  azureDisk: 'disk.csi.azure.com',
  azureFile: 'file.csi.azure.com',
  cinder: 'cinder.csi.openstack.org',
  gcePersistentDisk: 'pd.csi.storage.gke.io',
  portworxVolume: 'pxd.portworx.com',
  vsphereVolume: 'csi.vsphere.vmware.com',
} as const

const successorOf = (volume: object): string | undefined => Object.entries(successors).find(([kind]) => Object.hasOwn(volume, kind))?.[1]

export function createAudienceCheck(env: Pick<ServerEnvironment, 'lister'>, authorizer: Pick<Authorizer, 'decide'>): CheckAudiences {
  const drivers = env.lister(storage.csidrivers)
  const claims = env.lister(core.persistentvolumeclaims)
  const disks = env.lister(core.persistentvolumes)

  const missing = (what: string, name: string): Error => new Error(`${what} ${JSON.stringify(name)} not found`)
  function driverOfClaim(namespace: string, name: string): string | undefined {
    const claim = claims.get(namespace, name)
    if (!claim) throw missing('persistentvolumeclaim', name)
    const { volumeName = '' } = claim.spec
    const disk = disks.get('', volumeName)
    if (!disk) throw missing('persistentvolume', volumeName)
    return disk.spec.csi?.driver ?? successorOf(disk.spec)
  }
  function driverOf(pod: core.Pod, volume: core.Volume): string | undefined {
    const { namespace = '', name } = pod.metadata
    if (volume.ephemeral?.volumeClaimTemplate) return driverOfClaim(namespace, `${name}-${volume.name}`)
    if (volume.persistentVolumeClaim) return driverOfClaim(namespace, volume.persistentVolumeClaim.claimName)
    return volume.csi?.driver ?? successorOf(volume)
  }
  function driverNames(driver: string, audience: string): boolean {
    const found = drivers.get('', driver)
    if (!found) throw missing('csidriver.storage.k8s.io', driver)
    return found.spec.tokenRequests?.some((request) => request.audience === audience) ?? false
  }
  /** Throws what could not be found out, when nothing names the audience. */
  function named(pod: core.Pod, audience: string): boolean {
    const problems = new Set<string>()
    for (const volume of pod.spec.volumes ?? []) {
      if (volume.projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken && (serviceAccountToken.audience ?? '') === audience)) return true
      try {
        const driver = driverOf(pod, volume)
        if (driver && driverNames(driver, audience)) return true
      } catch (error) {
        problems.add((error as Error).message)
      }
    }
    const list = [...problems].join(', ')
    if (problems.size > 0) throw new Error(problems.size === 1 ? list : `[${list}]`)
    return false
  }

  return async ({ user, namespace, account, pod, audiences }) => {
    const refuse = (why: string) => forbidden({ group: '', plural: 'serviceaccounts' }, account, why)
    if (audiences.length > 1) throw refuse('node may only request 0 or 1 audiences')
    const [audience = ''] = audiences
    const shown = JSON.stringify(audience)
    try {
      if (named(pod, audience)) return
    } catch (error) {
      throw refuse(`error validating audience ${shown}: ${(error as Error).message}`)
    }
    const { opinion } = await authorizer.decide(user, { isResourceRequest: true, path: '', verb: 'request-serviceaccounts-token-audience', group: '', version: 'v1', namespace, resource: audience, subresource: '', name: account })
    if (opinion !== 'allow') throw refuse(`audience ${shown} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`)
  }
}
