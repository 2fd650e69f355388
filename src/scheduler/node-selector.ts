/** Node selectors: terms over a node's labels and its name. */
import type { core } from '../api/index.ts'
import type { Labels } from '../machinery/labels.ts'

type Requirement = core.NodeSelectorRequirement

const integer = /^[+-]?\d+$/

function holds({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    case 'Gt': case 'Lt': {
      const [bound] = values
      if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false
      return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
    }
    default: return false
  }
}

/** Whether a term selects the node. An empty term selects nothing. */
export function termMatches(term: core.NodeSelectorTerm, node: core.Node): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length + fields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return expressions.every((r) => holds(r, labels)) && fields.every((r) => holds(r, { 'metadata.name': node.metadata.name ?? '' }))
}

/** Whether any term selects the node. */
export const nodeSelectorMatches = (selector: core.NodeSelector, node: core.Node): boolean => selector.nodeSelectorTerms.some((t) => termMatches(t, node))

/** Whether a pod's `nodeSelector` and required node affinity, both, allow the node. */
export function requiredNodeAffinityMatches(pod: core.Pod, node: core.Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) if (labels[key] !== value) return false
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || nodeSelectorMatches(required, node)
}
