import { bool, fill, int64, list, map, opt, req, root, string, struct, time, wrappedList, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const BoundObjectReference = struct('BoundObjectReference', {
  kind: zero(1, string, 'Pod, Secret or Node.'),
  apiVersion: zero(2, string, 'Of that kind.'),
  name: zero(3, string, 'Of the object.'),
  uid: zero(4, string, 'Of the object.'),
})
export interface BoundObjectReference extends Of<typeof BoundObjectReference> {}

export const UserInfo = struct('UserInfo', {
  username: zero(1, string, 'The name.'),
  uid: zero(2, string, 'The UID.'),
  groups: zero(3, list(string), 'The groups.'),
  extra: zero(4, map(wrappedList(string)), 'More about who it is.'),
}, 'Somebody.')
export interface UserInfo extends Of<typeof UserInfo> {}

export const SelfSubjectReviewStatus = struct('SelfSubjectReviewStatus', {
  userInfo: fill(1, UserInfo, 'Who asks.'),
})
export interface SelfSubjectReviewStatus extends Of<typeof SelfSubjectReviewStatus> {}

export const SelfSubjectReview = root('SelfSubjectReview', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  status: fill(2, SelfSubjectReviewStatus, 'What is, reported by the system.'),
}, 'Asks who one is.')
export interface SelfSubjectReview extends Of<typeof SelfSubjectReview> {}

export const TokenRequestSpec = struct('TokenRequestSpec', {
  audiences: fill(1, list(string), 'Whom the token is for; others must refuse it.'),
  expirationSeconds: opt(4, int64, 'How long it is wanted to hold; at least ten minutes.'),
  boundObjectRef: opt(3, BoundObjectReference, 'An object without which the token ends.'),
})
export interface TokenRequestSpec extends Of<typeof TokenRequestSpec> {}

export const TokenRequestStatus = struct('TokenRequestStatus', {
  token: fill(1, string, 'The token.'),
  expirationTimestamp: fill(2, time, 'When it ends.'),
})
export interface TokenRequestStatus extends Of<typeof TokenRequestStatus> {}

export const TokenRequest = root('TokenRequest', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  spec: fill(2, TokenRequestSpec, 'What is wanted.'),
  status: fill(3, TokenRequestStatus, 'What was given.'),
})
export interface TokenRequest extends Of<typeof TokenRequest> {}

export const TokenReviewSpec = struct('TokenReviewSpec', {
  token: zero(1, string, { doc: 'The token.', required: true }),
  audiences: zero(2, list(string), 'Whom it must be for; the API server when left out.'),
})
export interface TokenReviewSpec extends Of<typeof TokenReviewSpec> {}

export const TokenReviewStatus = struct('TokenReviewStatus', {
  authenticated: zero(1, bool, 'Whether the token holds.'),
  user: fill(2, UserInfo, 'Whose it is.'),
  audiences: zero(4, list(string), 'Those of the wanted audiences that it is for.'),
  error: zero(3, string, 'Why it could not be checked.'),
})
export interface TokenReviewStatus extends Of<typeof TokenReviewStatus> {}

export const TokenReview = root('TokenReview', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, TokenReviewSpec, 'What is wanted.'),
  status: fill(3, TokenReviewStatus, 'What is, reported by the system.'),
}, 'Asks whom a token belongs to.')
export interface TokenReview extends Of<typeof TokenReview> {}

const gv = groupVersion('authentication.k8s.io', 'v1')

export const selfsubjectreviews = gv.resource(SelfSubjectReview, { plural: 'selfsubjectreviews', verbs: ['create'] })
export const tokenreviews = gv.resource(TokenReview, { plural: 'tokenreviews', verbs: ['create'] })
