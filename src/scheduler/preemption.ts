/** Preemption: when no node has room for a pod, making room by ending pods that matter less. */
import type { core, policy } from '../api/index.ts'
import { fromLabelSelector } from '../machinery/labels.ts'
import { fits } from './cycle.ts'
import type { Diagnosis, Nominations } from './cycle.ts'
import { explain } from './cycle.ts'
import type { MutableNodeInfo, NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Cluster, Plugin, Refusal } from './plugin.ts'
import { supposing } from './state.ts'

export interface Preemption {
  readonly node: string
  readonly victims: readonly core.Pod[]
}

export type PreemptionOutcome =
  | { readonly preemption: Preemption }
  /** Why it does not help, for the end of the pod's message; and whether an earlier promise of a node no longer holds. */
  | { readonly message: string; readonly clearNomination: boolean }

export interface PreemptionOptions {
  readonly plugins: readonly Plugin[]
  readonly nominations: Nominations
  readonly budgets: () => readonly policy.PodDisruptionBudget[]
}

interface Candidate {
  readonly node: NodeInfo
  /** Most important first. */
  readonly victims: readonly PodInfo[]
  /** How many of them a disruption budget would keep. */
  readonly violations: number
}

const noVictims: Refusal = { plugin: '', reasons: ['No preemption victims found for incoming pod'], unresolvable: false }
const notHelpful: Refusal = { plugin: '', reasons: ['Preemption is not helpful for scheduling'], unresolvable: true }

const startOf = (p: PodInfo) => (p.pod.status.startTime ? Date.parse(p.pod.status.startTime) : Infinity)
const moreImportant = (a: PodInfo, b: PodInfo) => (a.priority !== b.priority ? b.priority - a.priority : startOf(a) - startOf(b))

/** Splits pods into those whose budgets are used up and those that may be disrupted, counting the budgets down. */
function byBudget(pods: readonly PodInfo[], budgets: readonly policy.PodDisruptionBudget[]): { readonly violating: PodInfo[]; readonly allowed: PodInfo[] } {
  const left = new Map(budgets.map((b) => [b, b.status.disruptionsAllowed]))
  const violating: PodInfo[] = []
  const allowed: PodInfo[] = []
  for (const p of pods) {
    let kept = false
    // No budget covers a pod without labels, whatever its selector excludes.
    const labelled = Object.keys(p.pod.metadata.labels ?? {}).length > 0
    for (const budget of budgets) {
      const selector = fromLabelSelector(budget.spec.selector)
      if (!labelled || budget.metadata.namespace !== p.pod.metadata.namespace || selector.empty || !selector.matches(p.pod.metadata.labels)) continue
      if (Object.hasOwn(budget.status.disruptedPods ?? {}, p.pod.metadata.name ?? '')) continue
      const rest = left.get(budget)! - 1
      left.set(budget, rest)
      if (rest < 0) kept = true
    }
    ;(kept ? violating : allowed).push(p)
  }
  return { violating, allowed }
}

/** Takes all lesser pods off a node and, if the pod then fits, puts back whoever can stay, the protected and important first. */
function victimsOn(options: PreemptionOptions, pod: PodInfo, node: NodeInfo, cluster: Cluster): Candidate | Refusal {
  const lesser = [...node.pods.values()].filter((p) => p.priority < pod.priority)
  if (!lesser.length) return noVictims
  const trial: MutableNodeInfo = node.clone()
  for (const p of options.nominations.on(node.name)) if (p.key !== pod.key && p.priority >= pod.priority) trial.add(p)
  const fitting = () => fits(options.plugins, pod, trial, supposing(cluster, [trial]))
  for (const p of lesser) trial.remove(p.key)
  const refusal = fitting()
  if (refusal) return refusal

  const { violating, allowed } = byBudget(lesser.sort(moreImportant), options.budgets())
  const reprieved = (p: PodInfo) => {
    trial.add(p)
    if (!fitting()) return true
    trial.remove(p.key)
    return false
  }
  const condemned = violating.filter((p) => !reprieved(p))
  const victims = [...condemned, ...allowed.filter((p) => !reprieved(p))].sort(moreImportant)
  return victims.length ? { node, victims, violations: condemned.length } : noVictims
}

/** The candidate that hurts least: fewest budgets broken, lowest top priority, lowest sum, fewest pods, latest started. */
function mildest(candidates: readonly Candidate[]): Candidate {
  const shift = 2 ** 31
  const measures: ((c: Candidate) => number)[] = [
    (c) => c.violations,
    (c) => c.victims[0]!.priority,
    (c) => c.victims.reduce((sum, v) => sum + v.priority + shift, 0),
    (c) => c.victims.length,
    (c) => -Math.min(...c.victims.filter((v) => v.priority === c.victims[0]!.priority).map(startOf)),
  ]
  let rest = candidates
  for (const measure of measures) {
    const least = Math.min(...rest.map(measure))
    rest = rest.filter((c) => measure(c) === least)
    if (rest.length === 1) break
  }
  return rest[0]!
}

/** A pod that has been promised a node where victims are still going must wait for them. */
function stillClearing(pod: PodInfo, cluster: Cluster, diagnosis: Diagnosis): boolean {
  const promised = pod.pod.status.nominatedNodeName
  const node = promised ? cluster.node(promised) : undefined
  if (!promised || !node || (diagnosis.all ?? diagnosis.refusals.get(promised))?.unresolvable) return false
  return [...node.pods.values()].some((p) => p.pod.metadata.deletionTimestamp && p.priority < pod.priority
    && p.pod.status.conditions?.some((c) => c.type === 'DisruptionTarget' && c.status === 'True' && c.reason === 'PreemptionByScheduler'))
}

/** Looks for the node where making room costs least. Changes nothing. */
export function findPreemption(options: PreemptionOptions, pod: PodInfo, cluster: Cluster, diagnosis: Diagnosis): PreemptionOutcome {
  const no = (message: string, clearNomination = false) => ({ message: `preemption: ${message}`, clearNomination })
  if (pod.pod.spec.preemptionPolicy === 'Never') return no('not eligible due to preemptionPolicy=Never.')
  if (stillClearing(pod, cluster, diagnosis)) return no('not eligible due to a terminating pod on the nominated node.')

  const refusals = new Map<string, Refusal>()
  const candidates: Candidate[] = []
  const enough = Math.max(100, Math.floor(cluster.nodes.length / 10))
  for (const node of cluster.nodes) {
    if (candidates.length >= enough) break
    const refusal = diagnosis.all ?? diagnosis.refusals.get(node.name)
    const result = refusal?.unresolvable ? notHelpful : victimsOn(options, pod, node, cluster)
    if ('victims' in result) candidates.push(result)
    else refusals.set(node.name, result)
  }
  if (!candidates.length) return no(explain({ nodes: cluster.nodes.length, refusals, all: undefined }), true)
  const { node, victims } = mildest(candidates)
  return { preemption: { node: node.name, victims: victims.map((v) => v.pod) } }
}
