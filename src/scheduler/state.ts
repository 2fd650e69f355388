/**
 * The scheduler's picture of nodes and the pods on them. It follows the informers, and is ahead of them by the pods it has
 * assigned itself (*assumed*) until the API server confirms them. Scheduling reads it directly: a cycle is synchronous, so
 * nothing changes during it and no snapshot is needed.
 */
import type { core } from '../api/index.ts'
import { keyOf } from '../machinery/meta.ts'
import { createNodeInfo } from './node-info.ts'
import type { MutableNodeInfo, NodeInfo } from './node-info.ts'
import { podInfo } from './pod-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Cluster, Lookups } from './plugin.ts'

export interface State {
  readonly cluster: Cluster
  setNode(node: core.Node): void
  removeNode(name: string): void
  /** A pod that is assigned according to the API server; replaces the assumed one. */
  setPod(pod: core.Pod): void
  removePod(key: string): void
  /** Counts a pod on a node before the API server confirms it. */
  assume(pod: core.Pod, node: string): void
  /** Reverts an assumption. */
  forget(pod: core.Pod): void
  isAssumed(key: string): boolean
}

/** An empty picture of the cluster. */
export function createState(lookups: Lookups): State {
  const nodes = new Map<string, MutableNodeInfo>()
  /** Pods whose node is not known yet; they count once it appears. */
  const waiting = new Map<string, Map<string, PodInfo>>()
  const placed = new Map<string, { readonly node: string; readonly assumed: boolean; readonly uid: string }>()
  let list: readonly NodeInfo[] | undefined

  const cluster: Cluster = {
    ...lookups,
    get nodes() { return (list ??= [...nodes.values()]) },
    node: (name) => nodes.get(name),
    get nodesWithAffinity() { return cluster.nodes.filter((n) => n.withAffinity > 0) },
    get nodesWithAntiAffinity() { return cluster.nodes.filter((n) => n.withAntiAffinity > 0) },
  }

  const lift = (key: string) => {
    const at = placed.get(key)
    if (!at) return
    placed.delete(key)
    nodes.get(at.node)?.remove(key)
    const others = waiting.get(at.node)
    if (others?.delete(key) && others.size === 0) waiting.delete(at.node)
  }
  const put = (pod: PodInfo, node: string, assumed: boolean) => {
    lift(pod.key)
    placed.set(pod.key, { node, assumed, uid: pod.uid })
    const info = nodes.get(node)
    if (info) return info.add(pod)
    const others = waiting.get(node) ?? new Map<string, PodInfo>()
    waiting.set(node, others.set(pod.key, pod))
  }

  return {
    cluster,
    setNode(node) {
      const name = node.metadata.name ?? ''
      const there = nodes.get(name)
      if (there) return there.setNode(node)
      const info = createNodeInfo(node)
      nodes.set(name, info)
      list = undefined
      for (const pod of waiting.get(name)?.values() ?? []) info.add(pod)
      waiting.delete(name)
    },
    removeNode(name) {
      const info = nodes.get(name)
      if (!info) return
      if (info.pods.size) waiting.set(name, new Map(info.pods))
      nodes.delete(name)
      list = undefined
    },
    setPod: (pod) => put(podInfo(pod), pod.spec.nodeName ?? '', false),
    removePod: lift,
    assume: (pod, node) => put({ ...podInfo(pod) }, node, true),
    forget(pod) {
      const at = placed.get(keyOf(pod))
      if (at?.assumed && at.uid === pod.metadata.uid) lift(keyOf(pod))
    },
    isAssumed: (key) => placed.get(key)?.assumed === true,
  }
}

/** The cluster as it would be with other pods on some of its nodes. */
export function supposing(cluster: Cluster, changed: readonly NodeInfo[]): Cluster {
  const byName = new Map(changed.map((n) => [n.name, n]))
  const nodes = cluster.nodes.map((n) => byName.get(n.name) ?? n)
  return {
    ...lookupsOf(cluster),
    nodes,
    node: (name) => byName.get(name) ?? cluster.node(name),
    get nodesWithAffinity() { return nodes.filter((n) => n.withAffinity > 0) },
    get nodesWithAntiAffinity() { return nodes.filter((n) => n.withAntiAffinity > 0) },
  }
}

const lookupsOf = (c: Cluster): Lookups => ({
  namespaceLabels: c.namespaceLabels, claim: c.claim, volume: c.volume, volumes: c.volumes, storageClass: c.storageClass, siblings: c.siblings,
})
