/** What the status of a job may say, and what it may not take back. */
import type { batch } from '../../../api/index.ts'
import { omitted, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { distinct, forEach, notNegative } from '../checks.ts'

const isTrue = ({ conditions }: batch.JobStatus, type: string): boolean => conditions?.some((c) => c.type === type && c.status === 'True') ?? false
const isFinished = (status: batch.JobStatus): boolean => isTrue(status, 'Complete') || isTrue(status, 'Failed')

/** Pods that are over and not counted yet: each once. */
function uncounted(at: Place, uids: readonly string[] | undefined): void {
  forEach(at, uids, (uid, place) => { if (uid === '') place.invalid(uid, 'must not be empty') })
  distinct(at, uids, (uid) => uid)
}

/** Pairs that contradict each other. */
const apart = [['Complete', 'Failed', 'Complete=True and Failed=true'], ['Complete', 'FailureTarget', 'Complete=True and FailureTarget=true'], ['Failed', 'SuccessCriteriaMet', 'Failed=True and SuccessCriteriaMet=true'],
  ['FailureTarget', 'SuccessCriteriaMet', 'FailureTarget=true and SuccessCriteriaMet=true']] as const

function conditions(at: Place, next: batch.JobStatus, current: batch.JobStatus): void {
  if (deepEqual(next.conditions ?? [], current.conditions ?? [])) return
  for (const [one, other, shown] of apart) if (isTrue(next, one) && isTrue(next, other)) at.invalid(omitted, `cannot set ${shown} conditions`)
  for (const [type, sign] of [['Complete', 'SuccessCriteriaMet'], ['Failed', 'FailureTarget']] as const) {
    if (isTrue(next, type) && !isTrue(current, type) && !isTrue(next, sign)) at.invalid(omitted, `cannot set ${type}=True condition without the ${sign}=true condition`)
  }
  for (const type of ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet']) {
    if (isTrue(current, type) && !isTrue(next, type)) at.invalid(omitted, `cannot disable the ${type === 'Complete' || type === 'Failed' ? 'terminal ' : ''}${type}=True condition`)
  }
}

/** When it began and ended. */
function times(at: Place, next: batch.JobStatus, current: batch.JobStatus): void {
  const place = at.at('completionTime')
  const changed = next.completionTime !== current.completionTime || !deepEqual(next.conditions ?? [], current.conditions ?? [])
  if (changed && next.completionTime && !isTrue(next, 'Complete')) place.invalid(next.completionTime, 'cannot set completionTime when there is no Complete=True condition')
  if (changed && !next.completionTime && isTrue(next, 'Complete')) place.required('completionTime is required for Complete jobs')
  if (changed && next.completionTime && next.startTime && Date.parse(next.completionTime) < Date.parse(next.startTime)) place.invalid(next.completionTime, 'completionTime cannot be set before startTime')
  if (current.completionTime && next.completionTime !== current.completionTime) place.invalid(next.completionTime ?? null, 'field is immutable')
  if (isFinished(next) && !isFinished(current) && !next.startTime) at.at('startTime').required('startTime is required for finished job')
}

/** A finished job has nothing left to do. */
function finished(at: Place, next: batch.JobStatus, current: batch.JobStatus): void {
  if (!isFinished(next)) return
  const { active = 0, uncountedTerminatedPods: pods } = next
  if (active > 0 && (!isFinished(current) || active !== (current.active ?? 0))) at.at('active').invalid(active, 'active>0 is invalid for finished job')
  const left = (pods?.succeeded?.length ?? 0) + (pods?.failed?.length ?? 0)
  if (left > 0 && (!isFinished(current) || !deepEqual(pods, current.uncountedTerminatedPods))) at.at('uncountedTerminatedPods').invalid(pods, 'uncountedTerminatedPods needs to be empty for finished job')
}

/** What is wrong with a new status of a job. */
export function jobStatusUpdate({ status: next, spec }: batch.Job, { status: current }: batch.Job, root: Place): void {
  const at = root.at('status')
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) notNegative(at.at(name), next[name])
  const pods = at.at('uncountedTerminatedPods')
  uncounted(pods.at('succeeded'), next.uncountedTerminatedPods?.succeeded)
  uncounted(pods.at('failed'), next.uncountedTerminatedPods?.failed)
  conditions(at.at('conditions'), next, current)
  times(at, next, current)
  finished(at, next, current)
  // An indexed job may come to want fewer indexes; what was counted of others is not counted any more.
  for (const name of ['failed', 'succeeded'] as const) {
    if (spec.completionMode !== 'Indexed' && (next[name] ?? 0) < (current[name] ?? 0)) at.at(name).invalid(next[name] ?? 0, `cannot decrease the ${name} counter`)
  }
  if ((next.ready ?? 0) > (next.active ?? 0) && (next.ready !== current.ready || next.active !== current.active)) at.at('ready').invalid(next.ready, 'cannot set more ready pods than active')
}
