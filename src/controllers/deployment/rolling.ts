/** The two ways from old pods to new ones. */
import type { core } from '../../api/index.ts'
import { isFinished } from '../shared/pods.ts'
import { active, actualOf, availableOf, desired, desiredOf, fenceposts, oldestFirst, wanted } from './replica-sets.ts'
import { allSets, ensureNew, newSetSize, resize, trimHistory, type Rollout } from './rollout.ts'
import { countedStatus, isComplete } from './status.ts'

const complete = (r: Rollout): boolean => isComplete(r.deployment, countedStatus(r.deployment, allSets(r), r.newSet, r.conditions, r.env.clock.now()))

/** One step of a rolling update: new pods as far as maxSurge allows, else fewer old ones as far as maxUnavailable allows. */
export async function rollingUpdate(r: Rollout): Promise<void> {
  await ensureNew(r)
  if (await growNew(r)) return
  if (await shrinkOld(r)) return
  if (complete(r)) await trimHistory(r)
}

async function growNew(r: Rollout): Promise<boolean> {
  const { newSet, deployment } = r
  if (!newSet || desired(newSet) === wanted(deployment)) return false
  const size = desired(newSet) > wanted(deployment) ? wanted(deployment) : newSetSize(r)
  return resize(r, newSet, size)
}

async function shrinkOld(r: Rollout): Promise<boolean> {
  const { deployment, newSet } = r
  if (!newSet || desiredOf(r.oldSets) === 0) return false
  const floor = wanted(deployment) - fenceposts(deployment).unavailable
  const newUnavailable = desired(newSet) - (newSet.status.availableReplicas ?? 0)
  const excess = desiredOf(allSets(r)) - floor - newUnavailable
  if (excess <= 0) return false
  const cleaned = await dropUnavailable(r, excess)
  const shrunk = await dropAvailable(r, floor)
  return cleaned || shrunk
}

/** Old pods that serve nobody go first: they cost no availability. */
async function dropUnavailable(r: Rollout, limit: number): Promise<boolean> {
  let left = limit
  for (const rs of oldestFirst(active(r.oldSets))) {
    const count = Math.min(left, Math.max(0, desired(rs) - (rs.status.availableReplicas ?? 0)))
    if (count === 0) continue
    await resize(r, rs, desired(rs) - count)
    left -= count
  }
  return left < limit
}

async function dropAvailable(r: Rollout, floor: number): Promise<boolean> {
  const limit = availableOf(allSets(r)) - floor
  let left = limit
  for (const rs of oldestFirst(active(r.oldSets))) {
    if (left <= 0) break
    const count = Math.min(left, desired(rs))
    await resize(r, rs, desired(rs) - count)
    left -= count
  }
  return left < limit
}

/** Recreate: no new pod before the last old one is gone. `pods` are the pods of the old replica sets. */
export async function recreate(r: Rollout, pods: readonly core.Pod[]): Promise<void> {
  let scaled = false
  for (const rs of active(r.oldSets)) scaled = (await resize(r, rs, 0)) || scaled
  if (scaled || actualOf(r.oldSets) > 0 || pods.some((pod) => !isFinished(pod))) return
  await ensureNew(r)
  if (r.newSet) await resize(r, r.newSet, wanted(r.deployment))
  if (complete(r)) await trimHistory(r)
}
