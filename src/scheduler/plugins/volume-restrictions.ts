import type { core } from '../../api/index.ts'
import type { NodeInfo } from '../node-info.ts'
import { refuse } from '../plugin.ts'
import type { Cluster, Plugin } from '../plugin.ts'

const name = 'VolumeRestrictions'

const claimed = (pod: core.Pod): string[] => (pod.spec.volumes ?? []).flatMap((v) => (v.persistentVolumeClaim ? [v.persistentVolumeClaim.claimName] : []))

/** The pod's claims that only one pod at a time may use, as `namespace/name`. */
function exclusive(pod: core.Pod, cluster: Cluster): ReadonlySet<string> {
  const keys = claimed(pod).map((claim) => `${pod.metadata.namespace}/${claim}`)
  return new Set(keys.filter((key) => cluster.claim(key)?.spec.accessModes?.includes('ReadWriteOncePod')))
}

/** How often the pods of the cluster use these claims. */
function uses(keys: ReadonlySet<string>, nodes: readonly NodeInfo[]): number {
  let count = 0
  for (const node of nodes) for (const { pod } of node.pods.values()) for (const claim of claimed(pod)) if (keys.has(`${pod.metadata.namespace}/${claim}`)) count++
  return count
}

/** A claim with the access mode ReadWriteOncePod has one pod in the whole cluster: who comes second waits, or takes its place. */
export const volumeRestrictions: Plugin = {
  name,
  wakes: ['node added', 'pod deleted', 'claim'],
  filter({ pod }, cluster) {
    const keys = exclusive(pod, cluster)
    if (!keys.size || uses(keys, cluster.nodes) === 0) return undefined
    return () => refuse(name, 'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod')
  },
}
