/** Evicts the victims of a preemption: first the reason in their status, then the deletion. */
import { core } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import type { Clock } from '../machinery/clock.ts'
import { isConflict, isNotFound } from '../machinery/errors.ts'
import { rfc3339 } from '../machinery/time.ts'
import type { Preemption } from './preemption.ts'

interface Evictor {
  /** The scheduler's name. */
  readonly name: string
  readonly client: Client
  readonly recorder: EventRecorder
  readonly clock: Clock
}

/** Deletes the victims, to make room for `pod`; those on their way out are left to it. Rejects when one could not be deleted, unless it is gone already. */
export async function evict({ name: scheduler, client, recorder, clock }: Evictor, { node, victims }: Preemption, pod: core.Pod): Promise<void> {
  await Promise.all(victims.filter((v) => !v.metadata.deletionTimestamp).map(async (victim) => {
    const { name = '', namespace, uid, generation } = victim.metadata
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${scheduler}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: rfc3339(clock.now()),
      ...(generation ? { observedGeneration: generation } : {}),
    }
    try {
      await client.patch(core.pods, name, { type: 'strategic', body: { metadata: { uid: uid ?? '' }, status: { conditions: [condition] } } }, { namespace, subresource: 'status' })
      await client.delete(core.pods, name, { namespace, ...(uid ? { preconditions: { uid } } : {}) })
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
      return
    }
    recorder.event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${node}`, 'Preempting')
  }))
}
