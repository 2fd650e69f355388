/** Removes jobs some time after they ended, when they say after how long. */
import { batch } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { parseTime } from '../../machinery/time.ts'
import type { ControllerContext } from '../shared/context.ts'

/** Milliseconds until the job goes; undefined when it has not ended or says nothing. */
export function timeLeft({ spec, status, metadata }: batch.Job, now: number): number | undefined {
  const end = status.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True')
  if (spec.ttlSecondsAfterFinished === undefined || !end?.lastTransitionTime || metadata.deletionTimestamp) return undefined
  return parseTime(end.lastTransitionTime) + spec.ttlSecondsAfterFinished * 1000 - now
}

function ttlReconciler(jobs: Informer<batch.Job>, client: Client, clock: Clock): Reconciler {
  return {
    async reconcile(key) {
      const known = jobs.get(key)
      const left = known && timeLeft(known, clock.now())
      if (known === undefined || left === undefined) return
      if (left > 0) return { requeueAfter: left }
      // The time may have been changed since: what is deleted is gone, so the server is asked.
      const { name = '', namespace = '', uid = '' } = known.metadata
      const fresh = await client.get(batch.jobs, name, { namespace })
      const now = timeLeft(fresh, clock.now())
      if (now === undefined || fresh.metadata.uid !== uid) return
      if (now > 0) return { requeueAfter: now }
      await client.delete(batch.jobs, name, { namespace, propagationPolicy: 'Foreground', preconditions: { uid } })
    },
  }
}

/** Starts the TTL controller of finished jobs. */
export function startTtlAfterFinishedController(context: ControllerContext): Controller {
  const jobs = context.informers.for(batch.jobs)
  const name = 'ttl-after-finished-controller'
  return runController({
    name,
    reconciler: ttlReconciler(jobs, context.client(name), context.clock),
    watches: [watch(jobs, (job) => (job.spec.ttlSecondsAfterFinished === undefined ? [] : [keyOf(job)]))],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
