import { maxScore, refuse, refuseForGood } from '../plugin.ts'
import type { Plugin, Refusal } from '../plugin.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import type { Resources } from '../resources.ts'

const name = 'NodeResourcesFit'

/** The names of resources of which `wanted` is more than `room` has. Resources of which nothing is wanted never lack. */
function lacking(wanted: Resources, room: (name: string) => number): string[] {
  const all: [string, number][] = [['cpu', wanted.milliCpu], ['memory', wanted.memory], ['ephemeral-storage', wanted.ephemeralStorage], ...wanted.scalar]
  return all.filter(([resource, value]) => value > 0 && value > room(resource)).map(([resource]) => resource)
}

function amountOf(r: Resources, resource: string): number {
  if (resource === 'cpu') return r.milliCpu
  if (resource === 'memory') return r.memory
  if (resource === 'ephemeral-storage') return r.ephemeralStorage
  return r.scalar.get(resource) ?? 0
}

function check(pod: PodInfo, node: NodeInfo): Refusal | undefined {
  const reasons = node.pods.size + 1 > node.allowedPods ? ['Too many pods'] : []
  const lacks = lacking(pod.requests, (r) => amountOf(node.allocatable, r) - amountOf(node.requested, r))
  for (const resource of lacks) reasons.push(`Insufficient ${resource}`)
  if (!reasons.length) return undefined
  const hopeless = lacks.some((r) => amountOf(pod.requests, r) > amountOf(node.allocatable, r))
  return hopeless ? refuseForGood(name, ...reasons) : refuse(name, ...reasons)
}

/** 100 for an empty node, 0 for a full one. */
const free = (requested: number, capacity: number) => (requested > capacity ? 0 : Math.floor(((capacity - requested) * maxScore) / capacity))

/** What a pod asks for must be there; of the nodes where it is, the emptier ones are better (LeastAllocated over CPU and memory). */
export const nodeResourcesFit: Plugin = {
  name,
  wakes: ['node added', 'node allocatable', 'pod deleted', 'pod resized'],
  filter: (pod) => (node) => check(pod, node),
  weight: 1,
  score: (pod) => ({
    score({ allocatable, scoring }) {
      const shares = [
        { capacity: allocatable.milliCpu, requested: scoring.milliCpu + pod.scoring.milliCpu },
        { capacity: allocatable.memory, requested: scoring.memory + pod.scoring.memory },
      ].filter((s) => s.capacity > 0)
      return shares.length ? Math.floor(shares.reduce((sum, s) => sum + free(s.requested, s.capacity), 0) / shares.length) : 0
    },
  }),
}
