import type { core } from '../../api/index.ts'
import { nodeSelectorMatches, requiredNodeAffinityMatches, termMatches } from '../node-selector.ts'
import { refuseForGood, scaled } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'

const name = 'NodeAffinity'

/**
 * The names of the only nodes that required terms allow, when every term names some (daemon sets do): the others are not looked
 * at one by one, and Kubernetes words that differently.
 */
function namedNodes(required: core.NodeSelector | undefined): ReadonlySet<string> | undefined {
  const named = new Set<string>()
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const lists = matchFields.filter((r) => r.key === 'metadata.name' && r.operator === 'In').map((r) => r.values ?? [])
    const [first] = lists
    if (!first) return undefined
    for (const name of first) if (lists.every((l) => l.includes(name))) named.add(name)
  }
  return required?.nodeSelectorTerms.length ? named : undefined
}

/** `nodeSelector` and node affinity: what is required filters, what is preferred scores. */
export const nodeAffinity: Plugin = {
  name,
  wakes: ['node added', 'node labels'],
  only: ({ pod }) => namedNodes(pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
  filter({ pod }) {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    if (!required && !pod.spec.nodeSelector) return undefined
    if (namedNodes(required)?.size === 0) return refuseForGood(name, 'pod affinity terms conflict')
    return ({ node }) => (requiredNodeAffinityMatches(pod, node) ? undefined : refuseForGood(name, "node(s) didn't match Pod's node affinity/selector"))
  },
  weight: 2,
  score({ pod }) {
    const preferred = (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).filter((p) => p.weight !== 0)
    if (!preferred.length) return undefined
    // An empty preference prefers every node alike.
    const matches = (p: (typeof preferred)[number], node: Parameters<typeof termMatches>[1]) =>
      !(p.preference.matchExpressions?.length || p.preference.matchFields?.length) || nodeSelectorMatches({ nodeSelectorTerms: [p.preference] }, node)
    return {
      score: ({ node }) => preferred.reduce((sum, p) => (matches(p, node) ? sum + p.weight : sum), 0),
      normalize: (scores) => scaled(scores),
    }
  },
}
