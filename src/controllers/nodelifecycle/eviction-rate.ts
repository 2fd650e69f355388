/**
 * How fast nodes may be emptied. When many nodes of a zone fail at once the fault is more likely between them and us
 * than in them: a large zone is emptied slowly, a small one not at all; when no node anywhere is ready, none is.
 */
import type { core } from '../../api/index.ts'
import { readiness } from './taints.ts'

const interval = 10_000
const slowInterval = 100_000
const largeZone = 50
const unhealthyPart = 0.55

/** Nodes with this label may be away without anything being wrong with their zone. */
const excluded = 'node.kubernetes.io/exclude-disruption'
const counts = (node: core.Node): boolean => node.metadata.labels?.[excluded] === undefined

const zoneOf = (node: core.Node): string => `${node.metadata.labels?.['topology.kubernetes.io/region'] ?? ''}:${node.metadata.labels?.['topology.kubernetes.io/zone'] ?? ''}`

/** Milliseconds between two nodes of a zone; undefined: none may be emptied. */
function intervalOf(members: readonly core.Node[]): number | undefined {
  const nodes = members.filter(counts)
  const bad = nodes.filter((node) => readiness(node) !== 'True').length
  if (bad > 2 && bad / nodes.length >= unhealthyPart && bad < nodes.length) return nodes.length > largeZone ? slowInterval : undefined
  return interval
}

export function createEvictionRate() {
  const nextAt = new Map<string, number>()
  return {
    /** The nodes whose pods may be made to leave now: those that already are, and as many more as the rate lets. */
    allowed(nodes: readonly core.Node[], isEvicting: (node: core.Node) => boolean, now: number): ReadonlySet<core.Node> {
      const allowed = new Set<core.Node>()
      const counted = nodes.filter(counts)
      if (counted.length > 0 && counted.every((node) => readiness(node) !== 'True')) return allowed
      for (const [zone, members] of Map.groupBy(nodes, zoneOf)) {
        const pause = intervalOf(members)
        for (const node of members.filter((n) => readiness(n) !== 'True')) {
          if (isEvicting(node)) allowed.add(node)
          else if (pause !== undefined && (nextAt.get(zone) ?? 0) <= now) {
            nextAt.set(zone, now + pause)
            allowed.add(node)
          }
        }
      }
      return allowed
    },
  }
}
