import { bool, bytes, fill, list, map, opt, rawExtension, root, string, struct, zero, type Of } from '../schema.ts'
import { UserInfo } from '../authentication/v1.ts'
import { GroupVersionKind, GroupVersionResource } from '../meta/meta.ts'
import { Status } from '../meta/status.ts'

export const AdmissionRequest = struct('AdmissionRequest', {
  uid: fill(1, string, 'Names this one call; the answer repeats it.'),
  kind: fill(2, GroupVersionKind, 'What is sent, in the version the webhook asked for.'),
  resource: fill(3, GroupVersionResource, 'The resource it is sent to, in that version.'),
  subResource: zero(4, string, 'Such as status or scale; empty for the resource itself.'),
  requestKind: opt(13, GroupVersionKind, 'What the client sent, before it was converted for the webhook.'),
  requestResource: opt(14, GroupVersionResource, 'The resource the client sent it to.'),
  requestSubResource: zero(15, string, 'The subresource the client sent it to.'),
  name: zero(5, string, 'Of the object; empty when the server is to make one up.'),
  namespace: zero(6, string, 'Of the object, if it has one.'),
  operation: fill(7, string, 'CREATE, UPDATE, DELETE or CONNECT.'),
  userInfo: fill(8, UserInfo, 'Who asks.'),
  object: fill(9, rawExtension, 'The object as it would be stored.'),
  oldObject: fill(10, rawExtension, 'The object as it is stored.'),
  dryRun: opt(11, bool, 'Nothing will be stored: side effects are not wanted.'),
  options: fill(12, rawExtension, 'The options of the operation.'),
})
export interface AdmissionRequest extends Of<typeof AdmissionRequest> {}

export const AdmissionResponse = struct('AdmissionResponse', {
  uid: fill(1, string, 'That of the request.'),
  allowed: fill(2, bool, 'Whether the request may go on.'),
  status: opt(3, Status, 'Why not, for the client.'),
  patch: zero(4, bytes, 'What to change, as a JSON patch.'),
  patchType: opt(5, string, 'JSONPatch is the only one there is.'),
  auditAnnotations: zero(6, map(string), 'Go to the audit log, with the name of the webhook before each key.'),
  warnings: zero(7, list(string), 'Shown to the client.'),
})
export interface AdmissionResponse extends Of<typeof AdmissionResponse> {}

export const AdmissionReview = root('AdmissionReview', {
  request: opt(1, AdmissionRequest, 'What is asked.'),
  response: opt(2, AdmissionResponse, 'The answer.'),
})
export interface AdmissionReview extends Of<typeof AdmissionReview> {}
