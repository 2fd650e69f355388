/** What a deployment knows of its replica sets: which is the new one, how many pods they have, what they carry. */
import type { apps, core } from '../../api/index.ts'
import { scaledValue } from '../../machinery/intorstring.ts'
import { deepEqual } from '../../machinery/meta.ts'

export type Deployment = apps.Deployment
export type ReplicaSet = apps.ReplicaSet

export const hashLabel = 'pod-template-hash'
export const revisionAnnotation = 'deployment.kubernetes.io/revision'
const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history'
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas'
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas'
/** Asks for a former revision. */
export const rollbackAnnotation = 'deprecated.deployment.rollback.to'

/** What a replica set does not take over from its deployment. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration', revisionAnnotation, revisionHistoryAnnotation, desiredReplicasAnnotation, maxReplicasAnnotation, rollbackAnnotation,
])
/** Whether an annotation is the object's own: deployment and replica set do not take it over from each other. */
export const isOwnAnnotation = (name: string): boolean => ownAnnotations.has(name)

/** Numbers of pods: those a replica set or a deployment asks for, and sums over replica sets. */
export const desired = (rs: ReplicaSet): number => rs.spec.replicas ?? 1
export const wanted = (d: Deployment): number => d.spec.replicas ?? 1
export const sum = (sets: readonly ReplicaSet[], count: (rs: ReplicaSet) => number): number => sets.reduce((total, rs) => total + count(rs), 0)
export const desiredOf = (sets: readonly ReplicaSet[]): number => sum(sets, desired)
export const actualOf = (sets: readonly ReplicaSet[]): number => sum(sets, (rs) => rs.status.replicas)
export const readyOf = (sets: readonly ReplicaSet[]): number => sum(sets, (rs) => rs.status.readyReplicas ?? 0)
export const availableOf = (sets: readonly ReplicaSet[]): number => sum(sets, (rs) => rs.status.availableReplicas ?? 0)
/** The replica sets that ask for pods. */
export const active = (sets: readonly ReplicaSet[]): ReplicaSet[] => sets.filter((rs) => desired(rs) > 0)

/** The revision that is noted on a replica set or a deployment: 64 bits, 0 when there is none. */
export const revisionOf = (object: { readonly metadata: core.Pod['metadata'] }): bigint => {
  const text = object.metadata.annotations?.[revisionAnnotation]
  return text && /^\d+$/.test(text) ? BigInt(text) : 0n
}

/** Orders from the lowest revision to the highest. */
export const byRevision = (a: ReplicaSet, b: ReplicaSet): number => {
  const [left, right] = [revisionOf(a), revisionOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

const age = (a: ReplicaSet, b: ReplicaSet): number => {
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (left !== right) return left < right ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
/** By creation, oldest first. */
export const oldestFirst = (sets: readonly ReplicaSet[]): ReplicaSet[] => [...sets].sort(age)

/** The template without the label that tells replica sets apart. */
export function bare(template: core.PodTemplateSpec): core.PodTemplateSpec {
  const { [hashLabel]: _, ...labels } = template.metadata.labels ?? {}
  const { labels: __, ...metadata } = template.metadata
  return { ...template, metadata: Object.keys(labels).length > 0 ? { ...metadata, labels } : metadata }
}

/** The oldest replica set whose template is the deployment's. */
export function findNew(d: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const template = bare(d.spec.template)
  return oldestFirst(sets).find((rs) => deepEqual(bare(rs.spec.template), template))
}

/** Whether the replica set has the deployment's pod template. */
export const sameTemplate = (d: Deployment, rs: ReplicaSet): boolean => deepEqual(bare(rs.spec.template), bare(d.spec.template))

/** Pods above the wanted number that a rollout may have, and pods below it that may be unavailable; never both 0. */
export function fenceposts(d: Deployment): { readonly surge: number; readonly unavailable: number } {
  const { rollingUpdate, type } = d.spec.strategy
  if (type !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
  const surge = scaledValue(rollingUpdate?.maxSurge ?? '25%', wanted(d), true)
  const unavailable = scaledValue(rollingUpdate?.maxUnavailable ?? '25%', wanted(d), false)
  const possible = surge === 0 && unavailable === 0 ? 1 : unavailable
  return { surge, unavailable: Math.min(possible, wanted(d)) }
}

/** The annotations a replica set should have: the deployment's, with its own kept; a new one is given its size too. */
export function annotationsFor(d: Deployment, rs: ReplicaSet | undefined): Record<string, string> {
  const kept = Object.entries(rs?.metadata.annotations ?? {})
  const taken = Object.entries(d.metadata.annotations ?? {}).filter(([name]) => !isOwnAnnotation(name))
  return Object.fromEntries([...kept, ...taken, ...(rs ? [] : Object.entries(sizeAnnotations(d)))])
}

/** How large the deployment was when the replica set was last sized: what proportional scaling goes by. */
export const sizeAnnotations = (d: Deployment): Record<string, string> =>
  ({ [desiredReplicasAnnotation]: String(wanted(d)), [maxReplicasAnnotation]: String(wanted(d) + fenceposts(d).surge) })

/** The history of revisions grows no longer than this many characters; the oldest are dropped. */
const longestHistory = 2000

function withinLimit(revisions: readonly string[]): readonly string[] {
  let start = 0
  let length = revisions.join(',').length
  while (length > longestHistory) length -= (revisions[start++]?.length ?? 0) + 1
  return revisions.slice(start)
}

/** The annotations of a replica set that becomes revision `revision`; the one it had goes into its history. */
export function revised(annotations: Record<string, string>, revision: bigint): Record<string, string> {
  const before = annotations[revisionAnnotation]
  if (before !== undefined && /^\d+$/.test(before) && BigInt(before) >= revision) return annotations
  const history = annotations[revisionHistoryAnnotation]
  const past = before === undefined ? history : withinLimit([...(history ? history.split(',') : []), before]).join(',')
  return { ...annotations, [revisionAnnotation]: String(revision), ...(past === undefined ? {} : { [revisionHistoryAnnotation]: past }) }
}
