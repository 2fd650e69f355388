/** What can be wrong with an autoscaler. */
import type { autoscaling } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { pathSegmentName } from '../../../machinery/names.ts'
import { readQuantity } from '../amounts.ts'
import { follows, forEach, ifThere, notNegative, selector, type Check } from '../checks.ts'

export function* autoscalerSpec(at: Path, spec: autoscaling.HorizontalPodAutoscalerSpec): Check {
  if (spec.minReplicas !== undefined && spec.minReplicas < 1) yield at.at('minReplicas').invalid(spec.minReplicas, 'must be greater than or equal to 1')
  if (spec.maxReplicas < 1) yield at.at('maxReplicas').invalid(spec.maxReplicas, 'must be greater than 0')
  if (spec.minReplicas !== undefined && spec.maxReplicas < spec.minReplicas) {
    yield at.at('maxReplicas').invalid(spec.maxReplicas, 'must be greater than or equal to `minReplicas`')
  }
  yield* reference(at.at('scaleTargetRef'), spec.scaleTargetRef)
  yield* forEach(at.at('metrics'), spec.metrics, metric)
  for (const name of ['scaleUp', 'scaleDown'] as const) {
    const rules = spec.behavior?.[name]
    if (rules) yield* scalingRules(at.at('behavior').at(name), rules)
  }
}

function* reference(at: Path, { kind, name }: autoscaling.CrossVersionObjectReference): Check {
  if (!kind) yield at.at('kind').required()
  else yield* follows(at.at('kind'), kind, pathSegmentName)
  if (!name) yield at.at('name').required()
  else yield* follows(at.at('name'), name, pathSegmentName)
}

const sources: Readonly<Record<string, 'object' | 'pods' | 'resource' | 'containerResource' | 'external'>> = {
  ContainerResource: 'containerResource', External: 'external', Object: 'object', Pods: 'pods', Resource: 'resource',
}

function* metric(value: autoscaling.MetricSpec, at: Path): Check {
  if (!value.type) yield at.at('type').required('must specify a metric source type')
  const wanted = sources[value.type]
  if (!wanted) return yield at.at('type').notSupported(value.type, Object.keys(sources))
  for (const name of Object.values(sources)) {
    if (value[name] && name !== wanted) yield at.at(name).forbidden('must populate the given metric source only')
  }
  const place = at.at(wanted)
  if (!value[wanted]) return yield place.required('must populate information for the given metric source')
  if (wanted === 'resource' && value.resource) yield* resourceMetric(place, value.resource)
  if (wanted === 'containerResource' && value.containerResource) {
    if (!value.containerResource.container) yield place.at('container').required('must specify a container')
    yield* resourceMetric(place, value.containerResource)
  }
  if (wanted === 'pods' && value.pods) yield* namedMetric(place, value.pods.metric, value.pods.target, 'must specify a positive target averageValue', ['averageValue'])
  if (wanted === 'object' && value.object) {
    yield* reference(place.at('describedObject'), value.object.describedObject)
    yield* namedMetric(place, value.object.metric, value.object.target, 'must set either a target value or averageValue')
  }
  if (wanted === 'external' && value.external) {
    const { target: goal } = value.external
    yield* namedMetric(place, value.external.metric, goal, 'must set either a target value for metric or a per-pod target')
    if (goal.value !== undefined && goal.averageValue !== undefined) yield place.at('target').at('value').forbidden('may not set both a target value for metric and a per-pod target')
  }
}

function* resourceMetric(at: Path, value: { readonly name: string; readonly target: autoscaling.MetricTarget }): Check {
  if (!value.name) yield at.at('name').required('must specify a resource name')
  yield* target(at.at('target'), value.target)
  const { averageUtilization, averageValue } = value.target
  if (averageUtilization === undefined && averageValue === undefined) yield at.at('target').at('averageUtilization').required('must set either a target raw value or a target utilization')
  if (averageUtilization !== undefined && averageValue !== undefined) yield at.at('target').at('averageValue').forbidden('may not set both a target raw value and a target utilization')
}

function* namedMetric(at: Path, identifier: autoscaling.MetricIdentifier, goal: autoscaling.MetricTarget, why: string, oneOf: readonly ('value' | 'averageValue')[] = ['value', 'averageValue']): Check {
  if (!identifier.name) yield at.at('metric').at('name').required('must specify a metric name')
  else yield* follows(at.at('metric').at('name'), identifier.name, pathSegmentName)
  yield* selector(at.at('metric').at('selector'), identifier.selector)
  yield* target(at.at('target'), goal)
  if (oneOf.every((name) => goal[name] === undefined)) yield at.at('target').at('averageValue').required(why)
}

function* target(at: Path, value: autoscaling.MetricTarget): Check {
  if (!value.type) yield at.at('type').required('must specify a metric target type')
  if (!['Utilization', 'Value', 'AverageValue'].includes(value.type)) yield at.at('type').invalid(value.type, 'must be either Utilization, Value, or AverageValue')
  for (const name of ['value', 'averageValue'] as const) {
    const amount = readQuantity(value[name])
    if (amount && amount.nanos <= 0n) yield at.at(name).invalid(amount.toString(), 'must be positive')
  }
  if (value.averageUtilization !== undefined && value.averageUtilization < 1) yield at.at('averageUtilization').invalid(value.averageUtilization, 'must be greater than 0')
}

function* scalingRules(at: Path, rules: autoscaling.HPAScalingRules): Check {
  const window = rules.stabilizationWindowSeconds
  if (window !== undefined && window < 0) yield at.at('stabilizationWindowSeconds').invalid(window, 'must be greater than or equal to zero')
  if (window !== undefined && window > 3600) yield at.at('stabilizationWindowSeconds').invalid(window, 'must be less than or equal to 3600')
  yield* ifThere(at.at('selectPolicy'), rules.selectPolicy, ['Disabled', 'Max', 'Min'])
  const tolerance = readQuantity(rules.tolerance)
  if (tolerance && tolerance.nanos < 0n) yield at.at('tolerance').invalid(tolerance.toString(), 'must be greater than or equal to 0')
  if (!rules.policies?.length) yield at.at('policies').required('must specify at least one Policy')
  yield* forEach(at.at('policies'), rules.policies, function* (policy, place) {
    yield* ifThere(place.at('type'), policy.type, ['Percent', 'Pods'])
    if (policy.value <= 0) yield place.at('value').invalid(policy.value, 'must be greater than zero')
    if (policy.periodSeconds <= 0) yield place.at('periodSeconds').invalid(policy.periodSeconds, 'must be greater than zero')
    if (policy.periodSeconds > 1800) yield place.at('periodSeconds').invalid(policy.periodSeconds, 'must be less than or equal to 1800')
  })
}

/** What a controller says of an autoscaler. */
export function* autoscalerStatus(at: Path, status: autoscaling.HorizontalPodAutoscalerStatus): Check {
  yield* notNegative(at.at('currentReplicas'), status.currentReplicas)
  yield* notNegative(at.at('desiredReplicas'), status.desiredReplicas)
}
