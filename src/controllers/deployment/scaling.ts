/** A deployment that changes its size, perhaps in the middle of a rollout or while paused. */
import { active, desired, desiredOf, desiredReplicasAnnotation, fenceposts, maxReplicasAnnotation, wanted, type Deployment, type ReplicaSet } from './replica-sets.ts'
import { allSets, onlyActive, resize, type Rollout } from './rollout.ts'

const annotated = (rs: ReplicaSet, name: string): number | undefined => {
  const text = rs.metadata.annotations?.[name]
  return text && /^\d+$/.test(text) ? Number(text) : undefined
}

/** The deployment's size differs from the one its replica sets were last sized for. */
export const isScaling = (d: Deployment, sets: readonly ReplicaSet[]): boolean =>
  active(sets).some((rs) => {
    const size = annotated(rs, desiredReplicasAnnotation)
    return size !== undefined && size !== wanted(d)
  })

/** The new replica set has all the pods that are wanted, and they are available. */
const isSaturated = (d: Deployment, rs: ReplicaSet | undefined): boolean =>
  rs !== undefined && desired(rs) === wanted(d) && annotated(rs, desiredReplicasAnnotation) === wanted(d) && (rs.status.availableReplicas ?? 0) === wanted(d)

/** Brings the replica sets to the deployment's size: the only one that has pods, or all in proportion. */
export async function scale(r: Rollout): Promise<void> {
  const { deployment: d } = r
  const only = onlyActive(r)
  if (only) {
    await resize(r, only, wanted(d))
    return
  }
  if (isSaturated(d, r.newSet)) {
    for (const rs of active(r.oldSets)) await resize(r, rs, 0)
    return
  }
  if (d.spec.strategy.type === 'RollingUpdate') await scaleInProportion(r)
}

async function scaleInProportion(r: Rollout): Promise<void> {
  const { deployment: d } = r
  const allowed = wanted(d) > 0 ? wanted(d) + fenceposts(d).surge : 0
  const sets = active(allSets(r))
  for (const [rs, size] of proportions(d, sets, allowed - desiredOf(sets))) await resize(r, rs, size)
}

/**
 * Each replica set's share of `change` pods: by its part of the size the deployment had; what rounding leaves over goes
 * to the largest. Growing prefers the newer of equals, shrinking the older.
 */
function proportions(d: Deployment, sets: readonly ReplicaSet[], change: number): readonly (readonly [ReplicaSet, number])[] {
  const age = (rs: ReplicaSet) => rs.metadata.creationTimestamp ?? ''
  const direction = change > 0 ? -1 : 1
  const sorted = [...sets].sort((a, b) => desired(b) - desired(a) || direction * age(a).localeCompare(age(b)))
  let given = 0
  const sizes = sorted.map((rs) => {
    const fraction = shareOf(d, rs)
    const left = change - given
    const share = change === 0 || left === 0 ? 0 : change > 0 ? Math.min(fraction, left) : Math.max(fraction, left)
    given += share
    return desired(rs) + share
  })
  return sorted.map((rs, i) => [rs, Math.max(0, (sizes[i] ?? 0) + (i === 0 ? change - given : 0))] as const)
}

function shareOf(d: Deployment, rs: ReplicaSet): number {
  if (wanted(d) === 0) return -desired(rs)
  const before = annotated(rs, maxReplicasAnnotation) || (d.status.replicas ?? 0)
  if (before === 0) return 0
  return Math.round((desired(rs) * (wanted(d) + fenceposts(d).surge)) / before) - desired(rs)
}
