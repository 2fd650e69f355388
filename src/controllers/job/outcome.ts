/** Whether a job is done, and how. */
import { parseTime } from '../../machinery/time.ts'
import { parseIndexes } from './indexes.ts'
import { conditionOf, isActive, isIndexed, restartsOf, type Job, type Pod } from './pods.ts'
import { failures, successes, type Tally } from './tracking.ts'

export interface Outcome { readonly type: 'SuccessCriteriaMet' | 'FailureTarget'; readonly reason: string; readonly message: string }

const failed = (reason: string, message: string): Outcome => ({ type: 'FailureTarget', reason, message })
const succeeded = (reason: string, message: string): Outcome => ({ type: 'SuccessCriteriaMet', reason, message })

/** Whether the job is complete or failed. */
export const isDone = (job: Job): boolean => conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined

/** Milliseconds until the job's deadline, below 0 when it has passed; undefined without one. */
export function untilDeadline(job: Job, now: number): number | undefined {
  const { activeDeadlineSeconds: seconds, suspend } = job.spec
  return seconds === undefined || suspend || !job.status.startTime ? undefined : parseTime(job.status.startTime) + Number(seconds) * 1000 - now
}

function bySuccessPolicy(job: Job, { completed }: Tally): Outcome | undefined {
  if (completed.size === 0) return undefined
  for (const [i, { succeededIndexes, succeededCount }] of (job.spec.successPolicy?.rules ?? []).entries()) {
    const among = succeededIndexes === undefined ? completed : parseIndexes(succeededIndexes, job.spec.completions ?? 0)
    if (among.size === 0) continue
    const hits = [...among].filter((index) => completed.has(index)).length
    if (hits >= Math.min(among.size, succeededCount ?? among.size) && (succeededIndexes !== undefined || hits >= (succeededCount ?? Infinity))) return succeeded('SuccessPolicy', `Matched rules at index ${i}`)
  }
  return undefined
}

function failureOf(job: Job, pods: readonly Pod[], tally: Tally, now: number): Outcome | undefined {
  const { backoffLimit = 6, backoffLimitPerIndex, maxFailedIndexes, completions = 0, template } = job.spec
  if (tally.verdict) return failed('PodFailurePolicy', tally.verdict.message)
  const restarts = template.spec.restartPolicy === 'OnFailure' ? restartsOf(pods) : 0
  if (failures(tally) > backoffLimit || (restarts > 0 && restarts >= Math.max(1, backoffLimit))) return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const left = untilDeadline(job, now)
  if (left !== undefined && left <= 0) return failed('DeadlineExceeded', 'Job was active longer than specified deadline')
  if (!isIndexed(job) || backoffLimitPerIndex === undefined) return undefined
  const { size } = tally.failedIndexes
  if (maxFailedIndexes !== undefined && size > maxFailedIndexes) return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  return size > 0 && size + tally.completed.size >= completions ? failed('FailedIndexes', 'Job has failed indexes') : undefined
}

/** How the job ends, or undefined while it goes on. */
export function outcomeOf(job: Job, pods: readonly Pod[], tally: Tally, now: number): Outcome | undefined {
  const decided = conditionOf(job, 'SuccessCriteriaMet') ?? conditionOf(job, 'FailureTarget')
  if (decided) return { type: decided.type as Outcome['type'], reason: decided.reason ?? '', message: decided.message ?? '' }
  const failure = failureOf(job, pods, tally, now)
  if (failure) return failure
  const early = isIndexed(job) ? bySuccessPolicy(job, tally) : undefined
  if (early || pods.some(isActive)) return early
  // Without a number of completions one success is enough.
  return successes(tally) >= (job.spec.completions ?? 1) ? succeeded('CompletionsReached', 'Reached expected number of succeeded pods') : undefined
}
