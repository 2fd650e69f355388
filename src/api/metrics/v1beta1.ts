import { duration, fill, list, map, quantity, req, root, string, struct, time, type Of } from '../schema.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ContainerMetrics = struct('ContainerMetrics', {
  name: req(1, string),
  usage: req(2, map(quantity)),
})
export interface ContainerMetrics extends Of<typeof ContainerMetrics> {}

export const NodeMetrics = root('NodeMetrics', {
  metadata: fill(1, ObjectMeta),
  timestamp: req(2, time),
  window: req(3, duration),
  usage: req(4, map(quantity)),
})
export interface NodeMetrics extends Of<typeof NodeMetrics> {}

export const PodMetrics = root('PodMetrics', {
  metadata: fill(1, ObjectMeta),
  timestamp: req(2, time),
  window: req(3, duration),
  containers: req(4, list(ContainerMetrics)),
})
export interface PodMetrics extends Of<typeof PodMetrics> {}
