/** Which persistent volume fits a claim. */
import type { core } from '../../api/index.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { parseQuantity } from '../../machinery/quantity.ts'

export type Claim = core.PersistentVolumeClaim
export type Volume = core.PersistentVolume

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** The class a claim or volume belongs to: the old annotation wins; '' is no class. */
export const classOf = ({ metadata, spec }: Claim | Volume): string => metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? ''

const sizeOf = (amounts: Readonly<Record<string, string>> | undefined) => parseQuantity(amounts?.storage ?? '0')

/** Reserved for the claim: by name, and by uid once the claim is known. */
export function isReservedFor({ spec: { claimRef } }: Volume, { metadata }: Claim): boolean {
  if (!claimRef || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return !claimRef.uid || claimRef.uid === metadata.uid
}

/** Why the volume cannot serve the claim; undefined when it can. */
export function mismatch(volume: Volume, claim: Claim): string | undefined {
  if (sizeOf(volume.spec.capacity).compare(sizeOf(claim.spec.resources.requests)) < 0) return 'requested PV is too small'
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match'
  if ((volume.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode'
  if (!(claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))) return 'incompatible accessMode'
  return (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '') ? undefined : 'volumeAttributesClassName does not match'
}

const withClassOf = (volume: Volume, claim: Claim): Volume =>
  ({ ...volume, metadata: { ...volume.metadata, annotations: {} }, spec: { ...volume.spec, storageClassName: classOf(claim) } })

/** The volume reserved for the claim, else the smallest free one that fits; `reservedOnly` for claims that wait for their first pod. */
export function bestMatch(volumes: readonly Volume[], claim: Claim, reservedOnly: boolean): Volume | undefined {
  const there = volumes.filter((volume) => !volume.metadata.deletionTimestamp)
  // Who reserved a volume for the claim need not have given it the claim's class, which may be the default one.
  const reserved = there.find((volume) => isReservedFor(volume, claim) && mismatch(withClassOf(volume, claim), claim) === undefined)
  if (reserved || reservedOnly) return reserved
  const fitting = there.filter((volume) => mismatch(volume, claim) === undefined)
  const { selector } = claim.spec
  const wanted = selector && fromLabelSelector(selector)
  return fitting
    .filter((volume) => !volume.spec.claimRef && volume.status.phase === 'Available' && (!wanted || wanted.matches(volume.metadata.labels)))
    .sort((a, b) => sizeOf(a.spec.capacity).compare(sizeOf(b.spec.capacity)) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))[0]
}
