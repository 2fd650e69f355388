/** Jobs. */
import type { batch } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { shortAge } from '../../../machinery/time.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn, printer, selectorColumn, text } from '../printing.ts'
import { jobDefaults, withGeneratedSelector } from './job-defaults.ts'
import { jobStatusUpdate } from './job-status.ts'
import { jobWarnings } from './job-warnings.ts'
import { jobUpdate, wholeJob } from './job-validation.ts'

const isTrue = (job: batch.Job, type: string): boolean => job.status.conditions?.some((c) => c.type === type && c.status === 'True') ?? false

const jobPrinter = printer<batch.Job>(
  nameColumn,
  text('Status', 'How it stands.', statusText),
  text('Completions', 'Pods that succeeded, of those wanted.', completions),
  text('Duration', 'How long it ran, or has been running.', duration),
  ageColumn,
  containersColumn,
  imagesColumn,
  selectorColumn,
)

function statusText(job: batch.Job): string {
  if (isTrue(job, 'Complete')) return 'Complete'
  if (isTrue(job, 'Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp) return 'Terminating'
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (isTrue(job, type)) return type
  return 'Running'
}

function completions(job: batch.Job): string {
  const done = job.status.succeeded ?? 0
  if (job.spec.completions !== undefined) return `${done}/${job.spec.completions}`
  const parallelism = job.spec.parallelism ?? 0
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
}

/** Of a job that failed too, how long it ran: Kubernetes lets its time run on. */
function duration(job: batch.Job, now: number): string {
  const { startTime, completionTime } = job.status
  if (!startTime) return ''
  const failed = job.status.conditions?.find((c) => c.type === 'Failed' && c.status === 'True')?.lastTransitionTime
  const end = completionTime ?? failed
  return shortAge((end ? Date.parse(end) : now) - Date.parse(startTime))
}

export const jobs: Strategy<batch.Job> = {
  default: jobDefaults,
  prepareForCreate: withGeneratedSelector,
  validate: (job, root) => wholeJob(job, root),
  validateUpdate: jobUpdate,
  validateStatusUpdate: jobStatusUpdate,
  warnings: (job, current) => jobWarnings(path('spec'), job, job.spec, current),
  selectableFields: (job) => ({ 'status.successful': String(job.status.succeeded ?? 0) }),
  printer: jobPrinter,
}
