import type { core } from '../../api/index.ts'
import { isControlledBy, keyOf } from '../../machinery/meta.ts'
import { bound, choose, mountedClaims, reaches, waits } from '../claims.ts'
import type { MountedClaim } from '../claims.ts'
import { refuseForGood } from '../plugin.ts'
import type { Cluster, Filter, Plugin, Refusal } from '../plugin.ts'

const name = 'VolumeBinding'

interface Found extends MountedClaim { readonly claim: core.PersistentVolumeClaim | undefined }

/** What is wrong with one claim, whatever the node. A claim that has an ephemeral volume's name but is not its pod's own belongs to someone else. */
function fault(pod: core.Pod, { name: claimName, ephemeral, claim }: Found): string | undefined {
  const quoted = JSON.stringify(claimName)
  if (!claim) return ephemeral ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}` : `persistentvolumeclaim ${quoted} not found`
  if (claim.status.phase === 'Lost') return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? '')}`
  if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim ${quoted} is being deleted`
  return ephemeral && !isControlledBy(claim, pod) ? `PVC ${keyOf(claim)} was not created for pod ${keyOf(pod)} (pod is not owner)` : undefined
}

/** What keeps a pod's claims from every node: one is faulty, or not yet bound although nothing waits for the pod. */
function obstacle(pod: core.Pod, claims: readonly Found[], cluster: Cluster): Refusal | undefined {
  for (const found of claims) {
    const wrong = fault(pod, found)
    if (wrong) return refuseForGood(name, wrong)
  }
  // A claim that names its volume waits for that one, whatever its class says.
  const immediate = claims.some(({ claim }) => claim && !bound(claim) && (claim.spec.volumeName || !waits(claim, cluster)))
  return immediate ? refuseForGood(name, 'pod has unbound immediate PersistentVolumeClaims') : undefined
}

/** Why the volumes of bound claims cannot be used on a node: the first that is wrong says it. */
function unreachable(claims: readonly core.PersistentVolumeClaim[], node: core.Node, cluster: Cluster): string[] {
  for (const claim of claims) {
    const volume = cluster.volume(claim.spec.volumeName ?? '')
    if (!volume) return ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)']
    if (!reaches(volume, node)) return ["node(s) didn't match PersistentVolume's node affinity"]
  }
  return []
}

function filterFor(pod: core.Pod, cluster: Cluster): Filter | Refusal | undefined {
  const mounted = mountedClaims(pod)
  if (!mounted.length) return undefined
  const claims = mounted.map((m) => ({ ...m, claim: cluster.claim(`${pod.metadata.namespace}/${m.name}`) }))
  const refused = obstacle(pod, claims, cluster)
  if (refused) return refused
  const all = claims.map(({ claim }) => claim!)
  return ({ node }) => {
    const reasons = unreachable(all.filter(bound), node, cluster)
    if (!choose(all.filter((c) => !bound(c)), node, cluster)) reasons.push("node(s) didn't find available persistent volumes to bind")
    return reasons.length ? refuseForGood(name, ...reasons) : undefined
  }
}

/** A pod's claims must be bound to volumes that reach the node, or be able to. */
export const volumeBinding: Plugin = {
  name,
  wakes: ['node added', 'node labels', 'claim', 'volume', 'storage class'],
  filter: ({ pod }, cluster) => filterFor(pod, cluster),
}
