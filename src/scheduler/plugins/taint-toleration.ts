import { refuseForGood, scaled } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'
import { tolerates, untolerated } from '../tolerations.ts'

const name = 'TaintToleration'

/** Taints keep pods away that do not tolerate them; `PreferNoSchedule` ones only if there is elsewhere to go. */
export const taintToleration: Plugin = {
  name,
  wakes: ['node added', 'node taints'],
  filter: ({ pod }) => ({ node }) =>
    (untolerated(pod, node.spec.taints, ['NoSchedule', 'NoExecute']) ? refuseForGood(name, 'node(s) had untolerated taint(s)') : undefined),
  weight: 3,
  score({ pod }) {
    const tolerations = (pod.spec.tolerations ?? []).filter((t) => !t.effect || t.effect === 'PreferNoSchedule')
    return {
      score: ({ node }) => (node.spec.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((t) => tolerates(t, taint))).length,
      normalize: (scores) => scaled(scores, true),
    }
  },
}
