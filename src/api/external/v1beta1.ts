import { int64, map, opt, quantity, req, root, string, time, type Of } from '../schema.ts'

export const ExternalMetricValue = root('ExternalMetricValue', {
  metricName: req(1, string),
  metricLabels: req(2, map(string)),
  timestamp: req(3, time),
  window: opt(4, int64),
  value: req(5, quantity),
})
export interface ExternalMetricValue extends Of<typeof ExternalMetricValue> {}
