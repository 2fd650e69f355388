import { fill, int32, int64, intOrString, map, mapList, oneOf, opt, root, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Condition, LabelSelector, ObjectMeta } from '../meta/meta.ts'
import { DeleteOptions } from '../meta/options.ts'

export const Eviction = root('Eviction', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  deleteOptions: opt(2, DeleteOptions, 'How to delete the pod.'),
})
export interface Eviction extends Of<typeof Eviction> {}

export const UnhealthyPodEvictionPolicyType = oneOf('IfHealthyBudget', 'AlwaysAllow')
export type UnhealthyPodEvictionPolicyType = Of<typeof UnhealthyPodEvictionPolicyType>

export const PodDisruptionBudgetSpec = struct('PodDisruptionBudgetSpec', {
  minAvailable: opt(1, intOrString, 'How many pods must stay, as a number or a percentage.'),
  selector: opt(2, LabelSelector, { doc: 'The pods it is about.', patch: 'replace' }),
  maxUnavailable: opt(3, intOrString, 'How many pods may be away, as a number or a percentage.'),
  unhealthyPodEvictionPolicy: opt(4, UnhealthyPodEvictionPolicyType, 'Whether pods that are not ready can always be evicted: IfHealthyBudget or AlwaysAllow.'),
}, 'What is wanted of a budget: one of minAvailable and maxUnavailable.')
export interface PodDisruptionBudgetSpec extends Of<typeof PodDisruptionBudgetSpec> {}

export const PodDisruptionBudgetStatus = struct('PodDisruptionBudgetStatus', {
  observedGeneration: zero(1, int64, 'The generation that was acted on.'),
  disruptedPods: zero(2, map(time), 'Pods that are being evicted.'),
  disruptionsAllowed: fill(3, int32, 'How many pods may be evicted now.'),
  currentHealthy: fill(4, int32, 'How many pods are ready.'),
  desiredHealthy: fill(5, int32, 'How many pods must stay ready.'),
  expectedPods: fill(6, int32, 'How many pods there are.'),
  conditions: zero(7, mapList(Condition, ['type']), { doc: 'Statements about its state.', patch: 'merge', key: 'type' }),
}, 'What is known of a budget.')
export interface PodDisruptionBudgetStatus extends Of<typeof PodDisruptionBudgetStatus> {}

export const PodDisruptionBudget = root('PodDisruptionBudget', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, PodDisruptionBudgetSpec, 'What is wanted.'),
  status: fill(3, PodDisruptionBudgetStatus, 'What is.'),
}, 'How many of some pods may be evicted at a time.')
export interface PodDisruptionBudget extends Of<typeof PodDisruptionBudget> {}

const gv = groupVersion('policy', 'v1')

export const poddisruptionbudgets = gv.resource(PodDisruptionBudget, { plural: 'poddisruptionbudgets', short: ['pdb'], namespaced: true, subresources: ['status'] })
