/** What people and other components learn of a pod's scheduling: events, and the PodScheduled condition. */
import { core } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import type { Clock } from '../machinery/clock.ts'
import { isNotFound } from '../machinery/errors.ts'
import type { Logger } from '../machinery/log.ts'
import { keyOf } from '../machinery/meta.ts'
import { rfc3339 } from '../machinery/time.ts'

const longestMessage = 1024

export interface Reporter {
  scheduled(pod: core.Pod, node: string): void
  /** Says that a pod could not be scheduled. Resolves when the condition is written; never rejects. */
  failed(pod: core.Pod, reason: 'Unschedulable' | 'SchedulerError', message: string, nominated?: { readonly node: string }): Promise<void>
  /** Says which node a pod will get once its volumes are ready, for those who add and remove nodes. Resolves when that is written; never rejects. */
  expected(pod: core.Pod, node: string): Promise<void>
  /** Takes back that a pod was promised a node. Resolves when that is written; never rejects. */
  released(pod: core.Pod): Promise<void>
}

export function createReporter(client: Client, recorder: EventRecorder, clock: Clock, log: Logger): Reporter {
  const write = async (pod: core.Pod, status: object) => {
    const { name = '', namespace, uid } = pod.metadata
    try {
      await client.patch(core.pods, name, { type: 'strategic', body: { metadata: { uid: uid ?? '' }, status: status as never } }, { namespace, subresource: 'status' })
    } catch (error) {
      if (!isNotFound(error)) log.warn({ pod: keyOf(pod), error: String(error) }, 'the condition of a pod could not be written')
    }
  }
  return {
    scheduled: (pod, node) => recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${node}`, 'Binding'),
    async expected(pod, node) {
      if (pod.status.nominatedNodeName !== node) await write(pod, { nominatedNodeName: node })
    },
    async released(pod) {
      if (pod.status.nominatedNodeName) await write(pod, { nominatedNodeName: null })
    },
    async failed(pod, reason, message, nominated) {
      const said = message.length > longestMessage ? `${message.slice(0, longestMessage - 4)} ...` : message
      recorder.event(pod, 'Warning', 'FailedScheduling', said, 'Scheduling')
      const before = pod.status.conditions?.find((c) => c.type === 'PodScheduled')
      const same = before?.status === 'False' && before.reason === reason && before.message === message
      const moved = nominated !== undefined && nominated.node !== (pod.status.nominatedNodeName ?? '')
      if (same && !moved) return
      const since = before?.status === 'False' && before.lastTransitionTime ? before.lastTransitionTime : rfc3339(clock.now())
      const generation = pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}
      const condition = { type: 'PodScheduled', status: 'False', reason, message, lastProbeTime: null, lastTransitionTime: since, ...generation }
      await write(pod, { conditions: [condition], ...(moved ? { nominatedNodeName: nominated.node || null } : {}) })
    },
  }
}
