/** What can be wrong with an autoscaler. */
import type { autoscaling } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { pathSegmentName } from '../../../machinery/names.ts'
import { readQuantity } from '../amounts.ts'
import { follows, forEach, ifThere, notNegative, selector } from '../checks.ts'

/** Validates the spec of an autoscaler. */
export function autoscalerSpec(at: Place, spec: autoscaling.HorizontalPodAutoscalerSpec): void {
  if (spec.minReplicas !== undefined && spec.minReplicas < 1) at.at('minReplicas').invalid(spec.minReplicas, 'must be greater than or equal to 1')
  if (spec.maxReplicas < 1) at.at('maxReplicas').invalid(spec.maxReplicas, 'must be greater than 0')
  if (spec.minReplicas !== undefined && spec.maxReplicas < spec.minReplicas) {
    at.at('maxReplicas').invalid(spec.maxReplicas, 'must be greater than or equal to `minReplicas`')
  }
  reference(at.at('scaleTargetRef'), spec.scaleTargetRef)
  forEach(at.at('metrics'), spec.metrics, metric)
  for (const name of ['scaleUp', 'scaleDown'] as const) {
    const rules = spec.behavior?.[name]
    if (rules) scalingRules(at.at('behavior').at(name), rules)
  }
}

function reference(at: Place, { kind, name }: autoscaling.CrossVersionObjectReference): void {
  if (!kind) at.at('kind').required()
  else follows(at.at('kind'), kind, pathSegmentName)
  if (!name) at.at('name').required()
  else follows(at.at('name'), name, pathSegmentName)
}

const sources: Readonly<Record<string, 'object' | 'pods' | 'resource' | 'containerResource' | 'external'>> = {
  ContainerResource: 'containerResource', External: 'external', Object: 'object', Pods: 'pods', Resource: 'resource',
}

function metric(value: autoscaling.MetricSpec, at: Place): void {
  if (!value.type) at.at('type').required('must specify a metric source type')
  const wanted = sources[value.type]
  // It is refused twice: as a type, and as a type that has no source.
  if (!wanted) for (let i = 0; i < 2; i++) at.at('type').notSupported(value.type, Object.keys(sources))
  if (!wanted) return
  for (const name of Object.values(sources)) {
    if (value[name] && name !== wanted) at.at(name).forbidden('must populate the given metric source only')
  }
  const place = at.at(wanted)
  if (!value[wanted]) return place.required('must populate information for the given metric source')
  if (wanted === 'resource' && value.resource) resourceMetric(place, value.resource)
  if (wanted === 'containerResource' && value.containerResource) {
    if (!value.containerResource.container) place.at('container').required('must specify a container')
    resourceMetric(place, value.containerResource)
  }
  if (wanted === 'pods' && value.pods) namedMetric(place, value.pods.metric, value.pods.target, 'must specify a positive target averageValue', ['averageValue'])
  if (wanted === 'object' && value.object) {
    reference(place.at('describedObject'), value.object.describedObject)
    namedMetric(place, value.object.metric, value.object.target, 'must set either a target value or averageValue')
  }
  if (wanted === 'external' && value.external) {
    const { target: goal } = value.external
    namedMetric(place, value.external.metric, goal, 'must set either a target value for metric or a per-pod target')
    if (goal.value !== undefined && goal.averageValue !== undefined) place.at('target').at('value').forbidden('may not set both a target value for metric and a per-pod target')
  }
}

function resourceMetric(at: Place, value: { readonly name: string; readonly target: autoscaling.MetricTarget }): void {
  if (!value.name) at.at('name').required('must specify a resource name')
  target(at.at('target'), value.target)
  const { averageUtilization, averageValue } = value.target
  if (averageUtilization === undefined && averageValue === undefined) at.at('target').at('averageUtilization').required('must set either a target raw value or a target utilization')
  if (averageUtilization !== undefined && averageValue !== undefined) at.at('target').at('averageValue').forbidden('may not set both a target raw value and a target utilization')
}

function namedMetric(at: Place, identifier: autoscaling.MetricIdentifier, goal: autoscaling.MetricTarget, why: string, oneOf: readonly ('value' | 'averageValue')[] = ['value', 'averageValue']): void {
  if (!identifier.name) at.at('metric').at('name').required('must specify a metric name')
  else follows(at.at('metric').at('name'), identifier.name, pathSegmentName)
  selector(at.at('metric').at('selector'), identifier.selector)
  target(at.at('target'), goal)
  if (oneOf.every((name) => goal[name] === undefined)) at.at('target').at('averageValue').required(why)
}

function target(at: Place, value: autoscaling.MetricTarget): void {
  if (!value.type) at.at('type').required('must specify a metric target type')
  if (!['Utilization', 'Value', 'AverageValue'].includes(value.type)) at.at('type').invalid(value.type, 'must be either Utilization, Value, or AverageValue')
  for (const name of ['value', 'averageValue'] as const) {
    const amount = readQuantity(value[name])
    if (amount && amount.nanos <= 0n) at.at(name).invalid(amount.toString(), 'must be positive')
  }
  if (value.averageUtilization !== undefined && value.averageUtilization < 1) at.at('averageUtilization').invalid(value.averageUtilization, 'must be greater than 0')
}

function scalingRules(at: Place, rules: autoscaling.HPAScalingRules): void {
  const window = rules.stabilizationWindowSeconds
  if (window !== undefined && window < 0) at.at('stabilizationWindowSeconds').invalid(window, 'must be greater than or equal to zero')
  if (window !== undefined && window > 3600) at.at('stabilizationWindowSeconds').invalid(window, 'must be less than or equal to 3600')
  ifThere(at.at('selectPolicy'), rules.selectPolicy, ['Disabled', 'Max', 'Min'])
  const tolerance = readQuantity(rules.tolerance)
  if (tolerance && tolerance.nanos < 0n) at.at('tolerance').invalid(tolerance.toString(), 'must be greater than or equal to 0')
  if (!rules.policies?.length) at.at('policies').required('must specify at least one Policy')
  forEach(at.at('policies'), rules.policies, (policy, place) => {
    ifThere(place.at('type'), policy.type, ['Percent', 'Pods'])
    if (policy.value <= 0) place.at('value').invalid(policy.value, 'must be greater than zero')
    if (policy.periodSeconds <= 0) place.at('periodSeconds').invalid(policy.periodSeconds, 'must be greater than zero')
    if (policy.periodSeconds > 1800) place.at('periodSeconds').invalid(policy.periodSeconds, 'must be less than or equal to 1800')
  })
}

/** What a controller says of an autoscaler. */
export function autoscalerStatus(at: Place, status: autoscaling.HorizontalPodAutoscalerStatus): void {
  notNegative(at.at('currentReplicas'), status.currentReplicas)
  notNegative(at.at('desiredReplicas'), status.desiredReplicas)
}
