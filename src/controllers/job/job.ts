/** The Job controller: runs pods until enough of them have succeeded. */
import { batch, core } from '../../api/index.ts'
import { isNamespaceTerminating, keyOf, runController, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { controllerOf, deepEqual } from '../../machinery/meta.ts'
import { claim } from '../shared/claim.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { createExpectations, type Expectations } from '../shared/expectations.ts'
import { createPodControl, slowStart } from '../shared/pod-control.ts'
import { controlledBy, orphansIn, podInformer } from '../shared/pods.ts'
import { createWritten, type Written } from '../shared/written.ts'
import { rankForDeletion } from '../replicaset/ranking.ts'
import { ownersOf } from '../replicaset/replicas.ts'
import { createBackOff, type BackOff } from './backoff.ts'
import { isDone, outcomeOf, untilDeadline } from './outcome.ts'
import { isActive, isTracked, podFor, trackingFinalizer, type Failures, type Job, type Pod } from './pods.ts'
import { statusOf } from './status.ts'
import { tallyOf, type Tally } from './tracking.ts'
import { missing, tooMany, type Missing } from './wanted.ts'

interface Environment { readonly client: Client; readonly recorder: EventRecorder; readonly clock: Clock; readonly jobs: Informer<Job>; readonly pods: Informer<Pod>; readonly expectations: Expectations; readonly written: Written<Job> }

const burst = 500
const controllerName = 'kubernetes.io/job-controller'

/** Takes the tracking finalizer from pods; a pod that is gone needs none. */
async function release(client: Client, pods: readonly Pod[]): Promise<void> {
  await Promise.all(pods.map(async ({ metadata: { name = '', namespace = '', uid = '', finalizers = [] } }) => {
    const rest = finalizers.filter((f) => f !== trackingFinalizer)
    try {
      await client.patch(core.pods, name, { type: 'merge', body: { metadata: { uid, finalizers: rest.length > 0 ? rest : null } } }, { namespace })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }))
}

/** Before the keys of pods that no job owns any longer, such as those of a job that was deleted without them: nobody counts their end. */
const letGo = 'let go:'
const isLetGo = (pod: Pod): boolean => isTracked(pod) && controllerOf(pod) === undefined

function createPodWork({ client, recorder, clock, expectations }: Environment, backOff: BackOff) {
  const podControl = createPodControl(client, recorder)

  async function create(job: Job, wanted: readonly { readonly index: number | undefined; readonly failures: Failures }[]): Promise<void> {
    const key = keyOf(job)
    const chosen = wanted.slice(0, burst)
    expectations.expectCreations(key, chosen.length)
    let failed = 0
    const { succeeded, error } = await slowStart(chosen.length, async (i) => {
      const { index, failures } = chosen[i] as (typeof chosen)[number]
      await podControl.create(podFor(job, index, failures), job).catch((e: unknown) => {
        failed++
        expectations.created(key)
        if (!isNamespaceTerminating(e)) throw e
      })
    })
    for (let i = succeeded + failed; i < chosen.length; i++) expectations.created(key)
    if (error) throw error
  }

  async function remove(job: Job, pods: readonly Pod[]): Promise<void> {
    const key = keyOf(job)
    expectations.expectDeletions(key, pods.map((pod) => pod.metadata.uid ?? ''))
    const results = await Promise.allSettled(pods.map((pod) => podControl.delete(pod, job).catch((error: unknown) => {
      expectations.deleted(key, pod.metadata.uid ?? '')
      throw error
    })))
    const failed = results.find((r) => r.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Brings the number of running pods to what the job wants; resolves with the milliseconds to wait before more are made. */
  return async (job: Job, pods: readonly Pod[], tally: Tally, ended: boolean): Promise<number | undefined> => {
    const active = pods.filter(isActive)
    const need: Missing = ended || job.spec.suspend ? { parallel: 0, indexes: [] } : missing(job, pods, tally, clock.now())
    const isTooMany = tooMany(job, active, need.parallel).length > 0
    const excess = isTooMany ? tooMany(job, rankForDeletion(active, active, clock.now()), need.parallel).slice(0, ended ? undefined : burst) : []
    if (excess.length > 0) {
      // That there are too many is nobody's failure: they are not counted.
      if (!ended) await release(client, excess.filter(isTracked))
      await remove(job, excess)
      return undefined
    }
    if (need.indexes.length === 0) return need.wait
    const wait = job.spec.backoffLimitPerIndex === undefined ? backOff.remaining(job, clock.now()) : 0
    if (wait > 0) return wait
    await create(job, need.indexes)
    return need.wait
  }
}

/** The events that tell how a job's state changed. */
function tell(recorder: EventRecorder, before: Job, after: batch.JobStatus): void {
  const had = (type: string, status: string) => before.status.conditions?.some((c) => c.type === type && c.status === status) ?? false
  for (const { type, status, reason = '', message = '' } of after.conditions ?? []) {
    if (had(type, status)) continue
    if (type === 'Failed') recorder.event(before, 'Warning', reason, message)
    else if (type === 'Complete') {
      if (before.spec.completions !== undefined && (after.succeeded ?? 0) > before.spec.completions) recorder.event(before, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached')
      recorder.event(before, 'Normal', 'Completed', 'Job completed')
    }
    if (type === 'Suspended') recorder.event(before, 'Normal', status === 'True' ? 'Suspended' : 'Resumed', message)
  }
}

function jobReconciler(env: Environment): Reconciler {
  const { client, recorder, clock, jobs, pods, expectations, written } = env
  const backOff = createBackOff()
  const work = createPodWork(env, backOff)

  /** Pods of a job that is gone count for nobody: they are let go. */
  async function releaseOrphans(key: string): Promise<void> {
    expectations.forget(key)
    const [namespace = '', name = ''] = key.split('/')
    const left = pods.list(namespace).filter((pod) => isTracked(pod) && controllerOf(pod)?.kind === 'Job' && controllerOf(pod)?.name === name)
    if (left.length === 0) return
    const there = await client.get(batch.jobs, name, { namespace }).catch((error: unknown) => { if (isNotFound(error)) return undefined; throw error })
    await release(client, left.filter((pod) => controllerOf(pod)?.uid !== there?.metadata.uid))
  }

  async function writeStatus(job: Job, status: batch.JobStatus): Promise<Job> {
    if (deepEqual(status, job.status)) return job
    const current = await client.updateStatus(batch.jobs, { ...job, status })
    written.wrote(keyOf(job), current)
    tell(recorder, job, status)
    return current
  }

  return {
    async reconcile(key) {
      if (key.startsWith(letGo)) return release(client, [pods.get(key.slice(letGo.length))].filter((pod) => pod !== undefined && isLetGo(pod)) as Pod[])
      const job = jobs.get(key)
      if (!job) return releaseOrphans(key)
      if (job.spec.managedBy !== undefined && job.spec.managedBy !== controllerName) return
      // Pods are released once they are counted: an older count and newer pods together would count them never.
      if (!written.isSeen(key)) return { requeueAfter: 1000 }
      const { uid = '', namespace = '' } = job.metadata
      const owned = controlledBy(pods, uid)
      if (isDone(job)) return release(client, owned.filter(isTracked))
      const own = await claim({ client, resource: core.pods, controller: job, controllerResource: batch.jobs, selector: fromLabelSelector(job.spec.selector), candidates: [...owned, ...orphansIn(pods, namespace)], finalizer: trackingFinalizer })
      const tally = tallyOf(job, own)
      backOff.note(job, tally)
      const outcome = outcomeOf(job, own, tally, clock.now())
      const current = await writeStatus(job, statusOf(job, own, tally, outcome, clock.now()))
      // Nobody needs the ends of the pods of a job that is being deleted.
      await release(client, current.metadata.deletionTimestamp ? own.filter(isTracked) : tally.release)
      if (current.metadata.deletionTimestamp || isDone(current) || !expectations.satisfied(key)) return
      const wait = await work(current, own, tally, outcome !== undefined)
      const waits = [wait, untilDeadline(current, clock.now())].filter((ms) => ms !== undefined && ms > 0) as number[]
      return waits.length > 0 ? { requeueAfter: Math.min(...waits) } : undefined
    },
  }
}

export function startJobController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'job-controller'
  const jobs = informers.for(batch.jobs)
  const pods = podInformer(informers)
  const expectations = createExpectations(clock)
  pods.onChange(({ type, object: pod, old }) => {
    const owner = controllerOf(pod)
    if (owner?.kind !== 'Job') return
    const key = `${pod.metadata.namespace}/${owner.name}`
    if (type === 'added') expectations.created(key)
    if (type === 'deleted' || (pod.metadata.deletionTimestamp && !old?.metadata.deletionTimestamp)) expectations.deleted(key, pod.metadata.uid ?? '')
  })
  return runController({
    name,
    reconciler: jobReconciler({ client: context.client(name), recorder: recorderOf(context, name), clock, jobs, pods, expectations, written: createWritten(jobs, clock) }),
    watches: [
      watch(jobs, (job) => [keyOf(job)]),
      watch(pods, (pod) => ownersOf(pod, 'Job', jobs, (job) => fromLabelSelector(job.spec.selector))),
      watch(pods, (pod) => (isLetGo(pod) ? [letGo + keyOf(pod)] : [])),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
