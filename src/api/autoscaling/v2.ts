import { fill, int32, int64, list, mapList, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const MetricTarget = struct('MetricTarget', {
  type: req(1, string, 'Utilization, Value or AverageValue.'),
  value: opt(2, quantity, 'The value.'),
  averageValue: opt(3, quantity, 'The value for each pod.'),
  averageUtilization: opt(4, int32, 'The percentage of what is requested.'),
}, 'What a metric should be.')
export interface MetricTarget extends Of<typeof MetricTarget> {}

export const ContainerResourceMetricSource = struct('ContainerResourceMetricSource', {
  name: req(1, string, 'cpu or memory.'),
  target: req(2, MetricTarget, 'What it should be.'),
  container: req(3, string, 'The container.'),
}, 'cpu or memory of one container.')
export interface ContainerResourceMetricSource extends Of<typeof ContainerResourceMetricSource> {}

export const MetricValueStatus = struct('MetricValueStatus', {
  value: opt(1, quantity, 'The value as it is.'),
  averageValue: opt(2, quantity, 'The average over all pods.'),
  averageUtilization: opt(3, int32, 'The average over all pods, in percent of what they request.'),
})
export interface MetricValueStatus extends Of<typeof MetricValueStatus> {}

export const ContainerResourceMetricStatus = struct('ContainerResourceMetricStatus', {
  name: req(1, string, 'cpu, memory or another resource.'),
  current: req(2, MetricValueStatus, 'The value as it is.'),
  container: req(3, string, 'The container that is looked at.'),
})
export interface ContainerResourceMetricStatus extends Of<typeof ContainerResourceMetricStatus> {}

export const CrossVersionObjectReference = struct('CrossVersionObjectReference', {
  kind: req(1, string, 'Its kind.'),
  name: req(2, string, 'Its name.'),
  apiVersion: zero(3, string, 'Its API version.'),
}, 'An object.')
export interface CrossVersionObjectReference extends Of<typeof CrossVersionObjectReference> {}

export const MetricIdentifier = struct('MetricIdentifier', {
  name: req(1, string, 'Its name.'),
  selector: opt(2, LabelSelector, 'Labels of the metric.'),
}, 'A metric.')
export interface MetricIdentifier extends Of<typeof MetricIdentifier> {}

export const ExternalMetricSource = struct('ExternalMetricSource', {
  metric: req(1, MetricIdentifier, 'The metric.'),
  target: req(2, MetricTarget, 'What it should be.'),
}, 'A metric from outside the cluster.')
export interface ExternalMetricSource extends Of<typeof ExternalMetricSource> {}

export const ExternalMetricStatus = struct('ExternalMetricStatus', {
  metric: req(1, MetricIdentifier, 'Which metric.'),
  current: req(2, MetricValueStatus, 'The value as it is.'),
})
export interface ExternalMetricStatus extends Of<typeof ExternalMetricStatus> {}

export const HPAScalingPolicy = struct('HPAScalingPolicy', {
  type: req(1, string, 'Pods or Percent.'),
  value: req(2, int32, 'How much.'),
  periodSeconds: req(3, int32, 'In which time.'),
}, 'How much may change in which time.')
export interface HPAScalingPolicy extends Of<typeof HPAScalingPolicy> {}

export const HPAScalingRules = struct('HPAScalingRules', {
  stabilizationWindowSeconds: opt(3, int32, 'For how long past recommendations count, so that it does not go to and fro.'),
  selectPolicy: opt(1, string, 'Max, Min or Disabled: which policy counts.'),
  policies: zero(2, list(HPAScalingPolicy), 'How much may change in which time.'),
  tolerance: opt(4, quantity, { doc: 'How far a metric may be off before anything is done.', gate: 'HPAConfigurableTolerance' }),
}, 'How fast it may scale in one direction.')
export interface HPAScalingRules extends Of<typeof HPAScalingRules> {}

export const HorizontalPodAutoscalerBehavior = struct('HorizontalPodAutoscalerBehavior', {
  scaleUp: opt(1, HPAScalingRules, 'Up.'),
  scaleDown: opt(2, HPAScalingRules, 'Down.'),
}, 'How fast it may scale.')
export interface HorizontalPodAutoscalerBehavior extends Of<typeof HorizontalPodAutoscalerBehavior> {}

export const ObjectMetricSource = struct('ObjectMetricSource', {
  describedObject: req(1, CrossVersionObjectReference, 'The object.'),
  target: req(2, MetricTarget, 'What it should be.'),
  metric: req(3, MetricIdentifier, 'The metric.'),
}, 'A metric of one object.')
export interface ObjectMetricSource extends Of<typeof ObjectMetricSource> {}

export const PodsMetricSource = struct('PodsMetricSource', {
  metric: req(1, MetricIdentifier, 'The metric.'),
  target: req(2, MetricTarget, 'What it should be.'),
}, 'A metric of each pod.')
export interface PodsMetricSource extends Of<typeof PodsMetricSource> {}

export const ResourceMetricSource = struct('ResourceMetricSource', {
  name: req(1, string, 'cpu or memory.'),
  target: req(2, MetricTarget, 'What it should be.'),
}, 'cpu or memory.')
export interface ResourceMetricSource extends Of<typeof ResourceMetricSource> {}

export const MetricSpec = struct('MetricSpec', {
  type: req(1, string, 'Resource, ContainerResource, Pods, Object or External.'),
  object: opt(2, ObjectMetricSource, 'A metric of one object.'),
  pods: opt(3, PodsMetricSource, 'A metric of each pod, averaged.'),
  resource: opt(4, ResourceMetricSource, 'cpu or memory of the pods.'),
  containerResource: opt(7, ContainerResourceMetricSource, 'cpu or memory of one container of the pods.'),
  external: opt(5, ExternalMetricSource, 'A metric from outside the cluster.'),
}, 'What is measured: one source, named by type.')
export interface MetricSpec extends Of<typeof MetricSpec> {}

export const HorizontalPodAutoscalerSpec = struct('HorizontalPodAutoscalerSpec', {
  scaleTargetRef: req(1, CrossVersionObjectReference, 'The workload.'),
  minReplicas: opt(2, int32, 'The least number of pods. Default 1.'),
  maxReplicas: req(3, int32, 'The greatest number of pods.'),
  metrics: zero(4, list(MetricSpec), 'What is measured, and what it should be. Default: 80 % of the requested cpu.'),
  behavior: opt(5, HorizontalPodAutoscalerBehavior, 'How fast it may scale up and down.'),
}, 'What is wanted of an autoscaler.')
export interface HorizontalPodAutoscalerSpec extends Of<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerCondition = struct('HorizontalPodAutoscalerCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface HorizontalPodAutoscalerCondition extends Of<typeof HorizontalPodAutoscalerCondition> {}

export const ObjectMetricStatus = struct('ObjectMetricStatus', {
  metric: req(1, MetricIdentifier, 'Which metric.'),
  current: req(2, MetricValueStatus, 'The value as it is.'),
  describedObject: req(3, CrossVersionObjectReference, 'The object that it describes.'),
})
export interface ObjectMetricStatus extends Of<typeof ObjectMetricStatus> {}

export const PodsMetricStatus = struct('PodsMetricStatus', {
  metric: req(1, MetricIdentifier, 'Which metric.'),
  current: req(2, MetricValueStatus, 'The value as it is.'),
})
export interface PodsMetricStatus extends Of<typeof PodsMetricStatus> {}

export const ResourceMetricStatus = struct('ResourceMetricStatus', {
  name: req(1, string, 'cpu, memory or another resource.'),
  current: req(2, MetricValueStatus, 'The value as it is.'),
})
export interface ResourceMetricStatus extends Of<typeof ResourceMetricStatus> {}

export const MetricStatus = struct('MetricStatus', {
  type: req(1, string, 'Which of the others is given: Object, Pods, Resource, ContainerResource or External.'),
  object: opt(2, ObjectMetricStatus, 'A metric of one object.'),
  pods: opt(3, PodsMetricStatus, 'A metric of every pod, averaged.'),
  resource: opt(4, ResourceMetricStatus, 'A resource that the pods request.'),
  containerResource: opt(7, ContainerResourceMetricStatus, 'A resource that one container of each pod requests.'),
  external: opt(5, ExternalMetricStatus, 'A metric from outside the cluster.'),
})
export interface MetricStatus extends Of<typeof MetricStatus> {}

export const HorizontalPodAutoscalerStatus = struct('HorizontalPodAutoscalerStatus', {
  observedGeneration: opt(1, int64, 'The generation that was acted on.'),
  lastScaleTime: opt(2, time, 'When it last changed the number of pods.'),
  currentReplicas: zero(3, int32, 'How many pods there are.'),
  desiredReplicas: req(4, int32, 'How many pods there should be.'),
  currentMetrics: fill(5, list(MetricStatus), 'What was last measured.'),
  conditions: zero(6, mapList(HorizontalPodAutoscalerCondition, ['type']), { doc: 'Whether it can scale, does, and is at a limit.', patch: 'merge', key: 'type' }),
}, 'What is known of an autoscaler.')
export interface HorizontalPodAutoscalerStatus extends Of<typeof HorizontalPodAutoscalerStatus> {}

export const HorizontalPodAutoscaler = root('HorizontalPodAutoscaler', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, HorizontalPodAutoscalerSpec, { doc: 'What is wanted.', required: true }),
  status: fill(3, HorizontalPodAutoscalerStatus, 'What is.'),
}, 'Chooses the number of pods of a workload by what is measured.')
export interface HorizontalPodAutoscaler extends Of<typeof HorizontalPodAutoscaler> {}

const gv = groupVersion('autoscaling', 'v2')

export const horizontalpodautoscalers = gv.resource(HorizontalPodAutoscaler, { plural: 'horizontalpodautoscalers', short: ['hpa'], categories: ['all'], namespaced: true, subresources: ['status'] })
