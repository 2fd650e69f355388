/** Who owns the claims of a stateful set's pods, so that they go when its retention policy says so, and stay when it says that. */
import type { core, meta } from '../../api/index.ts'
import { deepEqual, ownerReference } from '../../machinery/meta.ts'
import { firstOrdinal, ordinalOf, replicasOf, type Pod, type StatefulSet } from './pods.ts'

type Reference = meta.OwnerReference
type Named = { readonly kind: string; readonly apiVersion: string; readonly metadata: { readonly name?: string | undefined } }

const names = (reference: Reference, { kind, apiVersion, metadata }: Named): boolean => reference.kind === kind && reference.apiVersion === apiVersion && reference.name === metadata.name

/** Whether the pod is one that the set still wants. */
function isWanted(set: StatefulSet, pod: Pod): boolean {
  const ordinal = ordinalOf(set, pod) ?? -1
  return ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + replicasOf(set)
}

/** Whether a claim is about to go with a pod of this name that is no more. */
export const goesWith = (claim: core.PersistentVolumeClaim, podName: string): boolean =>
  claim.metadata.ownerReferences?.some((reference) => names(reference, { kind: 'Pod', apiVersion: 'v1', metadata: { name: podName } })) ?? false

/**
 * The owners that the claim of a pod should have; undefined when it has them, or when it is none of ours: it belongs to a set or pod
 * of these names that is no more. Beside another controller the set and the pod do not own it.
 */
export function claimOwners(claim: core.PersistentVolumeClaim, set: StatefulSet, pod: Pod): readonly Reference[] | undefined {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const all = claim.metadata.ownerReferences ?? []
  const owners = [set, pod]
  for (const owner of owners) {
    const reference = all.find((each) => names(each, owner))
    if (reference && reference.uid !== owner.metadata.uid) return undefined
  }
  const mine = all.filter((reference) => owners.some((owner) => names(reference, owner)))
  const others = all.filter((reference) => !mine.includes(reference))
  const isTaken = (whenDeleted === 'Delete' || whenScaled === 'Delete') && others.some((reference) => reference.controller)
  const goesNow = whenScaled === 'Delete' && !isWanted(set, pod)
  const owner = isTaken ? undefined : goesNow ? pod : whenDeleted === 'Delete' ? set : undefined
  const wanted = owner ? [ownerReference(owner)] : []
  const isSame = mine.length === wanted.length && mine.every((reference, i) => reference.controller && reference.uid === wanted[i]?.uid)
  return isSame || deepEqual(mine, wanted) ? undefined : [...others, ...wanted]
}
