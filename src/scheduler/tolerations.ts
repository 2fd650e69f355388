/** Taints and tolerations. */
import type { core } from '../api/index.ts'

const integer = /^-?\d+$/

function valueTolerated(toleration: core.Toleration, value: string): boolean {
  const wanted = toleration.value ?? ''
  switch (toleration.operator) {
    case 'Exists': return true
    case 'Lt': case 'Gt':
      if (!integer.test(value) || !integer.test(wanted)) return false
      return toleration.operator === 'Lt' ? BigInt(value) < BigInt(wanted) : BigInt(value) > BigInt(wanted)
    default: return wanted === value
  }
}

/** Whether the toleration matches the taint. */
export function tolerates(toleration: core.Toleration, taint: core.Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (!toleration.key && toleration.operator !== 'Exists') return false
  return valueTolerated(toleration, taint.value ?? '')
}

/** The first taint with one of the effects that the pod does not tolerate. */
export const untolerated = (pod: core.Pod, taints: readonly core.Taint[] | undefined, effects: readonly string[]): core.Taint | undefined =>
  taints?.find((taint) => effects.includes(taint.effect) && !(pod.spec.tolerations ?? []).some((t) => tolerates(t, taint)))

/** Whether the pod may be put on the node for all its `NoSchedule` and `NoExecute` taints. */
export const toleratesNode = (pod: core.Pod, node: core.Node): boolean => !untolerated(pod, node.spec.taints, ['NoSchedule', 'NoExecute'])
