/** Claims and volumes: what a pod mounts, what is bound, and which volume could serve which claim where. */
import type { core } from '../api/index.ts'
import { fromLabelSelector } from '../machinery/labels.ts'
import { nodeSelectorMatches } from './node-selector.ts'
import type { Cluster } from './plugin.ts'
import { amount } from './resources.ts'

const noProvisioner = 'kubernetes.io/no-provisioner'
/** The annotation of a claim that tells its provisioner the node. */
export const selectedNode = 'volume.kubernetes.io/selected-node'

export interface MountedClaim {
  readonly name: string
  /** Made for this pod alone, from a template in its volume. */
  readonly ephemeral: boolean
}

/** The claims a pod mounts, in the order of its volumes; an ephemeral volume's claim is named after pod and volume. */
export const mountedClaims = (pod: core.Pod): MountedClaim[] => (pod.spec.volumes ?? []).flatMap((v): MountedClaim[] => {
  if (v.persistentVolumeClaim) return [{ name: v.persistentVolumeClaim.claimName, ephemeral: false }]
  return v.ephemeral ? [{ name: `${pod.metadata.name}-${v.name}`, ephemeral: true }] : []
})

export const claimNames = (pod: core.Pod): string[] => mountedClaims(pod).map(({ name }) => name)

/** Whether claim and volume are bound to each other. */
export const bound = (claim: core.PersistentVolumeClaim) =>
  Boolean(claim.spec.volumeName) && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined || claim.status.phase === 'Bound'

const isFor = (reference: core.ObjectReference, { metadata }: core.PersistentVolumeClaim) =>
  reference.name === metadata.name && reference.namespace === metadata.namespace && (!reference.uid || reference.uid === metadata.uid)

/** Whether a free volume could serve a claim. */
function serves(volume: core.PersistentVolume, claim: core.PersistentVolumeClaim): boolean {
  const { claimRef, storageClassName = '', accessModes = [], volumeMode = 'Filesystem', capacity } = volume.spec
  if (volume.metadata.deletionTimestamp || (claimRef && !isFor(claimRef, claim))) return false
  if (storageClassName !== (claim.spec.storageClassName ?? '') || volumeMode !== (claim.spec.volumeMode ?? 'Filesystem')) return false
  if (!(claim.spec.accessModes ?? []).every((mode) => accessModes.includes(mode))) return false
  if (claim.spec.selector && !fromLabelSelector(claim.spec.selector).matches(volume.metadata.labels)) return false
  return amount('storage', capacity?.['storage'] ?? '0') >= amount('storage', claim.spec.resources.requests?.['storage'] ?? '0')
}

/** Whether a volume can be used on a node. */
export const reaches = (volume: core.PersistentVolume, node: core.Node) =>
  !volume.spec.nodeAffinity?.required || nodeSelectorMatches(volume.spec.nodeAffinity.required, node)

/** Whether a claim's storage class waits for its first pod. */
export const waits = (claim: core.PersistentVolumeClaim, cluster: Cluster) =>
  cluster.storageClass(claim.spec.storageClassName ?? '')?.volumeBindingMode === 'WaitForFirstConsumer'

/** Whether the claim's class can provision a volume for a node. */
function provisions(claim: core.PersistentVolumeClaim, node: core.Node, cluster: Cluster): boolean {
  const storageClass = cluster.storageClass(claim.spec.storageClassName ?? '')
  if (!storageClass || storageClass.provisioner === noProvisioner) return false
  const terms = storageClass.allowedTopologies ?? []
  const labels = node.metadata.labels ?? {}
  return !terms.length || terms.some((t) => (t.matchLabelExpressions ?? []).every((e) => e.values.includes(labels[e.key] ?? '')))
}

const sizeOf = (volume: core.PersistentVolume) => amount('storage', volume.spec.capacity?.['storage'] ?? '0')

/**
 * Which volume each unbound claim would get on a node: the smallest that serves, no volume twice; undefined for one that is
 * to be provisioned. Undefined instead of a map when some claim can have neither. A claim whose provisioner was told a node
 * already stays with it.
 */
export function choose(claims: readonly core.PersistentVolumeClaim[], node: core.Node, cluster: Cluster): ReadonlyMap<core.PersistentVolumeClaim, core.PersistentVolume | undefined> | undefined {
  const chosen = new Map<core.PersistentVolumeClaim, core.PersistentVolume | undefined>()
  for (const claim of claims) {
    const told = claim.metadata.annotations?.[selectedNode]
    if (told !== undefined && told !== node.metadata.name) return undefined
    const taken = [...chosen.values()]
    const free = told !== undefined ? [] : cluster.volumes().filter((v) => serves(v, claim) && reaches(v, node) && !taken.includes(v))
    // A volume that already names the claim was set aside for it.
    const volume = free.find((v) => v.spec.claimRef) ?? free.sort((a, b) => sizeOf(a) - sizeOf(b))[0]
    if (!volume && !provisions(claim, node, cluster)) return undefined
    chosen.set(claim, volume)
  }
  return chosen
}
