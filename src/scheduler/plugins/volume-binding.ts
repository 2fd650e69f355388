import type { core } from '../../api/index.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { nodeSelectorMatches } from '../node-selector.ts'
import { refuse, refuseForGood } from '../plugin.ts'
import type { Cluster, Filter, Plugin, Refusal } from '../plugin.ts'
import { amount } from '../resources.ts'

const name = 'VolumeBinding'
const noProvisioner = 'kubernetes.io/no-provisioner'

/** The names of the claims a pod mounts; an ephemeral volume's claim is named after pod and volume. */
const claimNames = (pod: core.Pod): string[] => (pod.spec.volumes ?? []).flatMap((v) => {
  if (v.persistentVolumeClaim) return [v.persistentVolumeClaim.claimName]
  return v.ephemeral ? [`${pod.metadata.name}-${v.name}`] : []
})

const bound = (claim: core.PersistentVolumeClaim) =>
  Boolean(claim.spec.volumeName) && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined || claim.status.phase === 'Bound'

/** Whether a free volume could serve a claim. */
function serves(volume: core.PersistentVolume, claim: core.PersistentVolumeClaim): boolean {
  const { claimRef, storageClassName = '', accessModes = [], volumeMode = 'Filesystem', capacity } = volume.spec
  if (claimRef && !(claimRef.name === claim.metadata.name && claimRef.namespace === claim.metadata.namespace)) return false
  if (storageClassName !== (claim.spec.storageClassName ?? '') || volumeMode !== (claim.spec.volumeMode ?? 'Filesystem')) return false
  if (!(claim.spec.accessModes ?? []).every((mode) => accessModes.includes(mode))) return false
  if (claim.spec.selector && !fromLabelSelector(claim.spec.selector).matches(volume.metadata.labels)) return false
  return amount('storage', capacity?.['storage'] ?? '0') >= amount('storage', claim.spec.resources.requests?.['storage'] ?? '0')
}

const reaches = (volume: core.PersistentVolume, node: core.Node) =>
  !volume.spec.nodeAffinity?.required || nodeSelectorMatches(volume.spec.nodeAffinity.required, node)

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

/** Whether a claim's storage class waits for its first pod. */
const waits = (claim: core.PersistentVolumeClaim, cluster: Cluster) =>
  cluster.storageClass(claim.spec.storageClassName ?? '')?.volumeBindingMode === 'WaitForFirstConsumer'

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
      if (!volume) return refuseForGood(name, `node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)`)
      if (!reaches(volume, node)) return refuseForGood(name, "node(s) didn't match PersistentVolume's node affinity")
    }
    const lacking = all.filter((c) => !bound(c)).some((claim) => !cluster.volumes().some((v) => serves(v, claim) && reaches(v, node)) && !provisions(claim, node, cluster))
    return lacking ? refuse(name, "node(s) didn't find available persistent volumes to bind") : undefined
  }
}

/** Whether the claim's class can make a volume for a node. */
function provisions(claim: core.PersistentVolumeClaim, node: core.Node, cluster: Cluster): boolean {
  const storageClass = cluster.storageClass(claim.spec.storageClassName ?? '')
  if (!storageClass || storageClass.provisioner === noProvisioner) return false
  const terms = storageClass.allowedTopologies ?? []
  const labels = node.metadata.labels ?? {}
  return !terms.length || terms.some((t) => (t.matchLabelExpressions ?? []).every((e) => e.values.includes(labels[e.key] ?? '')))
}

/** A pod's claims must be bound to volumes that reach the node, or be able to. */
export const volumeBinding: Plugin = {
  name,
  wakes: ['node added', 'node labels', 'claim', 'volume', 'storage class'],
  filter: ({ pod }, cluster) => filterFor(pod, cluster),
}
