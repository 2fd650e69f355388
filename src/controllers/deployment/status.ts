/** The status of a deployment: counts, and the conditions Available, Progressing and ReplicaFailure. */
import type { apps } from '../../api/index.ts'
import { parseTime, rfc3339 } from '../../machinery/time.ts'
import { conditionOf, withoutCondition } from '../shared/conditions.ts'
import { actualOf, availableOf, desiredOf, fenceposts, readyOf, sum, wanted, type Deployment, type ReplicaSet } from './replica-sets.ts'

export type Condition = apps.DeploymentCondition
export type Status = apps.DeploymentStatus

/** Whether progress is watched at all. */
export const hasDeadline = (d: Deployment): boolean => d.spec.progressDeadlineSeconds !== undefined && d.spec.progressDeadlineSeconds !== 2 ** 31 - 1

/** The conditions with this one: unchanged when status and reason are as before. */
export function setCondition(conditions: readonly Condition[], now: number, condition: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>, refresh = false): readonly Condition[] {
  const before = conditionOf(conditions, condition.type)
  if (before && !refresh && before.status === condition.status && before.reason === condition.reason) return conditions
  const time = rfc3339(now)
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : time
  return [...withoutCondition(conditions, condition.type), { ...condition, lastUpdateTime: time, lastTransitionTime }]
}

/** The counts as the replica sets report them, and whether enough pods are available. */
export function countedStatus(d: Deployment, all: readonly ReplicaSet[], newSet: ReplicaSet | undefined, conditions: readonly Condition[], now: number): Status {
  const available = availableOf(all)
  const enough = available >= wanted(d) - fenceposts(d).unavailable
  const counts = {
    observedGeneration: d.metadata.generation ?? 0,
    replicas: actualOf(all),
    updatedReplicas: newSet?.status.replicas ?? 0,
    readyReplicas: readyOf(all),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, desiredOf(all) - available),
  }
  return {
    ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0)),
    terminatingReplicas: sum(all, (rs) => rs.status.terminatingReplicas ?? 0),
    conditions: setCondition(conditions, now, enough
      ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
      : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }),
    ...(d.status.collisionCount === undefined ? {} : { collisionCount: d.status.collisionCount }),
  }
}

/** Every wanted pod is of the newest template and available, no other pod is left, and the newest spec was seen. */
export const isComplete = (d: Deployment, status: Status): boolean =>
  (status.updatedReplicas ?? 0) === wanted(d) && (status.replicas ?? 0) === wanted(d) && (status.availableReplicas ?? 0) === wanted(d)
  && (status.observedGeneration ?? 0) >= (d.metadata.generation ?? 0)

/** Something went forward since the last status: new pods, fewer old ones, more ready or available. */
function isProgressing(before: Status, now: Status): boolean {
  const old = (s: Status) => (s.replicas ?? 0) - (s.updatedReplicas ?? 0)
  return (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) || old(now) < old(before)
    || (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) || (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
}

/** Milliseconds until the deadline of the rollout, below 0 when it has passed; undefined when no clock runs. */
export function untilDeadline(d: Deployment, status: Status, now: number): number | undefined {
  const progressing = conditionOf(status.conditions, 'Progressing')
  if (!hasDeadline(d) || !progressing?.lastUpdateTime) return undefined
  if (progressing.reason === 'NewReplicaSetAvailable' || progressing.reason === 'ProgressDeadlineExceeded' || isComplete(d, status)) return undefined
  return parseTime(progressing.lastUpdateTime) + (d.spec.progressDeadlineSeconds ?? 0) * 1000 - now
}

/** The status during a rollout: the counts, how it goes, and why pods could not be made if they could not. */
export function rolloutStatus(d: Deployment, all: readonly ReplicaSet[], newSet: ReplicaSet | undefined, conditions: readonly Condition[], now: number): Status {
  const status = countedStatus(d, all, newSet, conditions, now)
  return { ...status, conditions: withFailure(withProgress(d, status, newSet, now), all, newSet, now) }
}

function withProgress(d: Deployment, status: Status, newSet: ReplicaSet | undefined, now: number): readonly Condition[] {
  const conditions = status.conditions ?? []
  if (!hasDeadline(d)) return withoutCondition(conditions, 'Progressing')
  const current = conditionOf(conditions, 'Progressing')
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable') return conditions
  const subject = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${d.metadata.name}"`
  const set = (value: string, reason: string, rest: string, refresh = false) => setCondition(conditions, now, { type: 'Progressing', status: value, reason, message: `${subject} ${rest}` }, refresh)
  if (isComplete(d, status)) return set('True', 'NewReplicaSetAvailable', 'has successfully progressed.')
  if (isProgressing(d.status, status)) return set('True', 'ReplicaSetUpdated', 'is progressing.', true)
  const left = untilDeadline(d, { ...status, conditions }, now)
  if (current?.reason === 'ProgressDeadlineExceeded' || (left !== undefined && left < 0)) return set('False', 'ProgressDeadlineExceeded', 'has timed out progressing.')
  return conditions
}

/** What kept a replica set from making its pods, the new one first. */
function withFailure(conditions: readonly Condition[], all: readonly ReplicaSet[], newSet: ReplicaSet | undefined, now: number): readonly Condition[] {
  const failed = [...(newSet ? [newSet] : []), ...all].map((rs) => conditionOf(rs.status.conditions, 'ReplicaFailure')).find((c) => c !== undefined)
  if (!failed) return withoutCondition(conditions, 'ReplicaFailure')
  const since = failed.lastTransitionTime ? parseTime(failed.lastTransitionTime) : now
  return setCondition(conditions, since, { type: 'ReplicaFailure', status: failed.status, reason: failed.reason, message: failed.message })
}
