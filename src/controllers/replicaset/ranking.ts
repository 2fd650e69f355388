/** Which pods go first when there are too many. */
import type { core } from '../../api/index.ts'
import { isActive, isReady, readySince } from '../shared/pods.ts'
import { parseTime } from '../../machinery/time.ts'

type Pod = core.Pod

const phaseOrder: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'

const cost = (pod: Pod): number => {
  const text = pod.metadata.annotations?.[deletionCost]
  return text && /^-?\d+$/.test(text) ? Number(text) : 0
}
const restarts = (pod: Pod): number => Math.max(0, ...(pod.status.containerStatuses ?? []).map((s) => s.restartCount))
/** Restarts of sidecars, which are init containers that go on. */
function sidecarRestarts(pod: Pod): number {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name))
  return Math.max(0, ...(pod.status.initContainerStatuses ?? []).filter((s) => sidecars.has(s.name)).map((s) => s.restartCount))
}

/** Ages are compared by their power of two (of nanoseconds), so that old pods of about the same age go in random order, not all of one rollout. */
const ageRank = (since: number | undefined, now: number): number => {
  const age = since === undefined ? 0 : now - since
  return age <= 0 ? -1 : Math.floor(Math.log2(age * 1e6))
}

const created = (pod: Pod): number | undefined => (pod.metadata.creationTimestamp ? parseTime(pod.metadata.creationTimestamp) : undefined)

/**
 * The pods in the order in which they may go: not assigned, pending, not ready, cheap to delete, sharing a node with
 * more of its kind, ready for a shorter time, restarted more often, newer. `related` are all pods of the same purpose
 * (those of every replica set of one deployment).
 */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], now: number): Pod[] {
  const onNode = new Map<string, number>()
  for (const { spec } of related.filter(isActive)) if (spec.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1)
  const crowd = (pod: Pod) => (pod.spec.nodeName ? (onNode.get(pod.spec.nodeName) ?? 0) : 0)
  const ranks = new Map(pods.map((pod) => [pod, [
    pod.spec.nodeName ? 1 : 0,
    phaseOrder[pod.status.phase ?? 'Pending'] ?? 3,
    isReady(pod) ? 1 : 0,
    cost(pod),
    -crowd(pod),
    isReady(pod) ? ageRank(readySince(pod), now) : 0,
    -restarts(pod),
    -sidecarRestarts(pod),
    ageRank(created(pod), now),
  ] as const]))
  return [...pods].sort((a, b) => {
    const left = ranks.get(a) as readonly number[]
    const right = ranks.get(b) as readonly number[]
    for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return (left[i] as number) - (right[i] as number)
    return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1
  })
}
