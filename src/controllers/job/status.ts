/** The status of a job. */
import type { batch } from '../../api/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { isReady } from '../shared/pods.ts'
import type { Outcome } from './outcome.ts'
import { isActive, isTerminating, type Job, type Pod } from './pods.ts'
import { tallyStatus, type Tally } from './tracking.ts'

type Condition = batch.JobCondition

function withCondition(conditions: readonly Condition[], time: string, type: string, status: string, reason: string, message: string): readonly Condition[] {
  const before = conditions.find((c) => c.type === type)
  if (before?.status === status && before.reason === reason) return conditions
  const after = { type, status, reason, message, lastProbeTime: time, lastTransitionTime: time }
  return before ? conditions.map((c) => (c === before ? after : c)) : [...conditions, after]
}

/** The final condition comes when no pod runs any more and every one is counted. */
function withOutcome(conditions: readonly Condition[], outcome: Outcome | undefined, settled: boolean, time: string): readonly Condition[] {
  if (!outcome) return conditions
  const { type, reason, message } = outcome
  const marked = withCondition(conditions, time, type, 'True', reason, message)
  return settled ? withCondition(marked, time, type === 'FailureTarget' ? 'Failed' : 'Complete', 'True', reason, message) : marked
}

function withSuspension(job: Job, time: string): readonly Condition[] {
  const conditions = job.status.conditions ?? []
  const suspended = conditions.find((c) => c.type === 'Suspended')?.status === 'True'
  if (job.spec.suspend) return withCondition(conditions, time, 'Suspended', 'True', 'JobSuspended', 'Job suspended')
  return suspended ? withCondition(conditions, time, 'Suspended', 'False', 'JobResumed', 'Job resumed') : conditions
}

export function statusOf(job: Job, pods: readonly Pod[], tally: Tally, outcome: Outcome | undefined, now: number): batch.JobStatus {
  const time = rfc3339(now)
  const active = pods.filter(isActive)
  const terminating = pods.filter(isTerminating).length
  const settled = active.length === 0 && terminating === 0 && tally.release.length === 0 && tally.held.size === 0 && tally.ahead.succeeded + tally.ahead.failed === 0
  const suspension = outcome ? (job.status.conditions ?? []) : withSuspension(job, time)
  const conditions = withOutcome(suspension, outcome, settled, time)
  const complete = conditions.some((c) => c.type === 'Complete' && c.status === 'True')
  const startTime = job.spec.suspend && !outcome ? undefined : (job.status.startTime ?? time)
  return {
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(startTime ? { startTime } : {}),
    ...(complete ? { completionTime: job.status.completionTime ?? time } : {}),
    ...(active.length > 0 ? { active: active.length } : {}),
    ...tallyStatus(job, tally),
    terminating,
    ready: active.filter(isReady).length,
  }
}
