import { expect, it } from 'vitest'
import { autoscaling, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { createErrors } from '../testing.ts'

const scalers = autoscaling.horizontalpodautoscalers as unknown as Resource<ApiObject>
const scaler = (spec: object) => ({ metadata: { name: 'a', namespace: 'default' }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'a' }, maxReplicas: 1, ...spec } })
const metric = (value: object) => scaler({ metrics: [value] })
const rules = (scaleUp: object) => scaler({ behavior: { scaleUp } })
const at = 'spec.metrics[0]'
const types = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"'

it.each<[string, object, string[]]>([
  ['no replicas', scaler({ minReplicas: 0, maxReplicas: 0 }), ['spec.minReplicas: Invalid value: 0: must be greater than or equal to 1', 'spec.maxReplicas: Invalid value: 0: must be greater than 0']],
  ['a target of another form', scaler({ scaleTargetRef: { kind: 'a/b', name: '..' } }), [`spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain '/'`, `spec.scaleTargetRef.name: Invalid value: "..": may not be '..'`]],
  ['a metric of no type', metric({}), [`${at}.type: Required value: must specify a metric source type`, `${at}.type: Unsupported value: "": ${types}`, `${at}.type: Unsupported value: "": ${types}`]],
  ['a metric of two types', metric({ type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '1' } }, resource: { name: 'cpu', target: {} } }), [`${at}.resource: Forbidden: must populate the given metric source only`]],
  ['a resource without target', metric({ type: 'Resource', resource: { name: '', target: { type: 'X' } } }), [
    `${at}.resource.name: Required value: must specify a resource name`, `${at}.resource.target.type: Invalid value: "X": must be either Utilization, Value, or AverageValue`,
    `${at}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
  ]],
  ['a resource below nothing', metric({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 0, averageValue: '-1' } } }), [
    `${at}.resource.target.averageValue: Invalid value: "-1": must be positive`, `${at}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
    `${at}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
  ]],
  ['pods of no average', metric({ type: 'Pods', pods: { metric: { name: '' }, target: { type: 'Value', value: '1' } } }), [
    `${at}.pods.metric.name: Required value: must specify a metric name`, `${at}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
  ]],
  ['something outside with two targets', metric({ type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '1', averageValue: '1' } } }), [`${at}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`]],
  ['something outside with none', metric({ type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value' } } }), [`${at}.external.target.averageValue: Required value: must set either a target value for metric or a per-pod target`]],
  ['rules without end', rules({ stabilizationWindowSeconds: 3601, selectPolicy: 'X', tolerance: '-1', policies: [{ type: '', value: 0, periodSeconds: 1801 }] }), [
    'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600', 'spec.behavior.scaleUp.selectPolicy: Unsupported value: "X": supported values: "Disabled", "Max", "Min"',
    'spec.behavior.scaleUp.tolerance: Invalid value: "-1": must be greater than or equal to 0', 'spec.behavior.scaleUp.policies[0].type: Unsupported value: "": supported values: "Percent", "Pods"',
    'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero', 'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
  ]],
])('an autoscaler of %s is refused', (_, written, errors) => {
  expect(createErrors(scalers, written)).toEqual(errors)
})
