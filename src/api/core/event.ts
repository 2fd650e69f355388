import { fill, int32, microTime, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { EventSource, ObjectReference } from './shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const EventSeries = struct('EventSeries', {
  count: zero(1, int32),
  lastObservedTime: fill(2, microTime),
})
export interface EventSeries extends Of<typeof EventSeries> {}

export const Event = root('Event', {
  metadata: req(1, ObjectMeta),
  involvedObject: req(2, ObjectReference),
  reason: zero(3, string),
  message: zero(4, string),
  source: fill(5, EventSource),
  firstTimestamp: fill(6, time),
  lastTimestamp: fill(7, time),
  count: zero(8, int32),
  type: zero(9, string),
  eventTime: fill(10, microTime),
  series: opt(11, EventSeries),
  action: zero(12, string),
  related: opt(13, ObjectReference),
  reportingComponent: fill(14, string),
  reportingInstance: fill(15, string),
})
export interface Event extends Of<typeof Event> {}

const gv = groupVersion('', 'v1')

export const events = gv.resource(Event, { plural: 'events', short: ['ev'], namespaced: true })
