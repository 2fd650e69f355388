import type { core } from '../../api/index.ts'
import { fromLabelSelector, labelSelectorOf } from '../../machinery/labels.ts'
import type { LabelSelector } from '../../machinery/labels.ts'
import { requiredNodeAffinityMatches } from '../node-selector.ts'
import { maxScore, refuse, refuseForGood } from '../plugin.ts'
import type { Cluster, Filter, Plugin, Scores } from '../plugin.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import { toleratesNode } from '../tolerations.ts'

const name = 'PodTopologySpread'
const hostname = 'kubernetes.io/hostname'

interface Constraint {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly selector: LabelSelector
  readonly minDomains: number
  readonly honorAffinity: boolean
  readonly honorTaints: boolean
}

/** The selector with what `matchLabelKeys` add: the pod's own values of those labels. */
function selectorOf(pod: core.Pod, c: core.TopologySpreadConstraint): LabelSelector {
  const selector = fromLabelSelector(c.labelSelector)
  const own = (c.matchLabelKeys ?? []).filter((key) => pod.metadata.labels?.[key] !== undefined)
  if (!c.labelSelector || !own.length) return selector
  return labelSelectorOf([...selector.requirements, ...own.map((key) => ({ key, operator: 'in' as const, values: [pod.metadata.labels![key]!] }))])
}

const constraintsOf = (pod: core.Pod, action: string): Constraint[] =>
  (pod.spec.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === action).map((c) => ({
    maxSkew: c.maxSkew,
    topologyKey: c.topologyKey,
    selector: selectorOf(pod, c),
    minDomains: c.minDomains ?? 1,
    honorAffinity: c.nodeAffinityPolicy !== 'Ignore',
    honorTaints: c.nodeTaintsPolicy === 'Honor',
  }))

/** What pods without constraints of their own get: spread over hosts and zones, if that is to be had. */
function defaultConstraints(pod: core.Pod, cluster: Cluster): Constraint[] {
  const selector = cluster.siblings(pod)
  if (!selector) return []
  const soft = { selector, minDomains: 1, honorAffinity: true, honorTaints: false }
  return [{ ...soft, maxSkew: 3, topologyKey: hostname }, { ...soft, maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone' }]
}

const valueOn = (node: NodeInfo, key: string) => node.node.metadata.labels?.[key]
const counted = (pod: core.Pod, node: NodeInfo, c: Constraint) =>
  (!c.honorAffinity || requiredNodeAffinityMatches(pod, node.node)) && (!c.honorTaints || toleratesNode(pod, node.node))

/** Pods of the same namespace on a node that the selector takes in and that are not on their way out. */
function matching(node: NodeInfo, selector: LabelSelector, namespace: string | undefined): number {
  let count = 0
  for (const { pod } of node.pods.values()) {
    if (pod.metadata.namespace === namespace && !pod.metadata.deletionTimestamp && selector.matches(pod.metadata.labels)) count++
  }
  return count
}

/** Pods per domain of a constraint, over the nodes that have all of the keys and count for it. */
function domains(pod: core.Pod, cluster: Cluster, c: Constraint, keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const node of cluster.nodes) {
    const value = valueOn(node, c.topologyKey)
    if (value === undefined || keys.some((key) => valueOn(node, key) === undefined) || !counted(pod, node, c)) continue
    counts.set(value, (counts.get(value) ?? 0) + matching(node, c.selector, pod.metadata.namespace))
  }
  return counts
}

function filterFor({ pod }: PodInfo, cluster: Cluster): Filter | undefined {
  const constraints = constraintsOf(pod, 'DoNotSchedule')
  if (!constraints.length) return undefined
  const keys = constraints.map((c) => c.topologyKey)
  const states = constraints.map((c) => {
    const counts = domains(pod, cluster, c, keys)
    const least = counts.size < c.minDomains ? 0 : Math.min(...counts.values())
    return { c, counts, least: Number.isFinite(least) ? least : 0, self: c.selector.matches(pod.metadata.labels) ? 1 : 0 }
  })
  return (node) => {
    for (const { c, counts, least, self } of states) {
      const value = valueOn(node, c.topologyKey)
      if (value === undefined) return refuseForGood(name, "node(s) didn't match pod topology spread constraints (missing required label)")
      if ((counts.get(value) ?? 0) + self - least > c.maxSkew) return refuse(name, "node(s) didn't match pod topology spread constraints")
    }
    return undefined
  }
}

function scoresFor({ pod }: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[]): Scores | undefined {
  const own = pod.spec.topologySpreadConstraints?.length
  const constraints = own ? constraintsOf(pod, 'ScheduleAnyway') : defaultConstraints(pod, cluster)
  if (!constraints.length) return undefined
  // Constraints of the pod's own want every key on the node; the default ones make do with those that are there.
  const ignored = new Set(own ? nodes.filter((n) => constraints.some((c) => valueOn(n, c.topologyKey) === undefined)) : [])
  const states = constraints.map((c) => {
    const perNode = c.topologyKey === hostname
    const values = new Set(nodes.filter((n) => !ignored.has(n)).map((n) => valueOn(n, c.topologyKey)).filter((v) => v !== undefined))
    const counts = perNode ? undefined : domains(pod, cluster, c, own ? constraints.map((x) => x.topologyKey) : [])
    const size = perNode ? nodes.length - ignored.size : values.size
    return { c, counts, weight: Math.log(size + 2) }
  })
  return {
    score(node) {
      if (ignored.has(node)) return 0
      let score = 0
      for (const { c, counts, weight } of states) {
        const value = valueOn(node, c.topologyKey)
        if (value === undefined) continue
        const pods = counts ? (counts.get(value) ?? 0) : matching(node, c.selector, pod.metadata.namespace)
        score += pods * weight + (c.maxSkew - 1)
      }
      return Math.round(score)
    },
    normalize(scores) {
      const valid = scores.filter((_, i) => !ignored.has(nodes[i]!))
      const [low, high] = [Math.min(...valid), Math.max(...valid)]
      return scores.map((s, i) => {
        if (ignored.has(nodes[i]!)) return 0
        return high === 0 ? maxScore : Math.floor((maxScore * (high + low - s)) / high)
      })
    },
  }
}

/** Pods of a kind spread evenly over hosts, zones or whatever else nodes are labelled with. */
export const podTopologySpread: Plugin = {
  name,
  wakes: ['node added', 'node deleted', 'node labels', 'node taints', 'pod assigned', 'pod deleted', 'pod labels'],
  filter: filterFor,
  weight: 2,
  score: scoresFor,
}
