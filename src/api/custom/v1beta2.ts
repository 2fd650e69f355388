import { int64, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { ObjectReference } from '../core/shared.ts'
import { LabelSelector } from '../meta/meta.ts'

export const MetricIdentifier = struct('MetricIdentifier', {
  name: req(1, string, 'Of the metric.'),
  selector: opt(2, LabelSelector, 'Which of its series.'),
})
export interface MetricIdentifier extends Of<typeof MetricIdentifier> {}

export const MetricListOptions = root('MetricListOptions', {
  labelSelector: zero(1, string, 'Which objects.'),
  metricLabelSelector: zero(2, string, 'Which series.'),
})
export interface MetricListOptions extends Of<typeof MetricListOptions> {}

export const MetricValue = root('MetricValue', {
  describedObject: req(1, ObjectReference, 'What it is about.'),
  metric: req(2, MetricIdentifier, 'Which metric.'),
  timestamp: req(3, time, 'When it was taken.'),
  windowSeconds: opt(4, int64, 'Over how long.'),
  value: req(5, quantity, 'The value.'),
})
export interface MetricValue extends Of<typeof MetricValue> {}
