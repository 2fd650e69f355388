/**
 * What the status of a job may say, and what it may not take back. Other controllers may run a job (`managedBy`), so clients are promised here
 * what they would expect of ours. Most of it is asked only of what an update changes: a spec may have moved away from under a status.
 */
import type { batch } from '../../../api/index.ts'
import { omitted, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { forEach, notNegative } from '../checks.ts'
import { indexText, sharedIndex } from './job-indexes.ts'

const isTrue = ({ conditions }: batch.JobStatus, type: string): boolean => conditions?.some((c) => c.type === type && c.status === 'True') ?? false
const isFinished = (status: batch.JobStatus): boolean => isTrue(status, 'Complete') || isTrue(status, 'Failed')

/** An update of a status, with what of it changed. */
interface Step {
  readonly spec: batch.JobSpec
  readonly next: batch.JobStatus
  readonly current: batch.JobStatus
  /** Whether one of these fields is another, or one of these conditions came or went. */
  changed(...names: readonly (keyof batch.JobStatus | 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet')[]): boolean
}

function stepOf(spec: batch.JobSpec, next: batch.JobStatus, current: batch.JobStatus): Step {
  const differs = (name: string) => (/^[A-Z]/.test(name) ? isTrue(next, name) !== isTrue(current, name) : !deepEqual(next[name as keyof batch.JobStatus] ?? null, current[name as keyof batch.JobStatus] ?? null))
  return { spec, next, current, changed: (...names) => names.some(differs) }
}

/** Pods that are over and not counted yet: each once, in one way. */
function uncounted(at: Place, pods: batch.UncountedTerminatedPods | undefined): void {
  const seen = new Set<string>()
  for (const how of ['succeeded', 'failed'] as const) {
    forEach(at.at(how), pods?.[how], (uid, place) => {
      if (uid === '') place.invalid(uid, 'must not be empty')
      else if (seen.has(uid)) place.duplicate(uid)
      seen.add(uid)
    })
  }
}

/** Conditions that contradict each other, or lack their sign, and the times that belong to them. */
function outcome(at: Place, { next, changed }: Step): void {
  const [conditions, completed] = [at.at('conditions'), at.at('completionTime')]
  const [complete, failed] = [isTrue(next, 'Complete'), isTrue(next, 'Failed')]
  if (changed('Complete', 'Failed') && complete && failed) conditions.invalid(omitted, 'cannot set Complete=True and Failed=true conditions')
  if (changed('Complete', 'FailureTarget') && complete && isTrue(next, 'FailureTarget')) conditions.invalid(omitted, 'cannot set Complete=True and FailureTarget=true conditions')
  if (changed('Complete', 'completionTime')) {
    if (next.completionTime && !complete) completed.invalid(next.completionTime, 'cannot set completionTime when there is no Complete=True condition')
    if (!next.completionTime && complete) completed.required('completionTime is required for Complete jobs')
  }
  if (changed('startTime', 'completionTime') && next.startTime && next.completionTime && Date.parse(next.completionTime) < Date.parse(next.startTime)) {
    completed.invalid(next.completionTime, 'completionTime cannot be set before startTime')
  }
  if (changed('Failed', 'FailureTarget') && failed && !isTrue(next, 'FailureTarget')) conditions.invalid(omitted, 'cannot set Failed=True condition without the FailureTarget=true condition')
  if (changed('Complete', 'SuccessCriteriaMet') && complete && !isTrue(next, 'SuccessCriteriaMet')) conditions.invalid(omitted, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
}

/** A finished job has begun, and has nothing left to do. */
function finished(at: Place, { next, changed }: Step): void {
  if (!isFinished(next)) return
  const { active = 0, uncountedTerminatedPods: pods } = next
  const ended = changed('Complete', 'Failed')
  if (active > 0 && (ended || changed('active'))) at.at('active').invalid(active, 'active>0 is invalid for finished job')
  if (!next.startTime && (ended || changed('startTime'))) at.at('startTime').required('startTime is required for finished job')
  const left = (pods?.succeeded?.length ?? 0) + (pods?.failed?.length ?? 0)
  if (left > 0 && (ended || changed('uncountedTerminatedPods'))) at.at('uncountedTerminatedPods').invalid(pods, 'uncountedTerminatedPods needs to be empty for finished job')
}

/** Indexes that succeeded and that failed: named in order, each one way, of a job that has indexes. */
function indexes(at: Place, { spec, next, changed }: Step): void {
  const { completions, backoffLimitPerIndex: limit } = spec
  const { completedIndexes: completed = '', failedIndexes: failed } = next
  const [completedChanged, failedChanged] = [changed('completedIndexes'), changed('failedIndexes')]
  if (completedChanged && completions !== undefined) indexText(at.at('completedIndexes'), 'completedIndexes', completed, completions)
  if (failedChanged && completions !== undefined && limit !== undefined && failed !== undefined) indexText(at.at('failedIndexes'), 'failedIndexes', failed, completions)
  if (completedChanged && completed !== '' && spec.completionMode !== 'Indexed') at.at('completedIndexes').invalid(completed, 'cannot set non-empty completedIndexes when non-indexed completion mode')
  if (failedChanged && failed !== undefined && limit === undefined) at.at('failedIndexes').invalid(failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null')
  if ((completedChanged || failedChanged) && completions !== undefined && failed !== undefined) {
    const shared = sharedIndex(completed, failed, completions)
    if (shared !== undefined) at.at('failedIndexes').invalid(failed, `failedIndexes and completedIndexes overlap at index: ${shared}`)
  }
}

/** What holds of a success at any time. */
function success(at: Place, { spec, next }: Step): void {
  const met = isTrue(next, 'SuccessCriteriaMet')
  if (met && isTrue(next, 'Failed')) at.invalid(omitted, 'cannot set SuccessCriteriaMet=True and Failed=true conditions')
  if (met && isTrue(next, 'FailureTarget')) at.invalid(omitted, 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
  if (!met && spec.successPolicy && isTrue(next, 'Complete')) at.invalid(omitted, 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True')
}

/** What was said once stays said, and what was counted stays counted. */
function lasting(at: Place, { spec, next, current, changed }: Step): void {
  const conditions = at.at('conditions')
  const gone = (type: string) => isTrue(current, type) && !isTrue(next, type)
  for (const type of ['Failed', 'Complete', 'FailureTarget']) if (gone(type)) conditions.invalid(omitted, `cannot disable the terminal ${type}=True condition`)
  // A job whose completions are its parallelism may be made smaller, and then what succeeded beyond is not counted any more.
  const shrinks = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism
  for (const name of ['failed', 'succeeded'] as const) {
    if ((next[name] ?? 0) < (current[name] ?? 0) && !(name === 'succeeded' && shrinks)) at.at(name).invalid(next[name] ?? 0, `cannot decrease the ${name} counter`)
  }
  if (next.completionTime && current.completionTime && changed('completionTime')) at.at('completionTime').invalid(next.completionTime, 'completionTime cannot be mutated')
  if (current.startTime && changed('startTime') && !spec.suspend) at.at('startTime').required('startTime cannot be removed for unsuspended job')
  if (gone('SuccessCriteriaMet')) conditions.invalid(omitted, 'cannot disable the SuccessCriteriaMet=True condition')
  if (isTrue(current, 'Complete') && !isTrue(current, 'SuccessCriteriaMet') && isTrue(next, 'SuccessCriteriaMet')) {
    conditions.invalid(omitted, 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions')
  }
}

/** What is wrong with a new status of a job. */
export function jobStatusUpdate({ status: next, spec }: batch.Job, { status: current }: batch.Job, root: Place): void {
  const at = root.at('status')
  const step = stepOf(spec, next, current)
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) notNegative(at.at(name), next[name])
  uncounted(at.at('uncountedTerminatedPods'), next.uncountedTerminatedPods)
  outcome(at, step)
  finished(at, step)
  indexes(at, step)
  if ((next.terminating ?? 0) > 0 && isFinished(next) && step.changed('Complete', 'Failed', 'terminating')) at.at('terminating').invalid(next.terminating, 'terminating>0 is invalid for finished job')
  if ((next.ready ?? 0) > (next.active ?? 0) && step.changed('ready', 'active')) at.at('ready').invalid(next.ready, 'cannot set more ready pods than active')
  success(at.at('conditions'), step)
  lasting(at, step)
}
