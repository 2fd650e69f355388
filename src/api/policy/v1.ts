import { fill, int32, int64, intOrString, map, mapList, oneOf, opt, root, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Condition, LabelSelector, ObjectMeta } from '../meta/meta.ts'
import { DeleteOptions } from '../meta/options.ts'

export const Eviction = root('Eviction', {
  metadata: fill(1, ObjectMeta),
  deleteOptions: opt(2, DeleteOptions),
})
export interface Eviction extends Of<typeof Eviction> {}

export const UnhealthyPodEvictionPolicyType = oneOf('IfHealthyBudget', 'AlwaysAllow')
export type UnhealthyPodEvictionPolicyType = Of<typeof UnhealthyPodEvictionPolicyType>

export const PodDisruptionBudgetSpec = struct('PodDisruptionBudgetSpec', {
  minAvailable: opt(1, intOrString),
  selector: opt(2, LabelSelector, { patch: 'replace' }),
  maxUnavailable: opt(3, intOrString),
  unhealthyPodEvictionPolicy: opt(4, UnhealthyPodEvictionPolicyType),
})
export interface PodDisruptionBudgetSpec extends Of<typeof PodDisruptionBudgetSpec> {}

export const PodDisruptionBudgetStatus = struct('PodDisruptionBudgetStatus', {
  observedGeneration: zero(1, int64),
  disruptedPods: zero(2, map(time)),
  disruptionsAllowed: fill(3, int32),
  currentHealthy: fill(4, int32),
  desiredHealthy: fill(5, int32),
  expectedPods: fill(6, int32),
  conditions: zero(7, mapList(Condition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface PodDisruptionBudgetStatus extends Of<typeof PodDisruptionBudgetStatus> {}

export const PodDisruptionBudget = root('PodDisruptionBudget', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, PodDisruptionBudgetSpec),
  status: fill(3, PodDisruptionBudgetStatus),
})
export interface PodDisruptionBudget extends Of<typeof PodDisruptionBudget> {}

const gv = groupVersion('policy', 'v1')

export const poddisruptionbudgets = gv.resource(PodDisruptionBudget, { plural: 'poddisruptionbudgets', short: ['pdb'], namespaced: true, subresources: ['status'] })
