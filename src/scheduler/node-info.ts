/** A node with its pods and its free resources, updated in place as pods come and go. */
import type { core } from '../api/index.ts'
import { hasAffinityTerms } from './pod-info.ts'
import type { PodInfo } from './pod-info.ts'
import { allocatableOf } from './resources.ts'
import type { Resources } from './resources.ts'

export interface NodeInfo {
  readonly name: string
  readonly node: core.Node
  readonly allocatable: Resources
  readonly allowedPods: number
  /** By `namespace/name`, in the order they came. */
  readonly pods: ReadonlyMap<string, PodInfo>
  readonly requested: Resources
  /** With an assumed minimum for containers without requests, for scores. */
  readonly scoring: { readonly milliCpu: number; readonly memory: number }
  /** `protocol/port` → addresses in use. */
  readonly ports: ReadonlyMap<string, readonly string[]>
  /** Pods with any inter-pod terms; pods with required anti-affinity. */
  readonly withAffinity: number
  readonly withAntiAffinity: number
  /** Image name → bytes. */
  readonly images: ReadonlyMap<string, number>
  /** Another node info in the same state, to try things out on. */
  clone(): MutableNodeInfo
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
interface Totals { milliCpu: number; memory: number; ephemeralStorage: number; scalar: Map<string, number> }

export interface MutableNodeInfo extends NodeInfo {
  setNode(node: core.Node): void
  add(pod: PodInfo): void
  remove(key: string): void
}

function count(totals: Totals, requests: Resources, sign: 1 | -1): void {
  totals.milliCpu += sign * requests.milliCpu
  totals.memory += sign * requests.memory
  totals.ephemeralStorage += sign * requests.ephemeralStorage
  for (const [name, value] of requests.scalar) totals.scalar.set(name, (totals.scalar.get(name) ?? 0) + sign * value)
}

export function createNodeInfo(first: core.Node): MutableNodeInfo {
  const pods = new Map<string, PodInfo>()
  const requested: Totals = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalar: new Map() }
  const scoring = { milliCpu: 0, memory: 0 }
  const ports = new Map<string, string[]>()

  const tally = (p: PodInfo, sign: 1 | -1) => {
    count(requested, p.requests, sign)
    scoring.milliCpu += sign * p.scoring.milliCpu
    scoring.memory += sign * p.scoring.memory
    if (hasAffinityTerms(p)) info.withAffinity += sign
    if (p.antiAffinity.length) info.withAntiAffinity += sign
    for (const { protocol, port, ip } of p.ports) {
      const id = `${protocol}/${port}`
      const used = ports.get(id) ?? []
      if (sign > 0) used.push(ip)
      else used.splice(used.indexOf(ip), 1)
      if (used.length) ports.set(id, used)
      else ports.delete(id)
    }
  }

  const info: Writable<MutableNodeInfo> = {
    name: first.metadata.name ?? '',
    node: first,
    allocatable: requested,
    allowedPods: 0,
    pods,
    requested,
    scoring,
    ports,
    withAffinity: 0,
    withAntiAffinity: 0,
    images: new Map(),
    setNode(node) {
      const { resources, pods: allowed } = allocatableOf(node)
      info.node = node
      info.allocatable = resources
      info.allowedPods = allowed
      info.images = new Map((node.status.images ?? []).flatMap((image) => image.names.map((name) => [name, Number(image.sizeBytes ?? 0)])))
    },
    add(pod) {
      info.remove(pod.key)
      pods.set(pod.key, pod)
      tally(pod, 1)
    },
    remove(key) {
      const there = pods.get(key)
      if (!there) return
      pods.delete(key)
      tally(there, -1)
    },
    clone() {
      const copy = createNodeInfo(info.node)
      for (const pod of pods.values()) copy.add(pod)
      return copy
    },
  }
  info.setNode(first)
  return info
}
