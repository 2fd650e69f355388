import { duration, fill, list, map, quantity, req, root, string, struct, time, type Of } from '../schema.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ContainerMetrics = struct('ContainerMetrics', {
  name: req(1, string, 'Of the container.'),
  usage: req(2, map(quantity), 'What it uses.'),
})
export interface ContainerMetrics extends Of<typeof ContainerMetrics> {}

export const NodeMetrics = root('NodeMetrics', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  timestamp: req(2, time, 'When it was taken.'),
  window: req(3, duration, 'Over how long.'),
  usage: req(4, map(quantity), 'What it uses.'),
})
export interface NodeMetrics extends Of<typeof NodeMetrics> {}

export const PodMetrics = root('PodMetrics', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  timestamp: req(2, time, 'When it was taken.'),
  window: req(3, duration, 'Over how long.'),
  containers: req(4, list(ContainerMetrics), 'What its containers use.'),
})
export interface PodMetrics extends Of<typeof PodMetrics> {}
