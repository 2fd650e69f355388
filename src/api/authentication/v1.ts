import { bool, fill, int64, list, map, opt, req, root, string, struct, time, wrappedList, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const BoundObjectReference = struct('BoundObjectReference', {
  kind: zero(1, string),
  apiVersion: zero(2, string),
  name: zero(3, string),
  uid: zero(4, string),
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
  userInfo: fill(1, UserInfo),
})
export interface SelfSubjectReviewStatus extends Of<typeof SelfSubjectReviewStatus> {}

export const SelfSubjectReview = root('SelfSubjectReview', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  status: fill(2, SelfSubjectReviewStatus, 'What is, reported by the system.'),
}, 'Asks who one is.')
export interface SelfSubjectReview extends Of<typeof SelfSubjectReview> {}

export const TokenRequestSpec = struct('TokenRequestSpec', {
  audiences: fill(1, list(string)),
  expirationSeconds: opt(4, int64),
  boundObjectRef: opt(3, BoundObjectReference),
})
export interface TokenRequestSpec extends Of<typeof TokenRequestSpec> {}

export const TokenRequestStatus = struct('TokenRequestStatus', {
  token: fill(1, string),
  expirationTimestamp: fill(2, time),
})
export interface TokenRequestStatus extends Of<typeof TokenRequestStatus> {}

export const TokenRequest = root('TokenRequest', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, TokenRequestSpec),
  status: fill(3, TokenRequestStatus),
})
export interface TokenRequest extends Of<typeof TokenRequest> {}

export const TokenReviewSpec = struct('TokenReviewSpec', {
  token: zero(1, string, { required: true }),
  audiences: zero(2, list(string)),
})
export interface TokenReviewSpec extends Of<typeof TokenReviewSpec> {}

export const TokenReviewStatus = struct('TokenReviewStatus', {
  authenticated: zero(1, bool),
  user: fill(2, UserInfo),
  audiences: zero(4, list(string)),
  error: zero(3, string),
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
