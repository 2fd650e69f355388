/** The pods of a stateful set: their names, their volumes, and whether they are what they should be. */
import { core, type In } from '../../api/index.ts'
import { ownerReference } from '../../machinery/meta.ts'
import type { apps } from '../../api/index.ts'
import { isFinished, isReady } from '../shared/pods.ts'
import type { PodInput } from '../shared/pod-control.ts'

export type StatefulSet = apps.StatefulSet
export type Pod = core.Pod

export const revisionLabel = 'controller-revision-hash'
const podNameLabel = 'statefulset.kubernetes.io/pod-name'
const podIndexLabel = 'apps.kubernetes.io/pod-index'

export const replicasOf = (set: StatefulSet): number => set.spec.replicas ?? 1
export const firstOrdinal = (set: StatefulSet): number => set.spec.ordinals?.start ?? 0
/** `<set>-<ordinal>` */
export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`

/** The ordinal in a pod's name; undefined when the name is not one of the set's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`
  const name = pod.metadata.name ?? ''
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^\d+$/.test(rest) ? Number(rest) : undefined
}

/** The name of the pod's revision. */
export const revisionOf = (pod: Pod): string => pod.metadata.labels?.[revisionLabel] ?? ''
export const isRunningAndReady = (pod: Pod): boolean => pod.status.phase === 'Running' && isReady(pod)
/** Running and ready, and not being deleted. */
export const isHealthy = (pod: Pod): boolean => isRunningAndReady(pod) && !pod.metadata.deletionTimestamp
export { isFinished }

/** `<template>-<set>-<ordinal>` */
export const claimName = (set: StatefulSet, template: core.PersistentVolumeClaim, ordinal: number): string => `${template.metadata.name}-${set.metadata.name}-${ordinal}`

/** The volumes that the claims of the set give its pod; they replace volumes of the same name in the template. */
function volumesOf(set: StatefulSet, template: core.PodTemplateSpec, ordinal: number): readonly In<typeof core.Volume>[] {
  const claims = (set.spec.volumeClaimTemplates ?? []).map((claim) => ({ name: claim.metadata.name ?? '', persistentVolumeClaim: { claimName: claimName(set, claim, ordinal), readOnly: false } }))
  const names = new Set(claims.map((claim) => claim.name))
  return [...claims, ...(template.spec.volumes ?? []).filter((volume) => !names.has(volume.name))]
}

/** The labels that tell which of the set's pods this is. */
export const identityOf = (set: StatefulSet, ordinal: number): Readonly<Record<string, string>> => ({ [podNameLabel]: podName(set, ordinal), [podIndexLabel]: String(ordinal) })
/** Whether a pod has the label of its name, by which services find it. */
export const hasIdentity = (pod: Pod): boolean => pod.metadata.labels?.[podNameLabel] === pod.metadata.name

/** The pod with this ordinal, of the template of this revision. */
export function podFor(set: StatefulSet, template: core.PodTemplateSpec, revision: string, ordinal: number): PodInput {
  const name = podName(set, ordinal)
  const { labels, annotations, finalizers } = template.metadata
  const volumes = volumesOf(set, template, ordinal)
  return {
    metadata: {
      name,
      namespace: set.metadata.namespace,
      labels: { ...labels, ...identityOf(set, ordinal), [revisionLabel]: revision },
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [ownerReference(set)],
    },
    spec: { ...template.spec, hostname: name, ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}), ...(volumes.length > 0 ? { volumes } : {}) },
  }
}

/** The claims of a pod, as they are created. */
export function claimsFor(set: StatefulSet, ordinal: number): readonly In<typeof core.PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    ...template,
    metadata: {
      ...template.metadata,
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      ...(set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete' ? { ownerReferences: [ownerReference(set)] } : {}),
    },
  }))
}
