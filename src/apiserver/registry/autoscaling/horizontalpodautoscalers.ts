/** Horizontal pod autoscalers (autoscaling/v2, the version that is stored). */
import type { autoscaling } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { metricsText } from './metrics-text.ts'
import { autoscalerSpec, autoscalerStatus } from './validation.ts'

const pods = (value: number): autoscaling.HPAScalingPolicy => ({ type: 'Pods', value, periodSeconds: 15 })
const percent = (value: number): autoscaling.HPAScalingPolicy => ({ type: 'Percent', value, periodSeconds: 15 })

/** At least one pod, and 80 % of the requested cpu, unless the client says otherwise. */
const withDefaults = (scaler: autoscaling.HorizontalPodAutoscaler): autoscaling.HorizontalPodAutoscaler => within(scaler, 'spec', (spec) => {
  const cpu: autoscaling.MetricSpec = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }
  const next = orDefault(spec, { minReplicas: 1, metrics: [cpu] })
  return within(next, 'behavior', (behavior) => ({
    ...behavior,
    scaleUp: orDefault(behavior.scaleUp ?? {}, { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [pods(4), percent(100)] }),
    scaleDown: orDefault(behavior.scaleDown ?? {}, { selectPolicy: 'Max', policies: [percent(100)] }),
  }))
})

export const horizontalpodautoscalers: Strategy<autoscaling.HorizontalPodAutoscaler> = {
  counted: false,
  default: withDefaults,
  validate: (scaler, root) => autoscalerSpec(root.at('spec'), scaler.spec),
  validateStatusUpdate: (next, _current, root) => autoscalerStatus(root.at('status'), next.status),
  printer: printer<autoscaling.HorizontalPodAutoscaler>(
    nameColumn,
    text('Reference', 'What it scales.', (o) => `${o.spec.scaleTargetRef.kind}/${o.spec.scaleTargetRef.name}`),
    text('Targets', 'Each metric as it is, of what it should be.', (o) => metricsText(o.spec.metrics ?? [], o.status.currentMetrics)),
    text('MinPods', 'The least number of pods.', (o) => (o.spec.minReplicas === undefined ? '<unset>' : String(o.spec.minReplicas))),
    text('MaxPods', 'The greatest number of pods.', (o) => o.spec.maxReplicas),
    text('Replicas', 'The number of pods there are.', (o) => o.status.currentReplicas ?? 0),
    ageColumn,
  ),
}
