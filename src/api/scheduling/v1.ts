import { bool, fill, int32, opt, root, string, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { PreemptionPolicy } from '../core/pod.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const PriorityClass = root('PriorityClass', {
  metadata: fill(1, ObjectMeta),
  value: fill(2, int32),
  globalDefault: zero(3, bool),
  description: zero(4, string),
  preemptionPolicy: opt(5, PreemptionPolicy),
})
export interface PriorityClass extends Of<typeof PriorityClass> {}

const gv = groupVersion('scheduling.k8s.io', 'v1')

export const priorityclasses = gv.resource(PriorityClass, { plural: 'priorityclasses', short: ['pc'] })
