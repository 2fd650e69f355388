/** What controllers need to know about pods. */
import { core } from '../../api/index.ts'
import type { Informer, Informers } from '../../client/index.ts'
import { controllerOf } from '../../machinery/meta.ts'
import { parseTime } from '../../machinery/time.ts'

type Pod = core.Pod

/** Neither finished nor being deleted. */
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !pod.metadata.deletionTimestamp
/** Whether the pod has run to its end, well or not. */
export const isFinished = (pod: Pod): boolean => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
/** Being deleted, its containers perhaps still running. */
export const isTerminating = (pod: Pod): boolean => !isFinished(pod) && Boolean(pod.metadata.deletionTimestamp)

const podCondition = (pod: Pod, type: string): core.PodCondition | undefined => pod.status.conditions?.find((c) => c.type === type)
/** Whether the pod is ready. */
export const isReady = (pod: Pod): boolean => podCondition(pod, 'Ready')?.status === 'True'

/** Since when the pod is ready, in milliseconds; undefined when it is not. */
export function readySince(pod: Pod): number | undefined {
  const ready = podCondition(pod, 'Ready')
  return ready?.status === 'True' && ready.lastTransitionTime ? parseTime(ready.lastTransitionTime) : undefined
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  if (!isReady(pod)) return false
  if (minReadySeconds === 0) return true
  const since = readySince(pod)
  return since !== undefined && since + minReadySeconds * 1000 <= now
}

/** Milliseconds until the next of these pods becomes available just by waiting; undefined when none will. */
export function nextAvailable(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  const waits = pods
    .map((pod) => readySince(pod))
    .filter((since) => since !== undefined)
    .map((since) => since + minReadySeconds * 1000 - now)
    .filter((ms) => ms > 0)
  return waits.length > 0 ? Math.min(...waits) : undefined
}

const byController = 'controller'
const orphansOf = (namespace: string) => `orphan:${namespace}`

/** The index from controllers (by uid) to what they control, and from namespaces to what nobody controls. */
const controllerIndex = {
  [byController]: (object: { readonly metadata: core.Pod['metadata'] }) => [controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace ?? '')],
}

/** The informer of all pods, indexed by controller; the same for everyone. */
export const podInformer = (informers: Informers): Informer<Pod> => informers.for(core.pods, { indexes: { ...controllerIndex, node: (pod: Pod) => [pod.spec.nodeName ?? ''] } })

export { controllerIndex }

/** What is controlled by the object of this uid, from an informer with the controller index. */
export const controlledBy = <T>(informer: Informer<T>, uid: string): readonly T[] => informer.byIndex(byController, uid)
/** What in the namespace is controlled by nobody. */
export const orphansIn = <T>(informer: Informer<T>, namespace: string): readonly T[] => informer.byIndex(byController, orphansOf(namespace))
