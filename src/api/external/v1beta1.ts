import { int64, map, opt, quantity, req, root, string, time, type Of } from '../schema.ts'

export const ExternalMetricValue = root('ExternalMetricValue', {
  metricName: req(1, string, 'Of the metric.'),
  metricLabels: req(2, map(string), 'Of the series.'),
  timestamp: req(3, time, 'When it was taken.'),
  window: opt(4, int64, 'Over how long, in seconds.'),
  value: req(5, quantity, 'The value.'),
})
export interface ExternalMetricValue extends Of<typeof ExternalMetricValue> {}
