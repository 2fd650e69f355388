/** Taints that say what is wrong with a node, and which pods bear them. */
import type { core } from '../../api/index.ts'
import { tolerates } from '../shared/tolerations.ts'

export const notReady = 'node.kubernetes.io/not-ready'
export const unreachable = 'node.kubernetes.io/unreachable'

interface Rule { readonly key: string; readonly applies: (node: core.Node) => boolean }

/** The status of the node's Ready condition; `Unknown` without one. */
export const readiness = (node: core.Node): string => node.status.conditions?.find((c) => c.type === 'Ready')?.status ?? 'Unknown'
const isTrue = (type: string) => (node: core.Node) => node.status.conditions?.some((c) => c.type === type && c.status === 'True') ?? false

/** What keeps new pods away. */
const noSchedule: readonly Rule[] = [
  { key: notReady, applies: (node) => readiness(node) === 'False' },
  { key: unreachable, applies: (node) => readiness(node) === 'Unknown' },
  { key: 'node.kubernetes.io/memory-pressure', applies: isTrue('MemoryPressure') },
  { key: 'node.kubernetes.io/disk-pressure', applies: isTrue('DiskPressure') },
  { key: 'node.kubernetes.io/pid-pressure', applies: isTrue('PIDPressure') },
  { key: 'node.kubernetes.io/network-unavailable', applies: isTrue('NetworkUnavailable') },
  { key: 'node.kubernetes.io/unschedulable', applies: (node) => node.spec.unschedulable === true },
]
const ours = new Set(noSchedule.map((rule) => rule.key))

/**
 * The taints a node should have at `time` (RFC 3339): those others put on it, those its conditions ask for, and, when
 * `evict` allows, the one that makes pods leave. Undefined when it has exactly these.
 */
export function desiredTaints(node: core.Node, time: string, evict: boolean): readonly core.Taint[] | undefined {
  const current = node.spec.taints ?? []
  const keep = (t: core.Taint) => !(t.effect === 'NoSchedule' && ours.has(t.key)) && !(t.effect === 'NoExecute' && (t.key === notReady || t.key === unreachable))
  const leave = readiness(node) === 'False' ? notReady : readiness(node) === 'Unknown' ? unreachable : undefined
  const had = (key: string, effect: string) => current.find((t) => t.key === key && t.effect === effect)
  const wanted: core.Taint[] = [
    ...current.filter(keep),
    ...noSchedule.filter((rule) => rule.applies(node)).map(({ key }): core.Taint => had(key, 'NoSchedule') ?? { key, effect: 'NoSchedule', timeAdded: time }),
    ...(leave && evict ? [had(leave, 'NoExecute') ?? { key: leave, effect: 'NoExecute' as const, timeAdded: time }] : []),
  ]
  const names = (taints: readonly core.Taint[]) => taints.map((t) => `${t.key}:${t.effect}`).sort().join()
  return names(wanted) === names(current) ? undefined : wanted
}

/** How long a pod may stay with these NoExecute taints, in milliseconds: 0 not at all, undefined for ever. Of several tolerations that bear a taint the first counts. */
export function stay(pod: core.Pod, taints: readonly core.Taint[]): number | undefined {
  const used = new Set<core.Toleration>()
  for (const taint of taints) {
    const bearing = pod.spec.tolerations?.find((toleration) => tolerates(toleration, taint))
    if (!bearing) return 0
    used.add(bearing)
  }
  const limits = [...used].flatMap((toleration) => (toleration.tolerationSeconds === undefined ? [] : [Math.max(0, Number(toleration.tolerationSeconds)) * 1000]))
  return limits.length > 0 ? Math.min(...limits) : undefined
}
