/**
 * Counts the pods that ended, each exactly once, whatever crashes in between: a pod's uid is written into the status
 * first, then its finalizer goes, then the uid becomes one more in the count.
 */
import type { batch } from '../../api/index.ts'
import { formatIndexes, indexOf, parseIndexes } from './indexes.ts'
import { judge, type Verdict } from './failure-policy.ts'
import { conditionOf, endOf, failuresBefore, isActive, isFailed, isIndexed, isSucceeded, isTerminating, isTracked, type Job, type Pod } from './pods.ts'

/** So many pods at most are written down as uncounted at a time: their uids are part of the job. */
const maxUncounted = 500

export interface Tally {
  readonly succeeded: number
  readonly failed: number
  readonly completed: ReadonlySet<number>
  readonly failedIndexes: ReadonlySet<number>
  /** Failures that were ignored do not count, but their pods go. */
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
  /** Ends that are known, but not written down yet. */
  readonly ahead: { readonly succeeded: number; readonly failed: number }
  /** The last failed pod of each index that will be tried again: it stays until its successor is there, which is told how often the index failed. */
  readonly held: ReadonlyMap<number, Pod>
  /** Pods whose end is now written down: their finalizer goes. */
  readonly release: readonly Pod[]
  /** Pods that ended since the last look. */
  readonly newlyFailed: readonly Pod[]
  readonly newlySucceeded: readonly Pod[]
  /** Why the whole job fails, by its pod failure policy. */
  readonly verdict: Verdict | undefined
}

/** The indexes that may not be tried again: out of failures, or failed by a rule. */
function failedIndex(job: Job, pod: Pod, verdict: Verdict): number | undefined {
  const limit = job.spec.backoffLimitPerIndex
  const index = indexOf(pod)
  if (limit === undefined || index === undefined) return undefined
  return verdict.action === 'FailIndex' || failuresBefore(pod).counted >= limit ? index : undefined
}

const absolute = (pod: Pod): number => failuresBefore(pod).counted + failuresBefore(pod).ignored

/** Which failed pods stay until their index is tried again. */
function heldOf(job: Job, pods: readonly Pod[], failed: readonly Pod[], decided: (index: number) => boolean): Map<number, Pod> {
  const held = new Map<number, Pod>()
  if (job.spec.backoffLimitPerIndex === undefined || job.metadata.deletionTimestamp || conditionOf(job, 'FailureTarget') || conditionOf(job, 'SuccessCriteriaMet')) return held
  const active = new Set(pods.filter(isActive).map(indexOf))
  for (const pod of failed) {
    const index = indexOf(pod)
    if (index === undefined || index >= (job.spec.completions ?? 0) || decided(index) || active.has(index)) continue
    const other = held.get(index)
    if (!other || absolute(other) < absolute(pod) || (absolute(other) === absolute(pod) && endOf(other) <= endOf(pod))) held.set(index, pod)
  }
  return held
}

/**
 * Looks at all pods of the job. What is in the status as uncounted and has lost its finalizer (or is gone) moves into
 * the counts; what ended and still has its finalizer becomes uncounted.
 */
export function tallyOf(job: Job, pods: readonly Pod[]): Tally {
  const completions = job.spec.completions ?? 0
  const before = job.status.uncountedTerminatedPods ?? {}
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid ?? '', pod]))
  const open = (uids: readonly string[] = []) => uids.filter((uid) => tracked.has(uid))
  const uncounted = { succeeded: [...open(before.succeeded)], failed: [...open(before.failed)] }
  const completed = parseIndexes(job.status.completedIndexes, completions)
  const failedIndexes = parseIndexes(job.status.failedIndexes, completions)
  const counted = {
    succeeded: (job.status.succeeded ?? 0) + (isIndexed(job) ? 0 : (before.succeeded ?? []).length - uncounted.succeeded.length),
    failed: (job.status.failed ?? 0) + (before.failed ?? []).length - uncounted.failed.length,
  }
  const known = new Set([...uncounted.succeeded, ...uncounted.failed])
  const fresh = [...tracked.values()].filter((pod) => !known.has(pod.metadata.uid ?? ''))
  const release = [...tracked.values()].filter((pod) => known.has(pod.metadata.uid ?? ''))
  // Of an indexed job only pods with one of its indexes count.
  const counts = (pod: Pod): boolean => !isIndexed(job) || (indexOf(pod) ?? completions) < completions
  // Pods that a suspension removes are nobody's failure.
  const fails = (pod: Pod): boolean => isFailed(job, pod) && !(job.spec.suspend && pod.status.phase !== 'Failed')
  const newlySucceeded = fresh.filter(isSucceeded)
  const newlyFailed = fresh.filter((pod) => !isSucceeded(pod) && fails(pod) && counts(pod))
  const verdicts = new Map(newlyFailed.map((pod) => [pod, judge(job.spec.podFailurePolicy, pod)]))
  // An index is decided once: the two never overlap.
  for (const pod of newlySucceeded) if (isIndexed(job) && counts(pod) && !failedIndexes.has(indexOf(pod) ?? 0)) completed.add(indexOf(pod) ?? 0)
  for (const [pod, verdict] of verdicts) {
    const index = verdict.action === 'Ignore' ? undefined : failedIndex(job, pod, verdict)
    if (index !== undefined && !completed.has(index)) failedIndexes.add(index)
  }
  const held = heldOf(job, pods, newlyFailed, (index) => completed.has(index) || failedIndexes.has(index))
  const ahead = { succeeded: 0, failed: 0 }
  let room = maxUncounted - known.size
  for (const pod of fresh) {
    const uid = pod.metadata.uid ?? ''
    const how = isSucceeded(pod) ? (isIndexed(job) ? undefined : 'succeeded') : verdicts.has(pod) && verdicts.get(pod)?.action !== 'Ignore' ? 'failed' : undefined
    const isHeld = held.get(indexOf(pod) ?? -1) === pod
    if (isHeld || (how && room <= 0)) {
      if (how) ahead[how]++
      continue
    }
    if (how) {
      uncounted[how].push(uid)
      room--
    } else if (isActive(pod) || (isTerminating(pod) && !isFailed(job, pod) && !conditionOf(job, 'SuccessCriteriaMet'))) continue
    release.push(pod)
  }
  const verdict = [...verdicts.values()].find(({ action }) => action === 'FailJob')
  return { ...counted, succeeded: isIndexed(job) ? completed.size : counted.succeeded, completed, failedIndexes, uncounted, ahead, held, release, newlyFailed, newlySucceeded, verdict }
}

/** The fields of the status that hold the tally. */
export function tallyStatus(job: Job, { succeeded, failed, completed, failedIndexes, uncounted }: Tally): Partial<batch.JobStatus> {
  return {
    ...(succeeded > 0 ? { succeeded } : {}),
    ...(failed > 0 ? { failed } : {}),
    ...(completed.size > 0 ? { completedIndexes: formatIndexes(completed) } : {}),
    ...(job.spec.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(failedIndexes) }),
    uncountedTerminatedPods: {
      ...(uncounted.succeeded.length > 0 ? { succeeded: uncounted.succeeded } : {}),
      ...(uncounted.failed.length > 0 ? { failed: uncounted.failed } : {}),
    },
  }
}

/** Successes, those not counted yet among them. */
export const successes = (tally: Tally): number => tally.succeeded + tally.uncounted.succeeded.length + tally.ahead.succeeded
/** Failures, those not counted yet among them. */
export const failures = (tally: Tally): number => tally.failed + tally.uncounted.failed.length + tally.ahead.failed
