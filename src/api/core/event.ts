import { fill, int32, microTime, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { EventSource, ObjectReference } from './shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const EventSeries = struct('EventSeries', {
  count: zero(1, int32, 'How often.'),
  lastObservedTime: fill(2, microTime, 'When last.'),
}, 'How often an event was seen again.')
export interface EventSeries extends Of<typeof EventSeries> {}

export const Event = root('Event', {
  metadata: req(1, ObjectMeta, 'Name, labels and the like.'),
  involvedObject: req(2, ObjectReference, 'What it happened to.'),
  reason: zero(3, string, 'What happened, in one word.'),
  message: zero(4, string, 'What happened, for people.'),
  source: fill(5, EventSource, 'Who reported it.'),
  firstTimestamp: fill(6, time, 'When it was first seen.'),
  lastTimestamp: fill(7, time, 'When it was last seen.'),
  count: zero(8, int32, 'How often it was seen.'),
  type: zero(9, string, 'Normal or Warning.'),
  eventTime: fill(10, microTime, 'When it was first seen, to the microsecond.'),
  series: opt(11, EventSeries, 'How often and when it was seen again.'),
  action: zero(12, string, 'What was done about it.'),
  related: opt(13, ObjectReference, 'Another object that has to do with it.'),
  reportingComponent: fill(14, string, 'Which component reported it.'),
  reportingInstance: fill(15, string, 'Which instance of the component reported it.'),
}, 'Something that happened to an object, kept for an hour.')
export interface Event extends Of<typeof Event> {}

const gv = groupVersion('', 'v1')

export const events = gv.resource(Event, { plural: 'events', short: ['ev'], namespaced: true })
