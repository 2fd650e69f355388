import { fill, int32, list, opt, rawExtension, req, root, string, struct, zero, type Of } from '../schema.ts'
import { ListMeta } from './meta.ts'

export const StatusCause = struct('StatusCause', {
  reason: zero(1, string, 'In one word.'),
  message: zero(2, string, 'For people.'),
  field: zero(3, string, 'The field that is to blame.'),
})
export interface StatusCause extends Of<typeof StatusCause> {}

export const StatusDetails = struct('StatusDetails', {
  name: zero(1, string, 'Of the object.'),
  group: zero(2, string, 'Of the object.'),
  kind: zero(3, string, 'Of the object.'),
  uid: zero(6, string, 'Of the object.'),
  causes: zero(4, list(StatusCause), 'What was wrong, one by one.'),
  retryAfterSeconds: zero(5, int32, 'When to try again.'),
})
export interface StatusDetails extends Of<typeof StatusDetails> {}

export const Status = root('Status', {
  metadata: fill(1, ListMeta, 'Of the answer.'),
  status: zero(2, string, 'Success or Failure.'),
  message: zero(3, string, 'For people.'),
  reason: zero(4, string, 'In one word, for programs.'),
  details: opt(5, StatusDetails, 'What it is about.'),
  code: zero(6, int32, 'The HTTP status.'),
})
export interface Status extends Of<typeof Status> {}

export const WatchEvent = struct('WatchEvent', {
  type: req(1, string, 'ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.'),
  object: req(2, rawExtension, 'The object as it is now, or a Status.'),
})
export interface WatchEvent extends Of<typeof WatchEvent> {}
