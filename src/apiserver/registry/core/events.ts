/** Events of the core group. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { eventErrors, eventUpdateErrors, validateEventName } from './validation/events.ts'
import { nameColumn, printer, since, text, wide } from '../printing.ts'

const eventPrinter = printer<core.Event>(
  text('Last Seen', 'How long ago it was last seen.', lastSeen),
  text('Type', 'Normal or Warning.', (o) => o.type ?? ''),
  text('Reason', 'Why it was sent, in one word.', (o) => o.reason ?? ''),
  text('Object', 'What it is about.', aboutWhat),
  wide(text('Subobject', 'Which part of the object.', (o) => o.involvedObject.fieldPath ?? '')),
  wide(text('Source', 'Which component sent it, and from where.', source)),
  text('Message', 'What happened, for people to read.', (o) => (o.message ?? '').trim()),
  wide(text('First Seen', 'How long ago it was first seen.', firstSeen)),
  wide(text('Count', 'How often it was seen.', occurrences)),
  wide(nameColumn),
)

function firstSeen(event: core.Event, now: number): string {
  return since(event.firstTimestamp ?? event.eventTime, now)
}

function lastSeen(event: core.Event, now: number): string {
  if (event.series) return since(event.series.lastObservedTime, now)
  return event.lastTimestamp ? since(event.lastTimestamp, now) : firstSeen(event, now)
}

function occurrences(event: core.Event): number {
  if (event.series) return event.series.count ?? 0
  return event.count || 1
}

function aboutWhat(event: core.Event): string {
  const { kind = '', name = '' } = event.involvedObject
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()
}

function source(event: core.Event): string {
  const component = event.source.component || event.reportingComponent
  const host = event.source.host || event.reportingInstance
  return host ? `${component}, ${host}` : component
}

export const events: Strategy<core.Event> = {
  anyFinalizers: true,
  createOnUpdate: true,
  validateName: validateEventName,
  validate: (event, root, { apiVersion }) => eventErrors(event, apiVersion, root),
  validateUpdate: (next, current, root, { apiVersion }) => eventUpdateErrors(next, current, apiVersion, root),
  selectableFields: (event) => ({
    'involvedObject.kind': event.involvedObject.kind ?? '',
    'involvedObject.namespace': event.involvedObject.namespace ?? '',
    'involvedObject.name': event.involvedObject.name ?? '',
    'involvedObject.uid': event.involvedObject.uid ?? '',
    'involvedObject.apiVersion': event.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': event.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': event.involvedObject.fieldPath ?? '',
    reason: event.reason ?? '',
    reportingComponent: event.reportingComponent,
    source: event.source.component || event.reportingComponent,
    type: event.type ?? '',
  }),
  printer: eventPrinter,
}
