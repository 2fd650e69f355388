import { fill, int32, microTime, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { EventSource, ObjectReference } from '../core/shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const EventSeries = struct('EventSeries', {
  count: req(1, int32, 'How often it happened.'),
  lastObservedTime: req(2, microTime, 'When it happened last.'),
})
export interface EventSeries extends Of<typeof EventSeries> {}

export const Event = root('Event', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  eventTime: req(2, microTime, 'When it was first seen.'),
  series: opt(3, EventSeries, 'How often and when it was seen again.'),
  reportingController: zero(4, string, 'Which controller reported it.'),
  reportingInstance: zero(5, string, 'Which instance of the controller reported it.'),
  action: zero(6, string, 'What was done about it.'),
  reason: zero(7, string, 'What happened, in one word.'),
  regarding: fill(8, ObjectReference, 'What it happened to.'),
  related: opt(9, ObjectReference, 'Another object that has to do with it.'),
  note: zero(10, string, 'What happened, for people.'),
  type: zero(11, string, 'Normal or Warning.'),
  deprecatedSource: fill(12, EventSource, 'For clients of the older kind.'),
  deprecatedFirstTimestamp: fill(13, time, 'For clients of the older kind.'),
  deprecatedLastTimestamp: fill(14, time, 'For clients of the older kind.'),
  deprecatedCount: zero(15, int32, 'For clients of the older kind.'),
}, 'Something that happened to an object, kept for an hour.')
export interface Event extends Of<typeof Event> {}

const gv = groupVersion('events.k8s.io', 'v1')

export const events = gv.resource(Event, { plural: 'events', short: ['ev'], namespaced: true })
