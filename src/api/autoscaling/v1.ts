import { fill, int32, int64, oneOf, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ContainerResourceMetricSource = struct('ContainerResourceMetricSource', {
  name: req(1, string, 'cpu, memory or another resource.'),
  targetAverageUtilization: opt(2, int32, 'Wanted on average over all pods, in percent of what they request.'),
  targetAverageValue: opt(3, quantity, 'Wanted on average over all pods.'),
  container: req(5, string, 'The container that is looked at.'),
})
export interface ContainerResourceMetricSource extends Of<typeof ContainerResourceMetricSource> {}

export const ContainerResourceMetricStatus = struct('ContainerResourceMetricStatus', {
  name: req(1, string, 'cpu, memory or another resource.'),
  currentAverageUtilization: opt(2, int32, 'The average over all pods, in percent of what they request.'),
  currentAverageValue: req(3, quantity, 'The average over all pods.'),
  container: req(4, string, 'The container that is looked at.'),
})
export interface ContainerResourceMetricStatus extends Of<typeof ContainerResourceMetricStatus> {}

export const CrossVersionObjectReference = struct('CrossVersionObjectReference', {
  kind: req(1, string, 'Of the object.'),
  name: req(2, string, 'Of the object.'),
  apiVersion: zero(3, string, 'Of the object.'),
}, { atomic: true })
export interface CrossVersionObjectReference extends Of<typeof CrossVersionObjectReference> {}

export const ExternalMetricSource = struct('ExternalMetricSource', {
  metricName: req(1, string, 'Of the metric.'),
  metricSelector: opt(2, LabelSelector, 'Which of its series.'),
  targetValue: opt(3, quantity, 'Wanted in all.'),
  targetAverageValue: opt(4, quantity, 'Wanted on average over all pods.'),
})
export interface ExternalMetricSource extends Of<typeof ExternalMetricSource> {}

export const ExternalMetricStatus = struct('ExternalMetricStatus', {
  metricName: req(1, string, 'Of the metric.'),
  metricSelector: opt(2, LabelSelector, 'Which of its series.'),
  currentValue: req(3, quantity, 'The value as it is.'),
  currentAverageValue: opt(4, quantity, 'The average over all pods.'),
})
export interface ExternalMetricStatus extends Of<typeof ExternalMetricStatus> {}

export const HorizontalPodAutoscalerSpec = struct('HorizontalPodAutoscalerSpec', {
  scaleTargetRef: req(1, CrossVersionObjectReference, 'What is scaled: anything with a scale subresource.'),
  minReplicas: opt(2, int32, 'Never fewer; 1 when left out.'),
  maxReplicas: req(3, int32, 'Never more.'),
  targetCPUUtilizationPercentage: opt(4, int32, 'Wanted on average over all pods, in percent of what they request.'),
})
export interface HorizontalPodAutoscalerSpec extends Of<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerStatus = struct('HorizontalPodAutoscalerStatus', {
  observedGeneration: opt(1, int64, 'The generation that this is about.'),
  lastScaleTime: opt(2, time, 'When the number of replicas was changed last.'),
  currentReplicas: req(3, int32, 'How many there are.'),
  desiredReplicas: req(4, int32, 'How many there should be.'),
  currentCPUUtilizationPercentage: opt(5, int32, 'The average over all pods, in percent of what they request.'),
})
export interface HorizontalPodAutoscalerStatus extends Of<typeof HorizontalPodAutoscalerStatus> {}

export const HorizontalPodAutoscaler = root('HorizontalPodAutoscaler', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  spec: fill(2, HorizontalPodAutoscalerSpec, { doc: 'What is wanted.', required: true }),
  status: fill(3, HorizontalPodAutoscalerStatus, 'What is.'),
})
export interface HorizontalPodAutoscaler extends Of<typeof HorizontalPodAutoscaler> {}

export const HorizontalPodAutoscalerCondition = struct('HorizontalPodAutoscalerCondition', {
  type: req(1, string, 'Which condition.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When status changed last.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
})
export interface HorizontalPodAutoscalerCondition extends Of<typeof HorizontalPodAutoscalerCondition> {}

export const MetricSourceType = oneOf('Object', 'Pods', 'Resource', 'ContainerResource', 'External')
export type MetricSourceType = Of<typeof MetricSourceType>

export const ObjectMetricSource = struct('ObjectMetricSource', {
  target: req(1, CrossVersionObjectReference, 'The object that the metric describes.'),
  metricName: req(2, string, 'Of the metric.'),
  targetValue: req(3, quantity, 'Wanted in all.'),
  selector: opt(4, LabelSelector, 'Which of its series.'),
  averageValue: opt(5, quantity, 'Wanted on average over all pods.'),
})
export interface ObjectMetricSource extends Of<typeof ObjectMetricSource> {}

export const PodsMetricSource = struct('PodsMetricSource', {
  metricName: req(1, string, 'Of the metric.'),
  targetAverageValue: req(2, quantity, 'Wanted on average over all pods.'),
  selector: opt(3, LabelSelector, 'Which of its series.'),
})
export interface PodsMetricSource extends Of<typeof PodsMetricSource> {}

export const ResourceMetricSource = struct('ResourceMetricSource', {
  name: req(1, string, 'cpu, memory or another resource.'),
  targetAverageUtilization: opt(2, int32, 'Wanted on average over all pods, in percent of what they request.'),
  targetAverageValue: opt(3, quantity, 'Wanted on average over all pods.'),
})
export interface ResourceMetricSource extends Of<typeof ResourceMetricSource> {}

export const MetricSpec = struct('MetricSpec', {
  type: req(1, MetricSourceType, 'Which of the others is given: Object, Pods, Resource, ContainerResource or External.'),
  object: opt(2, ObjectMetricSource, 'A metric of one object.'),
  pods: opt(3, PodsMetricSource, 'A metric of every pod, averaged.'),
  resource: opt(4, ResourceMetricSource, 'A resource that the pods request.'),
  containerResource: opt(7, ContainerResourceMetricSource, 'A resource that one container of each pod requests.'),
  external: opt(5, ExternalMetricSource, 'A metric from outside the cluster.'),
})
export interface MetricSpec extends Of<typeof MetricSpec> {}

export const ObjectMetricStatus = struct('ObjectMetricStatus', {
  target: req(1, CrossVersionObjectReference, 'The object that the metric describes.'),
  metricName: req(2, string, 'Of the metric.'),
  currentValue: req(3, quantity, 'The value as it is.'),
  selector: opt(4, LabelSelector, 'Which of its series.'),
  averageValue: opt(5, quantity, 'The average over all pods.'),
})
export interface ObjectMetricStatus extends Of<typeof ObjectMetricStatus> {}

export const PodsMetricStatus = struct('PodsMetricStatus', {
  metricName: req(1, string, 'Of the metric.'),
  currentAverageValue: req(2, quantity, 'The average over all pods.'),
  selector: opt(3, LabelSelector, 'Which of its series.'),
})
export interface PodsMetricStatus extends Of<typeof PodsMetricStatus> {}

export const ResourceMetricStatus = struct('ResourceMetricStatus', {
  name: req(1, string, 'cpu, memory or another resource.'),
  currentAverageUtilization: opt(2, int32, 'The average over all pods, in percent of what they request.'),
  currentAverageValue: req(3, quantity, 'The average over all pods.'),
})
export interface ResourceMetricStatus extends Of<typeof ResourceMetricStatus> {}

export const MetricStatus = struct('MetricStatus', {
  type: req(1, MetricSourceType, 'Which of the others is given: Object, Pods, Resource, ContainerResource or External.'),
  object: opt(2, ObjectMetricStatus, 'A metric of one object.'),
  pods: opt(3, PodsMetricStatus, 'A metric of every pod, averaged.'),
  resource: opt(4, ResourceMetricStatus, 'A resource that the pods request.'),
  containerResource: opt(7, ContainerResourceMetricStatus, 'A resource that one container of each pod requests.'),
  external: opt(5, ExternalMetricStatus, 'A metric from outside the cluster.'),
})
export interface MetricStatus extends Of<typeof MetricStatus> {}

export const ScaleSpec = struct('ScaleSpec', {
  replicas: zero(1, int32, { doc: 'How many there should be.', default: 0 }),
})
export interface ScaleSpec extends Of<typeof ScaleSpec> {}

export const ScaleStatus = struct('ScaleStatus', {
  replicas: req(1, int32, 'How many there are.'),
  selector: zero(2, string, 'The selector of their pods, as text.'),
})
export interface ScaleStatus extends Of<typeof ScaleStatus> {}

export const Scale = root('Scale', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  spec: fill(2, ScaleSpec, 'What is wanted.'),
  status: fill(3, ScaleStatus, 'What is.'),
})
export interface Scale extends Of<typeof Scale> {}

const gv = groupVersion('autoscaling', 'v1')

export const horizontalpodautoscalers = gv.resource(HorizontalPodAutoscaler, { plural: 'horizontalpodautoscalers', short: ['hpa'], categories: ['all'], namespaced: true, subresources: ['status'] })
