import { fill, int32, microTime, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { EventSource, ObjectReference } from '../core/shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const EventSeries = struct('EventSeries', {
  count: req(1, int32),
  lastObservedTime: req(2, microTime),
})
export interface EventSeries extends Of<typeof EventSeries> {}

export const Event = root('Event', {
  metadata: fill(1, ObjectMeta),
  eventTime: req(2, microTime),
  series: opt(3, EventSeries),
  reportingController: zero(4, string),
  reportingInstance: zero(5, string),
  action: zero(6, string),
  reason: zero(7, string),
  regarding: fill(8, ObjectReference),
  related: opt(9, ObjectReference),
  note: zero(10, string),
  type: zero(11, string),
  deprecatedSource: fill(12, EventSource),
  deprecatedFirstTimestamp: fill(13, time),
  deprecatedLastTimestamp: fill(14, time),
  deprecatedCount: zero(15, int32),
})
export interface Event extends Of<typeof Event> {}

const gv = groupVersion('events.k8s.io', 'v1')

export const events = gv.resource(Event, { plural: 'events', short: ['ev'], namespaced: true })
