/** Labels of nodes that have a newer name: what selects by the old one is warned about. */
import type { core, meta } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'

const since = (version: string, instead: string): string => `deprecated since v${version}; use "${instead}" instead`

const old: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': since('1.14', 'kubernetes.io/arch'),
  'beta.kubernetes.io/os': since('1.14', 'kubernetes.io/os'),
  'failure-domain.beta.kubernetes.io/region': since('1.17', 'topology.kubernetes.io/region'),
  'failure-domain.beta.kubernetes.io/zone': since('1.17', 'topology.kubernetes.io/zone'),
  'beta.kubernetes.io/instance-type': since('1.17', 'node.kubernetes.io/instance-type'),
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
}

/** What is old about a label of nodes; undefined when nothing is. */
export const oldNodeLabel = (name: string): string | undefined => (Object.hasOwn(old, name) ? old[name] : undefined)

/** Warnings about a term that selects nodes. */
export const nodeTermWarnings = (at: Path, { matchExpressions = [] }: Pick<core.NodeSelectorTerm, 'matchExpressions'>): readonly string[] =>
  matchExpressions.flatMap(({ key }, i) => (oldNodeLabel(key) ? [`${at.at('matchExpressions').index(i).at('key')}: ${key} is ${oldNodeLabel(key)}`] : []))

/** Warnings about a selector of nodes. */
export const nodeSelectorWarnings = (at: Path, selector: meta.LabelSelector | undefined): readonly string[] => [
  ...nodeTermWarnings(at, { matchExpressions: (selector?.matchExpressions ?? []) as core.NodeSelectorTerm['matchExpressions'] }),
  ...Object.keys(selector?.matchLabels ?? {}).flatMap((key) => (oldNodeLabel(key) ? [`${at.at('matchLabels').at(key)}: ${oldNodeLabel(key)}`] : [])),
]
