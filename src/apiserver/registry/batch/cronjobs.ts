/** Cron jobs. */
import type { batch } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, oneOfThese } from '../checks.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, boolean, integer, nameColumn, printer, selectorText, since, text, wide } from '../printing.ts'
import { scheduleProblem } from './cron-schedule.ts'
import { failurePolicyDefaults } from './job-defaults.ts'
import { jobTemplateSpec } from './job-validation.ts'
import { jobWarnings } from './job-warnings.ts'

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
  return within(next, 'jobTemplate', (template) => within(template, 'spec', (jobSpec) => failurePolicyDefaults({ ...jobSpec, template: podTemplateDefaults(jobSpec.template) })))
})

function spec(at: Place, value: batch.CronJobSpec, before?: batch.CronJobSpec): void {
  if (!value.schedule) at.at('schedule').required()
  else schedule(at.at('schedule'), value, before)
  notNegative(at.at('startingDeadlineSeconds'), value.startingDeadlineSeconds)
  if (!before || before.timeZone !== value.timeZone) zone(at.at('timeZone'), value.timeZone)
  oneOfThese(at.at('concurrencyPolicy'), value.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'])
  jobTemplateSpec(at.at('jobTemplate').at('spec'), value.jobTemplate.spec)
  notNegative(at.at('successfulJobsHistoryLimit'), value.successfulJobsHistoryLimit)
  notNegative(at.at('failedJobsHistoryLimit'), value.failedJobsHistoryLimit)
}

/** A schedule names no time zone; one that did when that was allowed may go on. */
function schedule(at: Place, { schedule: text, timeZone }: batch.CronJobSpec, before: batch.CronJobSpec | undefined): void {
  const [, name, rest = text] = /^(?:CRON_)?TZ=(\S*) +(.*)$/.exec(text) ?? []
  const problem = name === undefined || isZone(name) ? scheduleProblem(rest) : `provided bad location ${name}: unknown time zone ${name}`
  if (problem) at.invalid(text, problem)
  if (!text.includes('TZ')) return
  if (!before?.schedule.includes('TZ')) at.invalid(text, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
  else if (timeZone !== undefined) at.invalid(text, 'cannot use both timeZone field and TZ or CRON_TZ in schedule')
}

/** Whether there is such a time zone; their names are told apart by upper and lower case. */
function isZone(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return false
  }
}

/** A part of the name of a time zone, by the rules of IANA. */
const zonePart = /^(?!\.{1,2}$)[A-Za-z._0-9+][A-Za-z._0-9+-]{0,13}$/

function zone(at: Place, name: string | undefined): void {
  if (name === undefined) return
  if (name === '') return at.invalid(name, 'timeZone must be nil or non-empty string')
  if (name.toLowerCase() === 'local') at.invalid(name, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')
  if (name !== 'Local' && !(name.split('/').every((part) => zonePart.test(part)) && isZone(name))) at.invalid(name, `unknown time zone ${name}`)
}

function warnings(job: batch.CronJob, current: batch.CronJob | undefined): readonly string[] {
  const inSchedule = current && job.spec.schedule.includes('TZ')
  return [
    ...jobWarnings(path('spec').at('jobTemplate').at('spec'), job, job.spec.jobTemplate.spec, current),
    ...(inSchedule ? ['cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'] : []),
  ]
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
  validateUpdate: (next, current, root) => spec(root.at('spec'), next.spec, current.spec),
  warnings,
  printer: cronJobPrinter,
}
