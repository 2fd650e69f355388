/** Whether a job is done, and how. */
import type { batch } from '../../api/index.ts'
import { parseTime } from '../../machinery/time.ts'
import { parseIndexes } from './indexes.ts'
import { isIndexed, restartsOf, type Job, type Pod } from './pods.ts'
import { failures, successes, type Tally } from './tracking.ts'

export interface Outcome { readonly type: 'SuccessCriteriaMet' | 'FailureTarget'; readonly reason: string; readonly message: string }

const failed = (reason: string, message: string): Outcome => ({ type: 'FailureTarget', reason, message })
const succeeded = (reason: string, message: string): Outcome => ({ type: 'SuccessCriteriaMet', reason, message })

/** The job's condition of a type, if it is true. */
export const conditionOf = (job: Job, type: string): batch.JobCondition | undefined => job.status.conditions?.find((c) => c.type === type && c.status === 'True')
/** Whether the job is complete or failed. */
export const isDone = (job: Job): boolean => conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined

/** Milliseconds until the job's deadline, below 0 when it has passed; undefined without one. */
export function untilDeadline(job: Job, now: number): number | undefined {
  const { activeDeadlineSeconds: seconds, suspend } = job.spec
  return seconds === undefined || suspend || !job.status.startTime ? undefined : parseTime(job.status.startTime) + Number(seconds) * 1000 - now
}

function bySuccessPolicy(job: Job, { completed }: Tally): Outcome | undefined {
  for (const [i, rule] of (job.spec.successPolicy?.rules ?? []).entries()) {
    const among = rule.succeededIndexes === undefined ? completed : parseIndexes(rule.succeededIndexes, job.spec.completions ?? 0)
    const hits = [...among].filter((index) => completed.has(index)).length
    if (hits >= (rule.succeededCount ?? among.size) && hits > 0) return succeeded('SuccessPolicy', `Matched rules at index ${i}`)
  }
  return undefined
}

function failureOf(job: Job, pods: readonly Pod[], tally: Tally, now: number): Outcome | undefined {
  const { backoffLimit = 6, backoffLimitPerIndex, maxFailedIndexes, template } = job.spec
  if (tally.verdict) return failed('PodFailurePolicy', tally.verdict.message)
  const left = untilDeadline(job, now)
  if (left !== undefined && left <= 0) return failed('DeadlineExceeded', 'Job was active longer than specified deadline')
  const restarts = template.spec.restartPolicy === 'OnFailure' ? restartsOf(pods) : 0
  if (failures(tally) > backoffLimit || (restarts > 0 && restarts >= Math.max(1, backoffLimit))) return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  if (backoffLimitPerIndex !== undefined && maxFailedIndexes !== undefined && tally.failedIndexes.size > maxFailedIndexes)
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  return undefined
}

/** How the job ends, or undefined while it goes on. `active` counts pods that may still succeed. */
export function outcomeOf(job: Job, pods: readonly Pod[], tally: Tally, active: number, now: number): Outcome | undefined {
  const decided = conditionOf(job, 'FailureTarget') ?? conditionOf(job, 'SuccessCriteriaMet')
  if (decided) return { type: decided.type as Outcome['type'], reason: decided.reason ?? '', message: decided.message ?? '' }
  const failure = failureOf(job, pods, tally, now)
  if (failure) return failure
  const early = isIndexed(job) ? bySuccessPolicy(job, tally) : undefined
  if (early) return early
  if (job.spec.suspend || active > 0) return undefined
  const { completions } = job.spec
  if (completions === undefined) return successes(tally) > 0 ? succeeded('CompletionsReached', 'Reached expected number of succeeded pods') : undefined
  if (tally.failedIndexes.size > 0 && tally.failedIndexes.size + tally.completed.size >= completions) return failed('FailedIndexes', 'Job has failed indexes')
  return successes(tally) >= completions ? succeeded('CompletionsReached', 'Reached expected number of succeeded pods') : undefined
}
