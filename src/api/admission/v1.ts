import { bool, bytes, fill, list, map, opt, rawExtension, root, string, struct, zero, type Of } from '../schema.ts'
import { UserInfo } from '../authentication/v1.ts'
import { GroupVersionKind, GroupVersionResource } from '../meta/meta.ts'
import { Status } from '../meta/status.ts'

export const AdmissionRequest = struct('AdmissionRequest', {
  uid: fill(1, string),
  kind: fill(2, GroupVersionKind),
  resource: fill(3, GroupVersionResource),
  subResource: zero(4, string),
  requestKind: opt(13, GroupVersionKind),
  requestResource: opt(14, GroupVersionResource),
  requestSubResource: zero(15, string),
  name: zero(5, string),
  namespace: zero(6, string),
  operation: fill(7, string),
  userInfo: fill(8, UserInfo),
  object: fill(9, rawExtension),
  oldObject: fill(10, rawExtension),
  dryRun: opt(11, bool),
  options: fill(12, rawExtension),
})
export interface AdmissionRequest extends Of<typeof AdmissionRequest> {}

export const AdmissionResponse = struct('AdmissionResponse', {
  uid: fill(1, string),
  allowed: fill(2, bool),
  status: opt(3, Status),
  patch: zero(4, bytes),
  patchType: opt(5, string),
  auditAnnotations: zero(6, map(string)),
  warnings: zero(7, list(string)),
})
export interface AdmissionResponse extends Of<typeof AdmissionResponse> {}

export const AdmissionReview = root('AdmissionReview', {
  request: opt(1, AdmissionRequest),
  response: opt(2, AdmissionResponse),
})
export interface AdmissionReview extends Of<typeof AdmissionReview> {}
