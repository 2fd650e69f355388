import { int64, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { ObjectReference } from '../core/shared.ts'
import { LabelSelector } from '../meta/meta.ts'

export const MetricIdentifier = struct('MetricIdentifier', {
  name: req(1, string),
  selector: opt(2, LabelSelector),
})
export interface MetricIdentifier extends Of<typeof MetricIdentifier> {}

export const MetricListOptions = root('MetricListOptions', {
  labelSelector: zero(1, string),
  metricLabelSelector: zero(2, string),
})
export interface MetricListOptions extends Of<typeof MetricListOptions> {}

export const MetricValue = root('MetricValue', {
  describedObject: req(1, ObjectReference),
  metric: req(2, MetricIdentifier),
  timestamp: req(3, time),
  windowSeconds: opt(4, int64),
  value: req(5, quantity),
})
export interface MetricValue extends Of<typeof MetricValue> {}
