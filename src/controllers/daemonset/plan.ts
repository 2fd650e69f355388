/** Which daemon pods to make and which to delete. */
import type { apps, core } from '../../api/index.ts'
import { scaledValue } from '../../machinery/intorstring.ts'
import { isAvailable, isFinished, isReady } from '../shared/pods.ts'
import type { Fit } from './nodes.ts'

export interface Daemons {
  readonly set: apps.DaemonSet
  /** The hash of the newest template. */
  readonly hash: string
  readonly now: number
  readonly nodes: readonly (Fit & { readonly node: core.Node })[]
  readonly byNode: ReadonlyMap<string, readonly core.Pod[]>
  /** Milliseconds until the node's failed pod may be replaced; 0 when it may be now. */
  readonly wait: (node: string) => number
}

export interface Plan { readonly create: readonly string[]; readonly remove: readonly core.Pod[] }

/** Those that have their node before those that wait for it, then by age. */
export const oldestFirst = (a: core.Pod, b: core.Pod): number =>
  Number(!a.spec.nodeName) - Number(!b.spec.nodeName) || (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)

/** Whether the pod is of the template with this hash. */
export const isUpdated = (pod: core.Pod, hash: string): boolean => pod.metadata.labels?.['controller-revision-hash'] === hash
/** Whether the daemon pod is available now. */
export const isServing = ({ set, now }: Daemons, pod: core.Pod): boolean => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)
/** Whether it is, and will stay. */
const available = (daemons: Daemons, pod: core.Pod): boolean => !pod.metadata.deletionTimestamp && isServing(daemons, pod)

/** How many nodes may be without an available pod in an update, and how many may have a second one; never both 0. */
function limits({ set, nodes }: Daemons): { readonly unavailable: number; readonly surge: number } {
  const desired = nodes.filter((n) => n.shouldRun).length
  const { maxUnavailable = 1, maxSurge = 0 } = set.spec.updateStrategy.rollingUpdate ?? {}
  const surge = scaledValue(maxSurge, desired, true)
  const unavailable = scaledValue(maxUnavailable, desired, true)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

/** One pod on each node that should have one, none where none may stay, and none for nodes that do not exist. */
export function placement(daemons: Daemons): Plan {
  const create: string[] = []
  const remove: core.Pod[] = []
  const surges = limits(daemons).surge > 0
  const known = new Set(daemons.nodes.map(({ node }) => node.metadata.name ?? ''))
  for (const { node, shouldRun, mayStay } of daemons.nodes) {
    const name = node.metadata.name ?? ''
    const pods = daemons.byNode.get(name) ?? []
    if (!mayStay) {
      remove.push(...pods)
      continue
    }
    const finished = pods.filter(isFinished)
    const running = pods.filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp)
    remove.push(...finished.filter((pod) => pod.status.phase !== 'Failed' || daemons.wait(name) === 0))
    // A pod on its way out still holds the node's place (its ports, its paths): the next one waits.
    if (shouldRun && pods.length === 0) create.push(name)
    else if (running.length > 1) remove.push(...tooMany(daemons, running, surges))
  }
  for (const [name, pods] of daemons.byNode) if (!known.has(name)) remove.push(...pods.filter((pod) => !pod.spec.nodeName))
  return { create, remove: remove.filter((pod) => !pod.metadata.deletionTimestamp) }
}

/** Of several pods on a node the oldest stays; with surge, the oldest of either template while the old one is ready and the new one not yet available. */
function tooMany(daemons: Daemons, running: readonly core.Pod[], surges: boolean): readonly core.Pod[] {
  if (!surges) return [...running].sort(oldestFirst).slice(1)
  const fresh = running.filter((pod) => isUpdated(pod, daemons.hash)).sort(oldestFirst)
  const old = running.filter((pod) => !isUpdated(pod, daemons.hash)).sort(oldestFirst)
  const [newest] = fresh
  const [last] = old
  const replaced = newest !== undefined && last !== undefined && (!isReady(last) || available(daemons, newest))
  return [...fresh.slice(1), ...(replaced ? old : old.slice(1))]
}

/** The next pods of an update: those that serve nobody at once, others as far as the limits let. */
export function rollout(daemons: Daemons): Plan {
  if (daemons.set.spec.updateStrategy.type !== 'RollingUpdate') return { create: [], remove: [] }
  const { surge, unavailable } = limits(daemons)
  const places = daemons.nodes.filter((n) => n.shouldRun).map(({ node }) => {
    const pods = (daemons.byNode.get(node.metadata.name ?? '') ?? []).filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp)
    return { name: node.metadata.name ?? '', fresh: pods.find((pod) => isUpdated(pod, daemons.hash)), old: pods.find((pod) => !isUpdated(pod, daemons.hash)) }
  })
  const outdated = places.filter((p) => p.old && !p.fresh)
  const serves = (pod: core.Pod | undefined) => pod !== undefined && available(daemons, pod)
  const broken = outdated.filter((p) => !serves(p.old))
  const working = outdated.filter((p) => serves(p.old))
  if (surge > 0) {
    const busy = places.filter((p) => p.fresh && p.old).length
    const next = [...broken, ...working.slice(0, Math.max(0, surge - busy))]
    return { create: next.map((p) => p.name), remove: [] }
  }
  const down = places.filter((p) => !serves(p.fresh) && !serves(p.old)).length
  const next = [...broken, ...working.slice(0, Math.max(0, unavailable - down))]
  return { create: [], remove: next.flatMap((p) => p.old ?? []) }
}
