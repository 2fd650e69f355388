/** Events: those of the core group are checked little, those of events.k8s.io strictly. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Subdomain, pathSegmentName, qualifiedName } from '../../../../machinery/names.ts'
import { follows, unchanged } from '../../checks.ts'

const strictVersion = 'events.k8s.io/v1'
const longest = 128
const longestNote = 1024

/** Reporters put together the names of events from those of objects: any name that can stand in a path. */
export const validateEventName = pathSegmentName

/** A new event, as it came in by `apiVersion`. */
export function eventErrors(event: core.Event, apiVersion: string | undefined, root: Place): void {
  anyEvent(event, root)
  if (apiVersion !== strictVersion) return
  follows(root.at('metadata').at('name'), event.metadata.name ?? '', dns1123Subdomain)
  series(event, root)
  if (!event.eventTime) root.at('eventTime').required()
  if (event.type !== 'Normal' && event.type !== 'Warning') root.at('type').invalid('', `has invalid value: ${event.type ?? ''}`)
  const old = { firstTimestamp: event.firstTimestamp, lastTimestamp: event.lastTimestamp, count: event.count, source: event.source.component || event.source.host }
  for (const [name, value] of Object.entries(old)) if (value) root.at(name).invalid('', 'needs to be unset')
}

const fixed = ['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'type', 'eventTime', 'action', 'related'] as const

/** An event that happened does not change: of those of the new group only the series goes on. */
export function eventUpdateErrors(next: core.Event, current: core.Event, apiVersion: string | undefined, root: Place): void {
  anyEvent(next, root)
  if (apiVersion !== strictVersion) return
  if (next.series?.count !== current.series?.count || next.series?.lastObservedTime !== current.series?.lastObservedTime) series(next, root)
  for (const name of fixed) unchanged(root.at(name), next[name], current[name])
  unchanged(root.at('reportingController'), next.reportingComponent, current.reportingComponent)
  unchanged(root.at('reportingInstance'), next.reportingInstance, current.reportingInstance)
}

/** An event stands beside what it is about; about what has no namespace, in `default`, new ones also in `kube-system`. */
function anyEvent(event: core.Event, root: Place): void {
  const { namespace = '' } = event.metadata
  const about = event.involvedObject.namespace ?? ''
  const isNew = Boolean(event.eventTime)
  const homes = isNew ? ['default', 'kube-system'] : ['', 'default']
  if (about === '' ? !homes.includes(namespace) : !isNew && about !== namespace) root.at('involvedObject').at('namespace').invalid(about, 'does not match event.namespace')
  if (!isNew) return
  const at = root.at('reportingController')
  if (!event.reportingComponent) at.required()
  follows(at, event.reportingComponent, qualifiedName)
  text(root.at('reportingInstance'), event.reportingInstance)
  text(root.at('action'), event.action)
  text(root.at('reason'), event.reason)
  if (Buffer.byteLength(event.message ?? '') > longestNote) root.at('message').invalid('', `can have at most ${longestNote} characters`)
}

function text(at: Place, value = ''): void {
  if (!value) at.required()
  if (Buffer.byteLength(value) > longest) at.invalid('', `can have at most ${longest} characters`)
}

function series({ series: value }: core.Event, root: Place): void {
  if (!value) return
  if ((value.count ?? 0) < 2) root.at('series.count').invalid('', 'should be at least 2')
  if (!value.lastObservedTime) root.at('series.lastObservedTime').required()
}
