import type { core } from '../../api/index.ts'
import { bound, choose, claimNames, reaches, waits } from '../claims.ts'
import { refuse, refuseForGood } from '../plugin.ts'
import type { Cluster, Filter, Plugin, Refusal } from '../plugin.ts'

const name = 'VolumeBinding'

/** What keeps a pod's claims from every node: missing, lost or not yet bound although nothing waits for the pod. */
function obstacle(claims: readonly { name: string; claim: core.PersistentVolumeClaim | undefined }[], cluster: Cluster): Refusal | undefined {
  for (const { name: claimName, claim } of claims) {
    if (!claim) return refuseForGood(name, `persistentvolumeclaim ${JSON.stringify(claimName)} not found`)
    if (claim.status.phase === 'Lost') return refuseForGood(name, `persistentvolumeclaim ${JSON.stringify(claimName)} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? '')}`)
    if (claim.metadata.deletionTimestamp) return refuseForGood(name, `persistentvolumeclaim ${JSON.stringify(claimName)} is being deleted`)
  }
  const immediate = claims.some(({ claim }) => claim && !bound(claim) && !waits(claim, cluster))
  return immediate ? refuseForGood(name, 'pod has unbound immediate PersistentVolumeClaims') : undefined
}

function filterFor(pod: core.Pod, cluster: Cluster): Filter | Refusal | undefined {
  const names = claimNames(pod)
  if (!names.length) return undefined
  const claims = names.map((n) => ({ name: n, claim: cluster.claim(`${pod.metadata.namespace}/${n}`) }))
  const refused = obstacle(claims, cluster)
  if (refused) return refused
  const all = claims.map(({ claim }) => claim!)
  return ({ node }) => {
    for (const claim of all.filter(bound)) {
      const volume = cluster.volume(claim.spec.volumeName ?? '')
      if (!volume) return refuseForGood(name, 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')
      if (!reaches(volume, node)) return refuseForGood(name, "node(s) didn't match PersistentVolume's node affinity")
    }
    return choose(all.filter((c) => !bound(c)), node, cluster) ? undefined : refuse(name, "node(s) didn't find available persistent volumes to bind")
  }
}

/** A pod's claims must be bound to volumes that reach the node, or be able to. */
export const volumeBinding: Plugin = {
  name,
  wakes: ['node added', 'node labels', 'claim', 'volume', 'storage class'],
  filter: ({ pod }, cluster) => filterFor(pod, cluster),
}
