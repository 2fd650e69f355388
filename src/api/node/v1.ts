import { atomicMap, fill, list, map, opt, quantity, req, root, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Toleration } from '../core/shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const Overhead = struct('Overhead', {
  podFixed: zero(1, map(quantity), 'What it takes for each pod.'),
}, 'What a runtime takes.')
export interface Overhead extends Of<typeof Overhead> {}

export const Scheduling = struct('Scheduling', {
  nodeSelector: zero(1, atomicMap(string), 'Labels of the nodes.'),
  tolerations: zero(2, list(Toleration), 'Tolerations that pods of the class get.'),
}, 'Which nodes have a runtime.')
export interface Scheduling extends Of<typeof Scheduling> {}

export const RuntimeClass = root('RuntimeClass', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  handler: req(2, string, 'What the runtime of the node calls it.'),
  overhead: opt(3, Overhead, 'What it takes for each pod.'),
  scheduling: opt(4, Scheduling, 'Which nodes have it.'),
}, 'A kind of container runtime.')
export interface RuntimeClass extends Of<typeof RuntimeClass> {}

const gv = groupVersion('node.k8s.io', 'v1')

export const runtimeclasses = gv.resource(RuntimeClass, { plural: 'runtimeclasses' })
