/** The CronJob controller: makes jobs when their time comes, and keeps a history of those that ended. */
import { batch, type In } from '../../api/index.ts'
import { isNamespaceTerminating, keyOf, runController, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler, type Result } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isAlreadyExists, isNotFound } from '../../machinery/errors.ts'
import { controllerOf, deepEqual, ownerReference } from '../../machinery/meta.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { controlledBy, controllerIndex } from '../shared/pods.ts'
import { createWritten, type Written } from '../shared/written.ts'
import { dueRun } from './due.ts'
import { isTimeZone, localRfc3339, parseSchedule, type Schedule } from './schedule.ts'

type CronJob = batch.CronJob
type Job = batch.Job

interface Environment { readonly client: Client; readonly recorder: EventRecorder; readonly clock: Clock; readonly cronJobs: Informer<CronJob>; readonly jobs: Informer<Job>; readonly written: Written<CronJob> }

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
/** A little after the minute: a clock that is a bit early must not count as not there yet. */
const tolerance = 100

const endOf = (job: Job): 'Complete' | 'Failed' | undefined => {
  const end = job.status.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True')
  return end?.type as 'Complete' | 'Failed' | undefined
}

const jobFor = (cronJob: CronJob, time: number): In<typeof batch.Job> => {
  const { metadata, spec } = cronJob.spec.jobTemplate
  return {
    metadata: {
      name: `${cronJob.metadata.name}-${Math.floor(time / 60_000)}`,
      namespace: cronJob.metadata.namespace,
      ...(metadata.labels ? { labels: metadata.labels } : {}),
      annotations: { ...metadata.annotations, [scheduledAnnotation]: localRfc3339(time, cronJob.spec.timeZone) },
      ownerReferences: [ownerReference(cronJob)],
    },
    spec,
  }
}

/** Oldest first; those that never started are the newest. */
const byStart = (a: Job, b: Job): number => (a.status.startTime ?? '~').localeCompare(b.status.startTime ?? '~') || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function createActions({ client, recorder }: Environment) {
  const remove = async (cronJob: CronJob, job: Job): Promise<void> => {
    const { name = '', namespace = '', uid = '' } = job.metadata
    try {
      await client.delete(batch.jobs, name, { namespace, propagationPolicy: 'Background', preconditions: { uid } })
      recorder.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`)
    } catch (error) {
      if (isNotFound(error)) return
      recorder.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`)
      throw error
    }
  }

  /** Removes the oldest ended jobs beyond the limits of the history. */
  async function trim(cronJob: CronJob, jobs: readonly Job[]): Promise<void> {
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec
    for (const [end, limit] of [['Complete', successfulJobsHistoryLimit], ['Failed', failedJobsHistoryLimit]] as const) {
      const ended = jobs.filter((job) => endOf(job) === end && !job.metadata.deletionTimestamp).sort(byStart)
      if (limit !== undefined) for (const job of ended.slice(0, Math.max(0, ended.length - limit))) await remove(cronJob, job)
    }
  }

  /** Makes the job of a scheduled time; undefined when it was made and is gone again. */
  async function create(cronJob: CronJob, time: number): Promise<Job | undefined> {
    const object = jobFor(cronJob, time)
    const name = (object.metadata as { name: string }).name
    try {
      const job = await client.create(batch.jobs, object)
      recorder.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`)
      return job
    } catch (error) {
      if (isAlreadyExists(error)) {
        const there = await client.get(batch.jobs, name, { namespace: cronJob.metadata.namespace ?? '' })
        return controllerOf(there)?.uid === cronJob.metadata.uid ? there : undefined
      }
      if (!isNamespaceTerminating(error)) recorder.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`)
      throw error
    }
  }
  return { remove, trim, create }
}

const reference = (job: Job) => ({ kind: 'Job', namespace: job.metadata.namespace ?? '', name: job.metadata.name ?? '', uid: job.metadata.uid ?? '', apiVersion: batch.jobs.apiVersion, resourceVersion: job.metadata.resourceVersion ?? '' })

/**
 * The status as the jobs make it; tells of those that ended, are gone, or were never expected. The latter (`kubectl create job --from`
 * makes them) are nobody's runs: they hold up none, and none replaces them.
 */
function follow(cronJob: CronJob, jobs: readonly Job[], recorder: EventRecorder): batch.CronJobStatus {
  const listed = cronJob.status.active ?? []
  for (const { uid, name } of listed) {
    const job = jobs.find((j) => j.metadata.uid === uid)
    if (!job) recorder.event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
    else if (endOf(job)) recorder.event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${endOf(job)}`)
  }
  for (const job of jobs) {
    if (endOf(job) || listed.some((ref) => ref.uid === job.metadata.uid)) continue
    recorder.event(cronJob, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`)
  }
  const ends = jobs.filter((job) => endOf(job) === 'Complete').flatMap((job) => job.status.completionTime ?? []).filter((t) => typeof t === 'string')
  const lastSuccessfulTime = [...ends, ...(cronJob.status.lastSuccessfulTime ? [cronJob.status.lastSuccessfulTime] : [])].sort().at(-1)
  const active = listed.filter((ref) => jobs.some((job) => job.metadata.uid === ref.uid && !endOf(job)))
  return {
    ...(active.length > 0 ? { active } : {}),
    ...(cronJob.status.lastScheduleTime ? { lastScheduleTime: cronJob.status.lastScheduleTime } : {}),
    ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
  }
}

function cronJobReconciler(env: Environment): Reconciler {
  const { client, recorder, clock, cronJobs, jobs, written } = env
  const { remove, trim, create } = createActions(env)

  const write = async (cronJob: CronJob, status: batch.CronJobStatus): Promise<CronJob> => {
    if (deepEqual(status, cronJob.status)) return cronJob
    const next = await client.updateStatus(batch.cronjobs, { ...cronJob, status })
    written.wrote(keyOf(cronJob), next)
    return next
  }

  const schedule = (cronJob: CronJob): Schedule | undefined => {
    const { timeZone } = cronJob.spec
    if (timeZone !== undefined && !isTimeZone(timeZone)) {
      recorder.event(cronJob, 'Warning', 'UnknownTimeZone', `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`)
      return undefined
    }
    try {
      return parseSchedule(cronJob.spec.schedule, timeZone)
    } catch (error) {
      recorder.event(cronJob, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(cronJob.spec.schedule)} : ${messageOf(error)}`)
      return undefined
    }
  }

  /** Runs what is due, as far as the concurrency policy and the deadline let. */
  async function run(cronJob: CronJob, time: number): Promise<void> {
    const { concurrencyPolicy, startingDeadlineSeconds } = cronJob.spec
    if (startingDeadlineSeconds !== undefined && time + Number(startingDeadlineSeconds) * 1000 < clock.now())
      return recorder.event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${new Date(time).toUTCString().replace('GMT', '+0000')}`)
    const active = cronJob.status.active ?? []
    if (concurrencyPolicy === 'Forbid' && active.length > 0)
      return recorder.event(cronJob, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid')
    const kept = concurrencyPolicy === 'Replace' ? [] : active
    if (concurrencyPolicy === 'Replace')
      for (const { name = '', namespace = '' } of active) {
        const job = jobs.get(`${namespace}/${name}`)
        if (job) await remove(cronJob, job)
      }
    const job = await create(cronJob, time)
    if (!job) return
    const others = kept.filter((ref) => ref.uid !== job.metadata.uid)
    await write(cronJob, { ...cronJob.status, active: [...others, reference(job)], lastScheduleTime: rfc3339(time) })
  }

  return {
    async reconcile(key): Promise<Result | void> {
      const cronJob = cronJobs.get(key)
      if (!cronJob) return
      if (!written.isSeen(key)) return { requeueAfter: 1000 }
      const own = controlledBy(jobs, cronJob.metadata.uid ?? '')
      // A job just made may not be here yet: it stays active until the watch has told of it, or it is gone for good.
      const late = (cronJob.status.active ?? []).filter((ref) => !own.some((job) => job.metadata.uid === ref.uid))
      const missing = await Promise.all(late.map((ref) => client.get(batch.jobs, ref.name ?? '', { namespace: ref.namespace ?? '' }).catch((error: unknown) => { if (isNotFound(error)) return undefined; throw error })))
      const all = [...own, ...missing.filter((job) => job !== undefined)]
      const current = await write(cronJob, follow(cronJob, all, recorder))
      await trim(current, all)
      if (current.metadata.deletionTimestamp || current.spec.suspend) return
      const times = schedule(current)
      if (!times) return
      const due = dueRun(current, times, clock.now())
      if (due.tooMany) recorder.event(current, 'Warning', 'TooManyMissedTimes', 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew')
      // A run that was held back stays due until it is too late for it or the next one is.
      if (due.time !== undefined && rfc3339(due.time) !== current.status.lastScheduleTime) await run(current, due.time)
      return due.next === undefined ? undefined : { requeueAfter: due.next - clock.now() + tolerance }
    },
  }
}

export function startCronJobController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'cronjob-controller'
  const cronJobs = informers.for(batch.cronjobs)
  const jobs = informers.for(batch.jobs, { indexes: controllerIndex })
  return runController({
    name,
    reconciler: cronJobReconciler({ client: context.client(name), recorder: recorderOf(context, name), clock, cronJobs, jobs, written: createWritten(cronJobs, clock) }),
    watches: [
      watch(cronJobs, (cronJob) => [keyOf(cronJob)]),
      watch(jobs, (job) => {
        const owner = controllerOf(job)
        return owner?.kind === 'CronJob' ? [`${job.metadata.namespace}/${owner.name}`] : []
      }),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
