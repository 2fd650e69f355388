import { bool, fill, list, map, opt, req, root, string, struct, wrappedList, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LabelSelectorRequirement, ObjectMeta } from '../meta/meta.ts'
import { FieldSelectorRequirement } from '../meta/options.ts'

export const FieldSelectorAttributes = struct('FieldSelectorAttributes', {
  rawSelector: zero(1, string, 'The selector as the client wrote it.'),
  requirements: zero(2, list(FieldSelectorRequirement), 'The selector, taken apart.'),
})
export interface FieldSelectorAttributes extends Of<typeof FieldSelectorAttributes> {}

export const LabelSelectorAttributes = struct('LabelSelectorAttributes', {
  rawSelector: zero(1, string, 'The selector as the client wrote it.'),
  requirements: zero(2, list(LabelSelectorRequirement), 'The selector, taken apart.'),
})
export interface LabelSelectorAttributes extends Of<typeof LabelSelectorAttributes> {}

export const NonResourceAttributes = struct('NonResourceAttributes', {
  path: zero(1, string, 'The path of the URL.'),
  verb: zero(2, string, 'get, post and so on.'),
})
export interface NonResourceAttributes extends Of<typeof NonResourceAttributes> {}

export const ResourceAttributes = struct('ResourceAttributes', {
  namespace: zero(1, string, 'The namespace.'),
  verb: zero(2, string, 'What is to be done.'),
  group: zero(3, string, 'The API group.'),
  version: zero(4, string, 'The version.'),
  resource: zero(5, string, 'The resource.'),
  subresource: zero(6, string, 'The subresource.'),
  name: zero(7, string, 'The name.'),
  fieldSelector: opt(8, FieldSelectorAttributes, 'Limits the request to some objects.'),
  labelSelector: opt(9, LabelSelectorAttributes, 'Limits the request to some objects.'),
}, 'What is to be done with which resource.')
export interface ResourceAttributes extends Of<typeof ResourceAttributes> {}

export const SubjectAccessReviewSpec = struct('SubjectAccessReviewSpec', {
  resourceAttributes: opt(1, ResourceAttributes, 'What would be done to a resource. Either this or nonResourceAttributes.'),
  nonResourceAttributes: opt(2, NonResourceAttributes, 'What would be done to a path.'),
  user: zero(3, string, 'Who would do it.'),
  groups: zero(4, list(string), 'The groups they are in.'),
  extra: zero(5, map(wrappedList(string)), 'What else is known of them.'),
  uid: zero(6, string, 'Their uid.'),
})
export interface SubjectAccessReviewSpec extends Of<typeof SubjectAccessReviewSpec> {}

export const SubjectAccessReviewStatus = struct('SubjectAccessReviewStatus', {
  allowed: req(1, bool, 'Whether it is allowed.'),
  denied: zero(4, bool, 'Whether it is forbidden, whoever else might allow it.'),
  reason: zero(2, string, 'Why.'),
  evaluationError: zero(3, string, 'What went wrong when finding out.'),
}, 'The answer.')
export interface SubjectAccessReviewStatus extends Of<typeof SubjectAccessReviewStatus> {}

export const LocalSubjectAccessReview = root('LocalSubjectAccessReview', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, SubjectAccessReviewSpec, 'What is wanted.'),
  status: fill(3, SubjectAccessReviewStatus, 'What is, reported by the system.'),
}, 'Asks whether somebody may do something in a namespace.')
export interface LocalSubjectAccessReview extends Of<typeof LocalSubjectAccessReview> {}

export const NonResourceRule = struct('NonResourceRule', {
  verbs: req(1, list(string), 'What may be done; * is everything.'),
  nonResourceURLs: zero(2, list(string), 'To which paths; a * at the end stands for anything.'),
})
export interface NonResourceRule extends Of<typeof NonResourceRule> {}

export const ResourceRule = struct('ResourceRule', {
  verbs: req(1, list(string), 'What may be done; * is everything.'),
  apiGroups: zero(2, list(string), 'In which groups; * is all.'),
  resources: zero(3, list(string), 'To which resources; * is all.'),
  resourceNames: zero(4, list(string), 'To objects of which names; empty is all.'),
})
export interface ResourceRule extends Of<typeof ResourceRule> {}

export const SelfSubjectAccessReviewSpec = struct('SelfSubjectAccessReviewSpec', {
  resourceAttributes: opt(1, ResourceAttributes, 'What would be done to a resource. Either this or nonResourceAttributes.'),
  nonResourceAttributes: opt(2, NonResourceAttributes, 'What would be done to a path.'),
})
export interface SelfSubjectAccessReviewSpec extends Of<typeof SelfSubjectAccessReviewSpec> {}

export const SelfSubjectAccessReview = root('SelfSubjectAccessReview', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, SelfSubjectAccessReviewSpec, 'What is wanted.'),
  status: fill(3, SubjectAccessReviewStatus, 'What is, reported by the system.'),
}, 'Asks whether one may do something oneself.')
export interface SelfSubjectAccessReview extends Of<typeof SelfSubjectAccessReview> {}

export const SelfSubjectRulesReviewSpec = struct('SelfSubjectRulesReviewSpec', {
  namespace: zero(1, string, 'Where.'),
})
export interface SelfSubjectRulesReviewSpec extends Of<typeof SelfSubjectRulesReviewSpec> {}

export const SubjectRulesReviewStatus = struct('SubjectRulesReviewStatus', {
  resourceRules: req(1, list(ResourceRule), 'What may be done to resources.'),
  nonResourceRules: req(2, list(NonResourceRule), 'What may be done to paths.'),
  incomplete: req(3, bool, 'There may be more than is listed.'),
  evaluationError: zero(4, string, 'Why it is not complete.'),
})
export interface SubjectRulesReviewStatus extends Of<typeof SubjectRulesReviewStatus> {}

export const SelfSubjectRulesReview = root('SelfSubjectRulesReview', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, SelfSubjectRulesReviewSpec, 'What is wanted.'),
  status: fill(3, SubjectRulesReviewStatus, 'What is, reported by the system.'),
}, 'Asks what one may do in a namespace.')
export interface SelfSubjectRulesReview extends Of<typeof SelfSubjectRulesReview> {}

export const SubjectAccessReview = root('SubjectAccessReview', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, SubjectAccessReviewSpec, 'What is wanted.'),
  status: fill(3, SubjectAccessReviewStatus, 'What is, reported by the system.'),
}, 'Asks whether somebody may do something.')
export interface SubjectAccessReview extends Of<typeof SubjectAccessReview> {}

const gv = groupVersion('authorization.k8s.io', 'v1')

export const localsubjectaccessreviews = gv.resource(LocalSubjectAccessReview, { plural: 'localsubjectaccessreviews', namespaced: true, verbs: ['create'] })
export const selfsubjectaccessreviews = gv.resource(SelfSubjectAccessReview, { plural: 'selfsubjectaccessreviews', verbs: ['create'] })
export const selfsubjectrulesreviews = gv.resource(SelfSubjectRulesReview, { plural: 'selfsubjectrulesreviews', verbs: ['create'] })
export const subjectaccessreviews = gv.resource(SubjectAccessReview, { plural: 'subjectaccessreviews', verbs: ['create'] })
