import { fill, int32, int64, oneOf, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ContainerResourceMetricSource = struct('ContainerResourceMetricSource', {
  name: req(1, string),
  targetAverageUtilization: opt(2, int32),
  targetAverageValue: opt(3, quantity),
  container: req(5, string),
})
export interface ContainerResourceMetricSource extends Of<typeof ContainerResourceMetricSource> {}

export const ContainerResourceMetricStatus = struct('ContainerResourceMetricStatus', {
  name: req(1, string),
  currentAverageUtilization: opt(2, int32),
  currentAverageValue: req(3, quantity),
  container: req(4, string),
})
export interface ContainerResourceMetricStatus extends Of<typeof ContainerResourceMetricStatus> {}

export const CrossVersionObjectReference = struct('CrossVersionObjectReference', {
  kind: req(1, string),
  name: req(2, string),
  apiVersion: zero(3, string),
}, { atomic: true })
export interface CrossVersionObjectReference extends Of<typeof CrossVersionObjectReference> {}

export const ExternalMetricSource = struct('ExternalMetricSource', {
  metricName: req(1, string),
  metricSelector: opt(2, LabelSelector),
  targetValue: opt(3, quantity),
  targetAverageValue: opt(4, quantity),
})
export interface ExternalMetricSource extends Of<typeof ExternalMetricSource> {}

export const ExternalMetricStatus = struct('ExternalMetricStatus', {
  metricName: req(1, string),
  metricSelector: opt(2, LabelSelector),
  currentValue: req(3, quantity),
  currentAverageValue: opt(4, quantity),
})
export interface ExternalMetricStatus extends Of<typeof ExternalMetricStatus> {}

export const HorizontalPodAutoscalerSpec = struct('HorizontalPodAutoscalerSpec', {
  scaleTargetRef: req(1, CrossVersionObjectReference),
  minReplicas: opt(2, int32),
  maxReplicas: req(3, int32),
  targetCPUUtilizationPercentage: opt(4, int32),
})
export interface HorizontalPodAutoscalerSpec extends Of<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerStatus = struct('HorizontalPodAutoscalerStatus', {
  observedGeneration: opt(1, int64),
  lastScaleTime: opt(2, time),
  currentReplicas: req(3, int32),
  desiredReplicas: req(4, int32),
  currentCPUUtilizationPercentage: opt(5, int32),
})
export interface HorizontalPodAutoscalerStatus extends Of<typeof HorizontalPodAutoscalerStatus> {}

export const HorizontalPodAutoscaler = root('HorizontalPodAutoscaler', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, HorizontalPodAutoscalerSpec, { required: true }),
  status: fill(3, HorizontalPodAutoscalerStatus),
})
export interface HorizontalPodAutoscaler extends Of<typeof HorizontalPodAutoscaler> {}

export const HorizontalPodAutoscalerCondition = struct('HorizontalPodAutoscalerCondition', {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: fill(3, time),
  reason: zero(4, string),
  message: zero(5, string),
})
export interface HorizontalPodAutoscalerCondition extends Of<typeof HorizontalPodAutoscalerCondition> {}

export const MetricSourceType = oneOf('Object', 'Pods', 'Resource', 'ContainerResource', 'External')
export type MetricSourceType = Of<typeof MetricSourceType>

export const ObjectMetricSource = struct('ObjectMetricSource', {
  target: req(1, CrossVersionObjectReference),
  metricName: req(2, string),
  targetValue: req(3, quantity),
  selector: opt(4, LabelSelector),
  averageValue: opt(5, quantity),
})
export interface ObjectMetricSource extends Of<typeof ObjectMetricSource> {}

export const PodsMetricSource = struct('PodsMetricSource', {
  metricName: req(1, string),
  targetAverageValue: req(2, quantity),
  selector: opt(3, LabelSelector),
})
export interface PodsMetricSource extends Of<typeof PodsMetricSource> {}

export const ResourceMetricSource = struct('ResourceMetricSource', {
  name: req(1, string),
  targetAverageUtilization: opt(2, int32),
  targetAverageValue: opt(3, quantity),
})
export interface ResourceMetricSource extends Of<typeof ResourceMetricSource> {}

export const MetricSpec = struct('MetricSpec', {
  type: req(1, MetricSourceType),
  object: opt(2, ObjectMetricSource),
  pods: opt(3, PodsMetricSource),
  resource: opt(4, ResourceMetricSource),
  containerResource: opt(7, ContainerResourceMetricSource),
  external: opt(5, ExternalMetricSource),
})
export interface MetricSpec extends Of<typeof MetricSpec> {}

export const ObjectMetricStatus = struct('ObjectMetricStatus', {
  target: req(1, CrossVersionObjectReference),
  metricName: req(2, string),
  currentValue: req(3, quantity),
  selector: opt(4, LabelSelector),
  averageValue: opt(5, quantity),
})
export interface ObjectMetricStatus extends Of<typeof ObjectMetricStatus> {}

export const PodsMetricStatus = struct('PodsMetricStatus', {
  metricName: req(1, string),
  currentAverageValue: req(2, quantity),
  selector: opt(3, LabelSelector),
})
export interface PodsMetricStatus extends Of<typeof PodsMetricStatus> {}

export const ResourceMetricStatus = struct('ResourceMetricStatus', {
  name: req(1, string),
  currentAverageUtilization: opt(2, int32),
  currentAverageValue: req(3, quantity),
})
export interface ResourceMetricStatus extends Of<typeof ResourceMetricStatus> {}

export const MetricStatus = struct('MetricStatus', {
  type: req(1, MetricSourceType),
  object: opt(2, ObjectMetricStatus),
  pods: opt(3, PodsMetricStatus),
  resource: opt(4, ResourceMetricStatus),
  containerResource: opt(7, ContainerResourceMetricStatus),
  external: opt(5, ExternalMetricStatus),
})
export interface MetricStatus extends Of<typeof MetricStatus> {}

export const ScaleSpec = struct('ScaleSpec', {
  replicas: zero(1, int32, { default: 0 }),
})
export interface ScaleSpec extends Of<typeof ScaleSpec> {}

export const ScaleStatus = struct('ScaleStatus', {
  replicas: req(1, int32),
  selector: zero(2, string),
})
export interface ScaleStatus extends Of<typeof ScaleStatus> {}

export const Scale = root('Scale', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ScaleSpec),
  status: fill(3, ScaleStatus),
})
export interface Scale extends Of<typeof Scale> {}

const gv = groupVersion('autoscaling', 'v1')

export const horizontalpodautoscalers = gv.resource(HorizontalPodAutoscaler, { plural: 'horizontalpodautoscalers', short: ['hpa'], categories: ['all'], namespaced: true, subresources: ['status'] })
