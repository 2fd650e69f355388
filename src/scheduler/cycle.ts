/** One scheduling cycle: the best node for a pod, or why there is none. Synchronous, so that nothing changes meanwhile. */
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import { supposing } from './state.ts'
import { refuseForGood } from './plugin.ts'
import type { Cluster, Filter, Plugin, Refusal, Scores } from './plugin.ts'

/** Why no node fits. */
export interface Diagnosis {
  readonly nodes: number
  /** By node name; every node has one, unless `all` refused them together. */
  readonly refusals: ReadonlyMap<string, Refusal>
  readonly all: Refusal | undefined
}

export type Outcome =
  | { readonly node: NodeInfo }
  | { readonly diagnosis: Diagnosis }

/** Pods nominated to a node by preemption that are not bound yet. */
export interface Nominations { on(node: string): readonly PodInfo[] }

/** All filters of all plugins for one pod, as one; or the refusal that needs no node. */
export function combinedFilter(plugins: readonly Plugin[], pod: PodInfo, cluster: Cluster): Filter | Refusal {
  const filters: Filter[] = []
  for (const plugin of plugins) {
    const only = plugin.only?.(pod)
    if (only) filters.unshift((node) => (only.has(node.name) ? undefined : refuseForGood(plugin.name, `node(s) didn't satisfy plugin(s) [${plugin.name}]`)))
    const filter = plugin.filter?.(pod, cluster)
    if (typeof filter === 'object') return filter
    if (filter) filters.push(filter)
  }
  return (node) => {
    for (const filter of filters) {
      const refusal = filter(node)
      if (refusal) return refusal
    }
    return undefined
  }
}

/** Whether a pod fits one node of a cluster. */
export function fits(plugins: readonly Plugin[], pod: PodInfo, node: NodeInfo, cluster: Cluster): Refusal | undefined {
  const filter = combinedFilter(plugins, pod, cluster)
  return typeof filter === 'function' ? filter(node) : filter
}

/** How many fitting nodes are enough to choose from: all of a hundred, about a tenth of thousands. */
export function enough(nodes: number): number {
  if (nodes <= 100) return nodes
  const percent = Math.max(5, 50 - Math.floor(nodes / 125))
  return Math.max(100, Math.floor((nodes * percent) / 100))
}

/** The node as it will be with the pods that are nominated to it and go before this one. */
function withNominated(plugins: readonly Plugin[], pod: PodInfo, node: NodeInfo, cluster: Cluster, nominations: Nominations): Refusal | undefined {
  const promised = nominations.on(node.name).filter((p) => p.key !== pod.key && p.priority >= pod.priority)
  if (!promised.length) return undefined
  const later = supposingPods(node, promised)
  return fits(plugins, pod, later, supposing(cluster, [later]))
}

function supposingPods(node: NodeInfo, pods: readonly PodInfo[]): NodeInfo {
  const copy = node.clone()
  for (const pod of pods) copy.add(pod)
  return copy
}

/** Weighted scores of the nodes, summed over the plugins. */
function totals(plugins: readonly Plugin[], pod: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[]): number[] {
  const sums = nodes.map(() => 0)
  for (const plugin of plugins) {
    const scores: Scores | undefined = plugin.score?.(pod, cluster, nodes)
    if (!scores) continue
    const raw = nodes.map((n) => scores.score(n))
    const normal = scores.normalize ? scores.normalize(raw, nodes) : raw
    for (let i = 0; i < sums.length; i++) sums[i]! += normal[i]! * (plugin.weight ?? 1)
  }
  return sums
}

/** One of the best at random, so that equal nodes get equal shares. */
function best(nodes: readonly NodeInfo[], sums: readonly number[], random: () => number): NodeInfo {
  const top = Math.max(...sums)
  const tied = nodes.filter((_, i) => sums[i] === top)
  return tied[Math.floor(random() * tied.length)]!
}

export interface CycleOptions {
  readonly plugins: readonly Plugin[]
  readonly nominations: Nominations
  /** Between 0 and 1: chooses among equals. */
  readonly random: () => number
}

/** Returns the function that schedules pods, one call per cycle. In big clusters each call starts where the last one stopped. */
export function createCycle({ plugins, nominations, random }: CycleOptions) {
  let start = 0

  return (pod: PodInfo, cluster: Cluster): Outcome => {
    const { nodes } = cluster
    const refusals = new Map<string, Refusal>()
    const filter = combinedFilter(plugins, pod, cluster)
    if (typeof filter !== 'function') return { diagnosis: { nodes: nodes.length, refusals, all: filter } }
    const passes = (node: NodeInfo): boolean => {
      const refusal = withNominated(plugins, pod, node, cluster, nominations) ?? filter(node)
      if (refusal) refusals.set(node.name, refusal)
      return !refusal
    }

    const promised = pod.pod.status.nominatedNodeName ? cluster.node(pod.pod.status.nominatedNodeName) : undefined
    if (promised && passes(promised)) return { node: promised }

    const wanted = enough(nodes.length)
    const feasible: NodeInfo[] = []
    let looked = 0
    for (; looked < nodes.length && feasible.length < wanted; looked++) {
      const node = nodes[(start + looked) % nodes.length]!
      if (!refusals.has(node.name) && passes(node)) feasible.push(node)
    }
    start = nodes.length ? (start + looked) % nodes.length : 0
    if (!feasible.length) return { diagnosis: { nodes: nodes.length, refusals, all: undefined } }
    if (feasible.length === 1) return { node: feasible[0]! }
    return { node: best(feasible, totals(plugins, pod, cluster, feasible), random) }
  }
}

/** The plugins that refused nodes. Without any nodes, the one that only a new node satisfies. */
export function refusedBy({ nodes, refusals, all }: Diagnosis): ReadonlySet<string> {
  if (all) return new Set([all.plugin])
  return new Set(nodes ? [...refusals.values()].map((r) => r.plugin) : ['NodeName'])
}

/** `2 Insufficient cpu, 1 Too many pods`: how many nodes each reason holds for, sorted as text. */
function histogram(refusals: Iterable<readonly string[]>): string {
  const counts = new Map<string, number>()
  for (const reasons of refusals) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort((a, b) => (a < b ? -1 : 1)).join(', ')
}

/** The message in the pod's condition and event, in Kubernetes's words; `more` is added by preemption. */
export function explain({ nodes, refusals, all }: Diagnosis, more = ''): string {
  if (nodes === 0) return 'no nodes available to schedule pods'
  const why = all ? all.reasons.join(', ') : histogram([...refusals.values()].map((r) => r.reasons))
  return `0/${nodes} nodes are available:${why ? ` ${why}.` : ''}${more ? ` ${more}` : ''}`
}
