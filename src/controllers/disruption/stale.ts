/** Pods that somebody meant to remove and did not: they stop saying that they are about to go. */
import { core } from '../../api/index.ts'
import type { Client, Informer } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { parseTime, rfc3339 } from '../../machinery/time.ts'
import { isFinished } from '../shared/pods.ts'

type Pod = core.Pod

/** After this long the deletion that was announced did not happen. */
const patience = 2 * 60_000

/** The announcement of a pod that is still there; its node's own does not count, as that may take any time. */
function announced(pod: Pod): core.PodCondition | undefined {
  if (pod.metadata.deletionTimestamp || isFinished(pod)) return undefined
  const condition = pod.status.conditions?.find((c) => c.type === 'DisruptionTarget')
  return condition?.status === 'True' && condition.reason !== 'TerminationByKubelet' ? condition : undefined
}

/** Whether the pod is to be looked at for an announcement that may come to nothing. */
export const isAnnounced = (pod: Pod): boolean => announced(pod) !== undefined

/** Takes back an announcement that is too old; resolves with the milliseconds until it is. */
export async function takeBack(pods: Informer<Pod>, key: string, client: Client, clock: Clock): Promise<number | undefined> {
  const pod = pods.get(key)
  const condition = pod && announced(pod)
  if (!pod || !condition) return undefined
  const left = (condition.lastTransitionTime ? parseTime(condition.lastTransitionTime) : 0) + patience - clock.now()
  if (left > 0) return left
  const over: core.PodCondition = { type: condition.type, status: 'False', lastProbeTime: null, lastTransitionTime: rfc3339(clock.now()) }
  const conditions = (pod.status.conditions ?? []).map((c) => (c === condition ? over : c))
  await client.updateStatus(core.pods, { ...pod, status: { ...pod.status, conditions } })
  return undefined
}
