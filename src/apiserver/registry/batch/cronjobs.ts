/** Cron jobs. */
import type { batch } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { validateAnnotations, validateLabels } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, oneOfThese } from '../checks.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { templateWarnings } from '../core/pod-warnings.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, boolean, integer, nameColumn, printer, selectorText, since, text, wide } from '../printing.ts'
import { scheduleProblem } from './cron-schedule.ts'
import { jobTemplateSpec } from './job-validation.ts'

const containersOf = (job: batch.CronJob) => job.spec.jobTemplate.spec.template.spec.containers

const cronJobPrinter = printer<batch.CronJob>(
  nameColumn,
  text('Schedule', 'When it runs.', (o) => o.spec.schedule),
  text('Timezone', 'In which time zone the schedule is meant.', (o) => o.spec.timeZone ?? '<none>'),
  boolean('Suspend', 'Whether it is held back.', (o) => String(o.spec.suspend ?? false).replace(/^./, (c) => c.toUpperCase())),
  integer('Active', 'How many of its jobs are running.', (o) => (o.status.active ?? []).length),
  text('Last Schedule', 'How long ago it was last started.', (o, now) => (o.status.lastScheduleTime ? since(o.status.lastScheduleTime, now) : '<none>')),
  ageColumn,
  wide(text('Containers', 'Names of the containers in the template.', (o) => containersOf(o).map((c) => c.name).join(','))),
  wide(text('Images', 'Images that the containers of the template run.', (o) => containersOf(o).map((c) => c.image ?? '').join(','))),
  wide(text('Selector', 'Which pods belong to its jobs.', (o) => selectorText(o.spec.jobTemplate.spec.selector))),
)

const withDefaults = (job: batch.CronJob): batch.CronJob => within(job, 'spec', (spec) => {
  const next = orDefault(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
  return within(next, 'jobTemplate', (template) => within(template, 'spec', (jobSpec) => ({ ...jobSpec, template: podTemplateDefaults(jobSpec.template) })))
})

function spec(at: Place, value: batch.CronJobSpec): void {
  if (!value.schedule) at.at('schedule').required()
  else if (/^(CRON_)?TZ=/.test(value.schedule)) {
    at.at('schedule').invalid(value.schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
  } else {
    const problem = scheduleProblem(value.schedule)
    if (problem) at.at('schedule').invalid(value.schedule, problem)
  }
  notNegative(at.at('startingDeadlineSeconds'), value.startingDeadlineSeconds)
  zone(at.at('timeZone'), value.timeZone)
  oneOfThese(at.at('concurrencyPolicy'), value.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'])
  notNegative(at.at('successfulJobsHistoryLimit'), value.successfulJobsHistoryLimit)
  notNegative(at.at('failedJobsHistoryLimit'), value.failedJobsHistoryLimit)
  const template = at.at('jobTemplate')
  validateLabels(value.jobTemplate.metadata.labels, template.at('metadata').at('labels'))
  validateAnnotations(value.jobTemplate.metadata.annotations, template.at('metadata').at('annotations'))
  jobTemplateSpec(template.at('spec'), value.jobTemplate.spec)
}

function zone(at: Place, name: string | undefined): void {
  if (name === undefined) return
  if (name === '') return at.invalid(name, 'timeZone must be nil or non-empty string')
  if (name.toLowerCase() === 'local') return at.invalid(name, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    at.invalid(name, `unknown time zone ${name}`)
  }
}

/** Jobs are named after the cron job and a number of eleven characters. */
function nameLength(job: batch.CronJob, root: Place): void {
  const name = job.metadata.name ?? ''
  if (name.length > 52) root.at('metadata').at('name').invalid(name, 'must be no more than 52 characters')
}

export const cronjobs: Strategy<batch.CronJob> = {
  default: withDefaults,
  validate: (job, root) => {
    spec(root.at('spec'), job.spec)
    nameLength(job, root)
  },
  validateUpdate: (next, _current, root) => spec(root.at('spec'), next.spec),
  warnings: (job, current) => templateWarnings(path('spec').at('jobTemplate').at('spec').at('template'), job, job.spec.jobTemplate.spec.template, current, true),
  printer: cronJobPrinter,
}
