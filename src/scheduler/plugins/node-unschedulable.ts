import { refuseForGood } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'
import { tolerates } from '../tolerations.ts'

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Cordoned nodes take no pods, except those that tolerate the taint of that name. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  wakes: ['node added', 'node taints'],
  filter({ pod }) {
    if ((pod.spec.tolerations ?? []).some((t) => tolerates(t, taint))) return undefined
    return ({ node }) => (node.spec.unschedulable ? refuseForGood('NodeUnschedulable', 'node(s) were unschedulable') : undefined)
  },
}
