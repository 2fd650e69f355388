/** On which nodes a daemon set's pod runs. */
import type { core } from '../../api/index.ts'
import { tolerates } from '../shared/tolerations.ts'

type Term = core.NodeSelectorTerm

function requirementHolds({ key, operator, values = [] }: core.NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    case 'Gt': return value !== undefined && /^-?\d+$/.test(value) && Number(value) > Number(values[0])
    case 'Lt': return value !== undefined && /^-?\d+$/.test(value) && Number(value) < Number(values[0])
    default: throw new Error(`node selector on ${key} has the unknown operator ${String(operator)}`)
  }
}

/** A term without requirements matches nothing. */
function termMatches({ matchExpressions = [], matchFields = [] }: Term, node: core.Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return matchExpressions.every((r) => requirementHolds(r, node.metadata.labels?.[r.key]))
    && matchFields.every((r) => requirementHolds(r, r.key === 'metadata.name' ? node.metadata.name : undefined))
}

function matchesAffinity(spec: core.PodSpec, node: core.Node): boolean {
  if (!Object.entries(spec.nodeSelector ?? {}).every(([k, v]) => node.metadata.labels?.[k] === v)) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || required.nodeSelectorTerms.some((term) => termMatches(term, node))
}

const bears = (key: string, effect: 'NoSchedule' | 'NoExecute'): core.Toleration => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect })

/** What every daemon pod bears: a node in trouble is where its daemons are needed. */
const daemonTolerations = (spec: core.PodSpec): readonly core.Toleration[] => [
  bears('not-ready', 'NoExecute'),
  bears('unreachable', 'NoExecute'),
  bears('disk-pressure', 'NoSchedule'),
  bears('memory-pressure', 'NoSchedule'),
  bears('pid-pressure', 'NoSchedule'),
  bears('unschedulable', 'NoSchedule'),
  ...(spec.hostNetwork ? [bears('network-unavailable', 'NoSchedule')] : []),
]

/** The template's tolerations with those every daemon pod has; one the template has too, perhaps for a limited time, is not had twice, nor limited. */
export function withDaemonTolerations(spec: core.PodSpec): readonly core.Toleration[] {
  const added = daemonTolerations(spec)
  const same = (a: core.Toleration, b: core.Toleration) => a.key === b.key && a.effect === b.effect && (a.operator ?? 'Equal') === (b.operator ?? 'Equal') && (a.value ?? '') === (b.value ?? '')
  const own = spec.tolerations ?? []
  return [...own.map((t) => added.find((a) => same(a, t)) ?? t), ...added.filter((a) => !own.some((t) => same(a, t)))]
}

export interface Fit { readonly shouldRun: boolean; readonly mayStay: boolean }

/** Whether the template's pod should be on the node, and whether one that is there may stay. */
export function fit(spec: core.PodSpec, node: core.Node): Fit {
  if ((spec.nodeName && spec.nodeName !== node.metadata.name) || !matchesAffinity(spec, node)) return { shouldRun: false, mayStay: false }
  const tolerations = withDaemonTolerations(spec)
  const repels = (effects: readonly string[]) => (node.spec.taints ?? []).some((taint) => effects.includes(taint.effect) && !tolerations.some((t) => tolerates(t, taint)))
  return { shouldRun: !repels(['NoSchedule', 'NoExecute']), mayStay: !repels(['NoExecute']) }
}

/** The affinity that holds a pod to one node, with whatever else it says. */
export function pinned(affinity: core.Affinity | undefined, nodeName: string): core.Affinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: [nodeName] }]
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } } }
}

/** The node a daemon pod is on, or is meant for. */
export function nodeOf(pod: core.Pod): string {
  if (pod.spec.nodeName) return pod.spec.nodeName
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.flatMap((term): readonly core.NodeSelectorRequirement[] => term.matchFields ?? []).find((f) => f.key === 'metadata.name')?.values?.[0] ?? ''
}
