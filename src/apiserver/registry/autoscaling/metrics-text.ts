/** The TARGETS column of autoscalers. */
import type { autoscaling } from '../../../api/index.ts'

type Target = autoscaling.MetricTarget
type Value = autoscaling.MetricValueStatus | undefined

const unknown = '<unknown>'

/** What one metric is now. Kubernetes keeps them in the order of the spec. */
function currentOf(spec: autoscaling.MetricSpec, status: autoscaling.MetricStatus | undefined): Value {
  switch (spec.type) {
    case 'Resource': return status?.resource?.current
    case 'ContainerResource': return status?.containerResource?.current
    case 'Pods': return status?.pods?.current
    case 'Object': return status?.object?.current
    case 'External': return status?.external?.current
    default: return undefined
  }
}

function resource(name: string, target: Target, current: Value): string {
  if (target.averageValue !== undefined) return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`
  const now = current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}%`
  const wanted = target.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`
  return `${name}: ${now}/${wanted}`
}

function amount(target: Target, current: Value): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`
  return `${current?.value ?? unknown}/${target.value ?? '<unset>'}`
}

function metricText(spec: autoscaling.MetricSpec, status: autoscaling.MetricStatus | undefined): string {
  const current = currentOf(spec, status)
  if (spec.resource) return resource(spec.resource.name, spec.resource.target, current)
  if (spec.containerResource) return resource(spec.containerResource.name, spec.containerResource.target, current)
  if (spec.pods) return `${current?.averageValue ?? unknown}/${spec.pods.target.averageValue ?? '<unset>'}`
  if (spec.object) return amount(spec.object.target, current)
  if (spec.external) return amount(spec.external.target, current)
  return '<unknown type>'
}

/** `cpu: 10%/80%, memory: 20%/50% + 1 more...` */
export function metricsText(specs: readonly autoscaling.MetricSpec[], statuses: readonly autoscaling.MetricStatus[]): string {
  if (specs.length === 0) return '<none>'
  const texts = specs.map((spec, i) => metricText(spec, statuses[i]))
  return texts.length <= 2 ? texts.join(', ') : `${texts.slice(0, 2).join(', ')} + ${texts.length - 2} more...`
}
