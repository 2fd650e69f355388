/** One attempt to schedule a pod, and its outcome: a binding, a preemption, or another wait with the reason recorded. */
import { core } from '../api/index.ts'
import type { policy } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import type { Clock } from '../machinery/clock.ts'
import { isNotFound } from '../machinery/errors.ts'
import type { Logger } from '../machinery/log.ts'
import { keyOf } from '../machinery/meta.ts'
import { explain, refusedBy } from './cycle.ts'
import type { Diagnosis, Outcome } from './cycle.ts'
import { evict } from './evict.ts'
import type { NodeInfo } from './node-info.ts'
import type { NominationBook } from './nominations.ts'
import { podInfo } from './pod-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Cluster, Plugin } from './plugin.ts'
import { findPreemption } from './preemption.ts'
import type { Queue, QueuedPod } from './queue.ts'
import type { Reporter } from './report.ts'
import type { State } from './state.ts'
import type { Volumes } from './volumes.ts'

export interface AttemptParts {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** The scheduler's name. */
  readonly name: string
  readonly recorder: EventRecorder
  readonly reporter: Reporter
  readonly state: State
  readonly queue: Queue
  readonly nominations: NominationBook
  readonly plugins: readonly Plugin[]
  readonly volumes: Volumes
  /** Once aborted, nothing is reported or retried. */
  readonly signal: AbortSignal
  readonly cycle: (pod: PodInfo, cluster: Cluster) => Outcome
  readonly budgets: () => readonly policy.PodDisruptionBudget[]
}

export interface Attempts {
  /** Decides synchronously; writes to the API server continue in the background. Never throws. */
  attempt(queued: QueuedPod): void
  /** Resolves when nothing runs in the background. */
  settled(): Promise<void>
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** No node fits: tries preemption, and reports the outcome. */
async function refused(parts: AttemptParts, queued: QueuedPod, diagnosis: Diagnosis): Promise<void> {
  const { queue, nominations, reporter, state, log } = parts
  const info = podInfo(queued.pod)
  queue.refuse(queued, refusedBy(diagnosis))
  const outcome = findPreemption(parts, info, state.cluster, diagnosis)
  if (!('preemption' in outcome)) {
    if (outcome.clearNomination) nominations.remove(info.key)
    const message = explain(diagnosis, diagnosis.nodes ? outcome.message : '')
    return reporter.failed(queued.pod, 'Unschedulable', message, outcome.clearNomination ? { node: '' } : undefined)
  }
  const { preemption } = outcome
  const displaced = nominations.on(preemption.node).filter((p) => p.priority < info.priority)
  for (const p of displaced) nominations.remove(p.key)
  nominations.set(info, preemption.node)
  log.info({ pod: queued.key, node: preemption.node, victims: preemption.victims.map(keyOf) }, 'preempting')
  await reporter.failed(queued.pod, 'Unschedulable', explain(diagnosis), { node: preemption.node })
  await Promise.all(displaced.map((p) => reporter.released(p.pod)))
  try {
    await evict(parts, preemption, queued.pod)
  } catch (error) {
    queue.fail(queued)
    throw error
  }
}

/** Binds the pod to its node at the API server. The pod counts there already; if the server refuses, it is taken off again. */
async function bind(parts: AttemptParts, queued: QueuedPod, { name: node, node: object }: NodeInfo): Promise<void> {
  const { client, state, queue, reporter, log } = parts
  let { pod } = queued
  const { name = '', namespace, uid } = pod.metadata
  const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { kind: 'Node', name: node } }
  try {
    const settling = parts.volumes.settle(pod, object, state.cluster)
    if (settling) {
      const settled = settling.catch((error: unknown) => { throw new Error(`running PreBind plugin "VolumeBinding": ${textOf(error)}`, { cause: error }) })
      const expected = reporter.expected(pod, node)
      pod = { ...pod, status: { ...pod.status, nominatedNodeName: node } }
      await Promise.allSettled([settled, expected])
      await settled
    }
    await client.createSubresource(core.pods, name, 'binding', body, { namespace })
    queue.done(queued)
    reporter.scheduled(pod, node)
  } catch (error) {
    if (parts.signal.aborted) return
    state.forget(pod)
    queue.happened('pod deleted')
    if (isNotFound(error)) return queue.done(queued)
    log.warn({ pod: queued.key, node, error: textOf(error) }, 'a pod could not be bound to its node')
    queue.fail(queued)
    const preparing = textOf(error).startsWith('running PreBind')
    await reporter.failed(pod, 'SchedulerError', preparing ? textOf(error) : `running Bind plugin "DefaultBinder": ${textOf(error)}`, { node: '' })
  }
}

export function createAttempts(parts: AttemptParts): Attempts {
  const { log, state, queue, reporter, nominations } = parts
  const underWay = new Set<Promise<void>>()

  const inBackground = (queued: QueuedPod, work: Promise<void>) => {
    const guarded = work.catch((error: unknown) => {
      log.error({ pod: queued.key, error: error instanceof Error ? error.stack : String(error) }, 'scheduling a pod failed')
    })
    underWay.add(guarded)
    void guarded.finally(() => underWay.delete(guarded))
  }
  const decide = (queued: QueuedPod) => {
    const outcome = parts.cycle(podInfo(queued.pod), state.cluster)
    if (!('node' in outcome)) return inBackground(queued, refused(parts, queued, outcome.diagnosis))
    state.assume(queued.pod, outcome.node.name)
    nominations.remove(queued.key)
    inBackground(queued, bind(parts, queued, outcome.node))
  }

  return {
    attempt(queued) {
      if (queued.pod.metadata.deletionTimestamp || state.isAssumed(queued.key)) return queue.done(queued)
      try {
        decide(queued)
      } catch (error) {
        log.error({ pod: queued.key, error: error instanceof Error ? error.stack : String(error) }, 'a scheduling cycle failed')
        queue.fail(queued)
        nominations.remove(queued.key)
        inBackground(queued, reporter.failed(queued.pod, 'SchedulerError', textOf(error), { node: '' }))
      }
    },
    async settled() { await Promise.all(underWay) },
  }
}
