/**
 * Counts the pods that ended, each exactly once, whatever crashes in between: a pod's uid is written into the status
 * first, then its finalizer goes, then the uid becomes one more in the count.
 */
import type { batch } from '../../api/index.ts'
import { formatIndexes, indexOf, parseIndexes } from './indexes.ts'
import { judge, type Verdict } from './failure-policy.ts'
import { failureCountAnnotation, isFailed, isIndexed, isSucceeded, isTracked, type Job, type Pod } from './pods.ts'

export interface Tally {
  readonly succeeded: number
  readonly failed: number
  readonly completed: ReadonlySet<number>
  readonly failedIndexes: ReadonlySet<number>
  /** Failures that were ignored do not count, but their pods go. */
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
  /** Pods whose end is now written down: their finalizer goes. */
  readonly release: readonly Pod[]
  /** Pods that ended since the last look. */
  readonly newlyFailed: readonly Pod[]
  readonly newlySucceeded: readonly Pod[]
  /** Why the whole job fails, by its pod failure policy. */
  readonly verdict: Verdict | undefined
}

const failuresOf = (pod: Pod): number => Number(pod.metadata.annotations?.[failureCountAnnotation] ?? 0)

/** The indexes that may not be tried again: out of failures, or failed by a rule. */
function failedIndex(job: Job, pod: Pod, verdict: Verdict): number | undefined {
  const limit = job.spec.backoffLimitPerIndex
  const index = indexOf(pod)
  if (limit === undefined || index === undefined) return undefined
  return verdict.action === 'FailIndex' || failuresOf(pod) >= limit ? index : undefined
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
  const release: Pod[] = []
  const newlyFailed: Pod[] = []
  const newlySucceeded: Pod[] = []
  let verdict: Verdict | undefined
  for (const [uid, pod] of tracked) {
    const known = uncounted.succeeded.includes(uid) || uncounted.failed.includes(uid)
    if (known) release.push(pod)
    else if (isSucceeded(pod)) {
      release.push(pod)
      newlySucceeded.push(pod)
      const index = indexOf(pod)
      if (!isIndexed(job)) uncounted.succeeded.push(uid)
      else if (index !== undefined && index < completions) completed.add(index)
    } else if (isFailed(job, pod)) {
      release.push(pod)
      // Pods that a suspension removes are nobody's failure.
      if (job.spec.suspend && pod.status.phase !== 'Failed') continue
      newlyFailed.push(pod)
      const found = judge(job.spec.podFailurePolicy, pod)
      if (found.action === 'FailJob') verdict ??= found
      if (found.action === 'Ignore') continue
      uncounted.failed.push(uid)
      const index = failedIndex(job, pod, found)
      if (index !== undefined) failedIndexes.add(index)
    }
  }
  return { ...counted, succeeded: isIndexed(job) ? completed.size : counted.succeeded, completed, failedIndexes, uncounted, release, newlyFailed, newlySucceeded, verdict }
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
export const successes = (tally: Tally): number => tally.succeeded + tally.uncounted.succeeded.length
/** Failures, those not counted yet among them. */
export const failures = (tally: Tally): number => tally.failed + tally.uncounted.failed.length
