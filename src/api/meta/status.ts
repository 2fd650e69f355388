import { fill, int32, list, opt, rawExtension, req, root, string, struct, zero, type Of } from '../schema.ts'
import { ListMeta } from './meta.ts'

export const StatusCause = struct('StatusCause', {
  reason: zero(1, string),
  message: zero(2, string),
  field: zero(3, string),
})
export interface StatusCause extends Of<typeof StatusCause> {}

export const StatusDetails = struct('StatusDetails', {
  name: zero(1, string),
  group: zero(2, string),
  kind: zero(3, string),
  uid: zero(6, string),
  causes: zero(4, list(StatusCause)),
  retryAfterSeconds: zero(5, int32),
})
export interface StatusDetails extends Of<typeof StatusDetails> {}

export const Status = root('Status', {
  metadata: fill(1, ListMeta),
  status: zero(2, string),
  message: zero(3, string),
  reason: zero(4, string),
  details: opt(5, StatusDetails),
  code: zero(6, int32),
})
export interface Status extends Of<typeof Status> {}

export const WatchEvent = struct('WatchEvent', {
  type: req(1, string),
  object: req(2, rawExtension),
})
export interface WatchEvent extends Of<typeof WatchEvent> {}
