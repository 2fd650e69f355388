import { nodeSelectorMatches, requiredNodeAffinityMatches, termMatches } from '../node-selector.ts'
import { refuseForGood, scaled } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'

const name = 'NodeAffinity'

/** `nodeSelector` and node affinity: what is required filters, what is preferred scores. */
export const nodeAffinity: Plugin = {
  name,
  wakes: ['node added', 'node labels'],
  filter({ pod }) {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    if (!required && !pod.spec.nodeSelector) return undefined
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
