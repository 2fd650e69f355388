/** Resources that are served in more than one version but stored in one. */
import { autoscaling, autoscalingV1, core, events, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { withMeta } from './meta.ts'

export interface Conversion {
  readonly storage: Resource
  toStorage(object: ApiObject): ApiObject
  fromStorage(object: ApiObject): ApiObject
  /** The names that field selectors of this version have for fields of the stored one; others cannot be selected by. */
  readonly labels?: Readonly<Record<string, string>>
}

const eventToStorage = (e: events.Event): core.Event => ({
  kind: 'Event',
  apiVersion: 'v1',
  metadata: e.metadata,
  involvedObject: e.regarding ?? {},
  reason: e.reason,
  message: e.note,
  source: e.deprecatedSource ?? {},
  firstTimestamp: e.deprecatedFirstTimestamp ?? null,
  lastTimestamp: e.deprecatedLastTimestamp ?? null,
  count: e.deprecatedCount,
  type: e.type,
  eventTime: e.eventTime ?? null,
  series: e.series && { count: e.series.count, lastObservedTime: e.series.lastObservedTime },
  action: e.action,
  related: e.related,
  reportingComponent: e.reportingController ?? '',
  reportingInstance: e.reportingInstance ?? '',
})

const eventFromStorage = (e: core.Event): events.Event => ({
  kind: 'Event',
  apiVersion: 'events.k8s.io/v1',
  metadata: e.metadata,
  eventTime: e.eventTime,
  series: e.series && { count: e.series.count ?? 0, lastObservedTime: e.series.lastObservedTime },
  reportingController: e.reportingComponent || undefined,
  reportingInstance: e.reportingInstance || undefined,
  action: e.action,
  reason: e.reason,
  regarding: e.involvedObject,
  related: e.related,
  note: e.message,
  type: e.type,
  deprecatedSource: e.source,
  deprecatedFirstTimestamp: e.firstTimestamp,
  deprecatedLastTimestamp: e.lastTimestamp,
  deprecatedCount: e.count,
})

/** The new names for what an event is about and who reports it. */
const eventLabels: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((name) => [`involvedObject.${name}`, `regarding.${name}`])),
  reason: 'reason', type: 'type', reportingComponent: 'reportingController',
}

/** The annotations in which version 1 keeps fields that only version 2 has. */
const kept = { metrics: 'autoscaling.alpha.kubernetes.io/metrics', current: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions', behavior: 'autoscaling.alpha.kubernetes.io/behavior' } as const

type Hpa1 = autoscalingV1.HorizontalPodAutoscaler
type Hpa2 = autoscaling.HorizontalPodAutoscaler
type MetricSpec = NonNullable<Hpa2['spec']['metrics']>[number]
type MetricStatus = NonNullable<NonNullable<Hpa2['status']>['currentMetrics']>[number]

const cpuTarget = (percent: number): MetricSpec =>
  ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } })
const isCpuTarget = (m: MetricSpec): boolean =>
  m.type === 'Resource' && m.resource?.name === 'cpu' && m.resource.target.averageUtilization !== undefined
const isCpuStatus = (m: MetricStatus): boolean => m.type === 'Resource' && m.resource?.name === 'cpu' && m.resource.current.averageUtilization !== undefined

const parsed = <T>(text: string | undefined): T | undefined => {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    // A client may have written the annotation by hand: what cannot be parsed is ignored.
    return undefined
  }
}

function hpaToStorage(hpa: Hpa1): Hpa2 {
  const { [kept.metrics]: metrics, [kept.current]: current, [kept.conditions]: conditions, [kept.behavior]: behavior, ...annotations } = hpa.metadata.annotations ?? {}
  const { targetCPUUtilizationPercentage: target, ...spec } = hpa.spec
  const { currentCPUUtilizationPercentage: usage, ...status } = hpa.status ?? {}
  const targets = [...(parsed<MetricSpec[]>(metrics) ?? []), ...(target === undefined ? [] : [cpuTarget(target)])]
  const currents: MetricStatus[] = [...(parsed<MetricStatus[]>(current) ?? []),
    ...(usage === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: usage } } }])]
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v2',
    metadata: withMeta(hpa, { annotations: Object.keys(annotations).length ? annotations : undefined }).metadata,
    spec: { ...spec, ...(targets.length ? { metrics: targets } : {}), behavior: parsed(behavior) },
    status: { ...status, desiredReplicas: hpa.status?.desiredReplicas ?? 0, currentMetrics: currents, conditions: parsed(conditions) },
  }
}

function hpaFromStorage(hpa: Hpa2): Hpa1 {
  const { metrics = [], behavior, ...spec } = hpa.spec
  const { currentMetrics = [], conditions, ...status } = hpa.status ?? {}
  const cpu = metrics.find(isCpuTarget)
  const usage = currentMetrics.find(isCpuStatus)
  const annotations: Record<string, string> = { ...hpa.metadata.annotations }
  const keep = (key: string, value: unknown, empty: boolean) => void (empty || (annotations[key] = JSON.stringify(value)))
  const others = metrics.filter((m) => m !== cpu)
  const otherUsage = currentMetrics.filter((m) => m !== usage)
  keep(kept.metrics, others, others.length === 0)
  keep(kept.current, otherUsage, otherUsage.length === 0)
  keep(kept.conditions, conditions, !conditions?.length)
  keep(kept.behavior, behavior, behavior === undefined)
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v1',
    metadata: deepEqual(annotations, hpa.metadata.annotations ?? {}) ? hpa.metadata : withMeta(hpa, { annotations }).metadata,
    spec: { ...spec, targetCPUUtilizationPercentage: cpu?.resource?.target.averageUtilization },
    status: { ...status, currentReplicas: hpa.status?.currentReplicas ?? 0, desiredReplicas: hpa.status?.desiredReplicas ?? 0,
      currentCPUUtilizationPercentage: usage?.resource?.current.averageUtilization },
  }
}

const both = <A, B>(storage: Resource, to: (object: A) => B, from: (object: B) => A, labels?: Conversion['labels']): Conversion => ({
  storage,
  ...(labels ? { labels } : {}),
  toStorage: (object) => to(object as unknown as A) as unknown as ApiObject,
  fromStorage: (object) => from(object as unknown as B) as unknown as ApiObject,
})

/** By the resource that is served. */
export const conversions: ReadonlyMap<Resource<unknown, unknown>, Conversion> = new Map([
  [events.events as unknown as Resource, both(core.events as unknown as Resource, eventToStorage, eventFromStorage, eventLabels)],
  [autoscalingV1.horizontalpodautoscalers as unknown as Resource, both(autoscaling.horizontalpodautoscalers as unknown as Resource, hpaToStorage, hpaFromStorage)],
])

/** The resource whose version is stored for `resource`. */
export const storageOf = (resource: Resource): Resource => conversions.get(resource)?.storage ?? resource
