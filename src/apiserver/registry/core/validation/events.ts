/** Events: those of the core group are checked little, those of events.k8s.io strictly. */
import type { core } from '../../../../api/index.ts'
import { path, type Path } from '../../../../machinery/field.ts'
import { dns1123Subdomain, pathSegmentName, qualifiedName } from '../../../../machinery/names.ts'
import { follows, unchanged, type Check } from '../../checks.ts'

const strictVersion = 'events.k8s.io/v1'
const longest = 128
const longestNote = 1024

/** Reporters put together the names of events from those of objects: any name that can stand in a path. */
export const validateEventName = pathSegmentName

/** A new event, as it came in by `apiVersion`. */
export function* eventErrors(event: core.Event, apiVersion: string | undefined): Check {
  yield* anyEvent(event)
  if (apiVersion !== strictVersion) return
  yield* follows(path('metadata').at('name'), event.metadata.name ?? '', dns1123Subdomain)
  yield* series(event)
  if (!event.eventTime) yield path('eventTime').required()
  if (event.type !== 'Normal' && event.type !== 'Warning') yield path('type').invalid('', `has invalid value: ${event.type ?? ''}`)
  const old = { firstTimestamp: event.firstTimestamp, lastTimestamp: event.lastTimestamp, count: event.count, source: event.source.component || event.source.host }
  for (const [name, value] of Object.entries(old)) if (value) yield path(name).invalid('', 'needs to be unset')
}

const fixed = ['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'type', 'eventTime', 'action', 'related'] as const

/** An event that happened does not change: of those of the new group only the series goes on. */
export function* eventUpdateErrors(next: core.Event, current: core.Event, apiVersion: string | undefined): Check {
  yield* anyEvent(next)
  if (apiVersion !== strictVersion) return
  if (next.series?.count !== current.series?.count || next.series?.lastObservedTime !== current.series?.lastObservedTime) yield* series(next)
  for (const name of fixed) yield* unchanged(path(name), next[name], current[name])
  yield* unchanged(path('reportingController'), next.reportingComponent, current.reportingComponent)
  yield* unchanged(path('reportingInstance'), next.reportingInstance, current.reportingInstance)
}

/** An event stands beside what it is about; about what has no namespace, in `default`, new ones also in `kube-system`. */
function* anyEvent(event: core.Event): Check {
  const { namespace = '' } = event.metadata
  const about = event.involvedObject.namespace ?? ''
  const isNew = Boolean(event.eventTime)
  const homes = isNew ? ['default', 'kube-system'] : ['', 'default']
  if (about === '' ? !homes.includes(namespace) : !isNew && about !== namespace) yield path('involvedObject').at('namespace').invalid(about, 'does not match event.namespace')
  if (!isNew) return
  const at = path('reportingController')
  if (!event.reportingComponent) yield at.required()
  yield* follows(at, event.reportingComponent, qualifiedName)
  yield* text(path('reportingInstance'), event.reportingInstance)
  yield* text(path('action'), event.action)
  yield* text(path('reason'), event.reason)
  if (Buffer.byteLength(event.message ?? '') > longestNote) yield path('message').invalid('', `can have at most ${longestNote} characters`)
}

function* text(at: Path, value = ''): Check {
  if (!value) yield at.required()
  if (Buffer.byteLength(value) > longest) yield at.invalid('', `can have at most ${longest} characters`)
}

function* series({ series: value }: core.Event): Check {
  if (!value) return
  if ((value.count ?? 0) < 2) yield path('series.count').invalid('', 'should be at least 2')
  if (!value.lastObservedTime) yield path('series.lastObservedTime').required()
}
