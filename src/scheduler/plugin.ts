/** What a scheduling plugin is, and what it is given to look at. */
import type { core, storage } from '../api/index.ts'
import type { Labels, LabelSelector } from '../machinery/labels.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/** Something in the cluster that may let a pod be scheduled that could not be before. */
export type ClusterEvent =
  | 'node added' | 'node deleted' | 'node allocatable' | 'node labels' | 'node taints'
  | 'pod assigned' | 'pod deleted' | 'pod labels' | 'pod resized'
  | 'claim' | 'volume' | 'storage class' | 'namespace'

/** Why a node, or all of them, will not do: the words are Kubernetes's, people look for them. */
export interface Refusal {
  readonly plugin: string
  readonly reasons: readonly string[]
  /** Taking pods off the node would not help. */
  readonly unresolvable: boolean
}

/** What plugins look up besides nodes and their pods: informers, mostly. */
export interface Lookups {
  namespaceLabels(namespace: string): Labels | undefined
  claim(key: string): core.PersistentVolumeClaim | undefined
  volume(name: string): core.PersistentVolume | undefined
  volumes(): readonly core.PersistentVolume[]
  storageClass(name: string): storage.StorageClass | undefined
  /** Selects the pods of the services and workload controllers that a pod belongs to; undefined when it belongs to none. */
  siblings(pod: core.Pod): LabelSelector | undefined
}

/** The cluster as one scheduling cycle sees it. */
export interface Cluster extends Lookups {
  readonly nodes: readonly NodeInfo[]
  node(name: string): NodeInfo | undefined
  /** Nodes with a pod that has inter-pod (anti-)affinity terms, and those with a required anti-affinity term. */
  readonly nodesWithAffinity: Iterable<NodeInfo>
  readonly nodesWithAntiAffinity: Iterable<NodeInfo>
}

/** Undefined: the node will do. */
export type Filter = (node: NodeInfo) => Refusal | undefined

export interface Scores {
  /** The node's score, of any size; called for each node that passed the filters. */
  score(node: NodeInfo): number
  /** Brings all scores, in the order of the nodes, into 0 to 100. Left out: they are. */
  normalize?(scores: readonly number[], nodes: readonly NodeInfo[]): readonly number[]
}

/**
 * One concern of scheduling. `filter` and `score` are asked once per pod and cycle and do there what is the same for all
 * nodes; what they return is asked per node. Undefined means that the plugin has nothing to say about this pod.
 */
export interface Plugin {
  readonly name: string
  /** After which events a pod that this plugin refused is worth another look. */
  readonly wakes?: readonly ClusterEvent[]
  /** The names of the only nodes that come into question: no filter is asked about the others. */
  only?(pod: PodInfo): ReadonlySet<string> | undefined
  /** A refusal instead of a function refuses all nodes. */
  filter?(pod: PodInfo, cluster: Cluster): Filter | Refusal | undefined
  /** How much the scores count. */
  readonly weight?: number
  score?(pod: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[]): Scores | undefined
}

export const maxScore = 100

/** Scales scores so that the highest becomes 100, or with `reverse` the lowest. */
export function scaled(scores: readonly number[], reverse = false): readonly number[] {
  const most = Math.max(...scores, 0)
  if (most === 0) return scores.map(() => (reverse ? maxScore : 0))
  return scores.map((s) => {
    const share = Math.floor((s * maxScore) / most)
    return reverse ? maxScore - share : share
  })
}

/** A refusal in a plugin's name. */
export const refuse = (plugin: string, ...reasons: readonly string[]): Refusal => ({ plugin, reasons, unresolvable: false })
/** A refusal that no preemption can mend. */
export const refuseForGood = (plugin: string, ...reasons: readonly string[]): Refusal => ({ plugin, reasons, unresolvable: true })
