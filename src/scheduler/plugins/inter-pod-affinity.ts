import { maxScore, refuse, refuseForGood } from '../plugin.ts'
import type { Cluster, Filter, Plugin, Scores } from '../plugin.ts'
import type { NodeInfo } from '../node-info.ts'
import type { AffinityTerm, PodInfo } from '../pod-info.ts'

const name = 'InterPodAffinity'
/** What an existing pod's required affinity to the incoming one is worth when nodes are compared. */
const hardAffinityWeight = 1

const pairOf = (key: string, value: string) => `${key}\0${value}`
const domain = (node: NodeInfo, key: string) => {
  const value = node.node.metadata.labels?.[key]
  return value === undefined ? undefined : pairOf(key, value)
}

/** Whether a term's namespaces and selector take in the pod. */
function matches(term: AffinityTerm, { pod }: PodInfo, cluster: Cluster): boolean {
  const namespace = pod.metadata.namespace ?? ''
  const inside = term.namespaces.has(namespace) || term.namespaceSelector.matches(cluster.namespaceLabels(namespace))
  return inside && term.selector.matches(pod.metadata.labels)
}

type Counts = Map<string, number>
const add = (counts: Counts, node: NodeInfo, key: string, by: number) => {
  const pair = domain(node, key)
  if (pair !== undefined) counts.set(pair, (counts.get(pair) ?? 0) + by)
}

/** Topology domains that existing pods want the incoming pod kept out of. */
function forbidden(incoming: PodInfo, cluster: Cluster): Counts {
  const counts: Counts = new Map()
  for (const node of cluster.nodesWithAntiAffinity) {
    for (const pod of node.pods.values()) {
      for (const term of pod.antiAffinity) if (matches(term, incoming, cluster)) add(counts, node, term.topologyKey, 1)
    }
  }
  return counts
}

/** Per domain, how many existing pods match: all affinity terms at once, any anti-affinity term. */
function present(incoming: PodInfo, cluster: Cluster): { readonly affinity: Counts; readonly antiAffinity: Counts } {
  const affinity: Counts = new Map()
  const antiAffinity: Counts = new Map()
  if (incoming.affinity.length + incoming.antiAffinity.length === 0) return { affinity, antiAffinity }
  for (const node of cluster.nodes) {
    for (const pod of node.pods.values()) {
      if (incoming.affinity.length && incoming.affinity.every((t) => matches(t, pod, cluster))) {
        for (const t of incoming.affinity) add(affinity, node, t.topologyKey, 1)
      }
      for (const t of incoming.antiAffinity) if (matches(t, pod, cluster)) add(antiAffinity, node, t.topologyKey, 1)
    }
  }
  return { affinity, antiAffinity }
}

function filterFor(incoming: PodInfo, cluster: Cluster): Filter | undefined {
  const kept = forbidden(incoming, cluster)
  const { affinity, antiAffinity } = present(incoming, cluster)
  if (incoming.affinity.length + incoming.antiAffinity.length + kept.size === 0) return undefined
  // The first of a group that wants to be together: nobody is there yet whom it could join.
  const first = affinity.size === 0 && incoming.affinity.every((t) => matches(t, incoming, cluster))
  const together = (node: NodeInfo) => incoming.affinity.every((t) => {
    const pair = domain(node, t.topologyKey)
    return pair !== undefined && (first || (affinity.get(pair) ?? 0) > 0)
  })
  const labels = (node: NodeInfo) => Object.entries(node.node.metadata.labels ?? {})
  return (node) => {
    if (!together(node)) return refuseForGood(name, "node(s) didn't match pod affinity rules")
    if (incoming.antiAffinity.some((t) => (antiAffinity.get(domain(node, t.topologyKey) ?? '') ?? 0) > 0)) return refuse(name, "node(s) didn't match pod anti-affinity rules")
    if (kept.size && labels(node).some(([key, value]) => kept.has(pairOf(key, value)))) return refuse(name, "node(s) didn't satisfy existing pods anti-affinity rules")
    return undefined
  }
}

/** What the incoming pod's preferences say of where an existing pod is, and the existing pod's of the incoming one. */
function weigh(counts: Counts, incoming: PodInfo, existing: PodInfo, node: NodeInfo, cluster: Cluster): void {
  for (const t of incoming.preferredAffinity) if (matches(t, existing, cluster)) add(counts, node, t.topologyKey, t.weight)
  for (const t of incoming.preferredAntiAffinity) if (matches(t, existing, cluster)) add(counts, node, t.topologyKey, -t.weight)
  for (const t of existing.affinity) if (matches(t, incoming, cluster)) add(counts, node, t.topologyKey, hardAffinityWeight)
  for (const t of existing.preferredAffinity) if (matches(t, incoming, cluster)) add(counts, node, t.topologyKey, t.weight)
  for (const t of existing.preferredAntiAffinity) if (matches(t, incoming, cluster)) add(counts, node, t.topologyKey, -t.weight)
}

function scoresFor(incoming: PodInfo, cluster: Cluster): Scores | undefined {
  const wishes = incoming.preferredAffinity.length + incoming.preferredAntiAffinity.length > 0
  const counts: Counts = new Map()
  for (const node of wishes ? cluster.nodes : cluster.nodesWithAffinity) {
    for (const pod of node.pods.values()) weigh(counts, incoming, pod, node, cluster)
  }
  if (counts.size === 0) return undefined
  return {
    score: ({ node }) => Object.entries(node.metadata.labels ?? {}).reduce((sum, [key, value]) => sum + (counts.get(pairOf(key, value)) ?? 0), 0),
    normalize(scores) {
      const [low, high] = [Math.min(...scores), Math.max(...scores)]
      return scores.map((s) => (high > low ? Math.floor((maxScore * (s - low)) / (high - low)) : 0))
    },
  }
}

/** Pods that want to be near others, or away from them. */
export const interPodAffinity: Plugin = {
  name,
  wakes: ['node added', 'node labels', 'pod assigned', 'pod deleted', 'pod labels', 'namespace'],
  filter: filterFor,
  weight: 2,
  score: scoresFor,
}
