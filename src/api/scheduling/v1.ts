import { bool, fill, int32, opt, root, string, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { PreemptionPolicy } from '../core/pod.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const PriorityClass = root('PriorityClass', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  value: fill(2, int32, 'The number: more matters more.'),
  globalDefault: zero(3, bool, 'Whether pods that name no class are of this one.'),
  description: zero(4, string, 'When to use it, for people.'),
  preemptionPolicy: opt(5, PreemptionPolicy, 'PreemptLowerPriority (the default), or Never to wait without pushing others out.'),
}, 'How much pods matter, by name.')
export interface PriorityClass extends Of<typeof PriorityClass> {}

const gv = groupVersion('scheduling.k8s.io', 'v1')

export const priorityclasses = gv.resource(PriorityClass, { plural: 'priorityclasses', short: ['pc'] })
