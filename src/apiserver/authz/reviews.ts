/** Access reviews: asking what somebody may do, without doing it. Computed, never stored. */
import { authorization, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, invalid } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import type { Identity } from '../identity.ts'
import type { VirtualCall, VirtualResource } from '../options.ts'
import type { Action, Authorizer, HeldRules } from './authorizer.ts'
import { askedSelectors } from './selectors.ts'

type Attributes = Pick<authorization.SelfSubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>

/** The four reviews, by group resource. */
export function accessReviews(authorizer: Authorizer): ReadonlyMap<string, VirtualResource> {
  const statusFor = async (user: Identity, attributes: Attributes): Promise<authorization.SubjectAccessReviewStatus> => {
    const { opinion, reason } = await authorizer.decide(user, actionOf(attributes))
    return { allowed: opinion === 'allow', ...(opinion === 'deny' ? { denied: true } : {}), ...(reason ? { reason } : {}) }
  }
  const review = (resource: { readonly type: unknown; readonly groupResource: string }, create: (body: ApiObject, call: VirtualCall) => Promise<unknown>) =>
    [resource.groupResource, { type: resource.type as StructType<ApiObject>, create: create as VirtualResource['create'] }] as const

  return new Map<string, VirtualResource>([
    review(authorization.selfsubjectaccessreviews, async (body, call) => {
      const object = body as unknown as authorization.SelfSubjectAccessReview
      checkAttributes('SelfSubjectAccessReview', object.spec)
      return { ...object, status: await statusFor(call.user, object.spec) }
    }),
    review(authorization.subjectaccessreviews, async (body) => {
      const object = body as unknown as authorization.SubjectAccessReview
      checkSubject('SubjectAccessReview', object.spec)
      return { ...object, status: await statusFor(subjectOf(object.spec), object.spec) }
    }),
    review(authorization.localsubjectaccessreviews, async (body, call) => {
      const object = body as unknown as authorization.LocalSubjectAccessReview
      checkSubject('LocalSubjectAccessReview', object.spec)
      checkLocal(object, call.namespace)
      return { ...object, status: await statusFor(subjectOf(object.spec), object.spec) }
    }),
    review(authorization.selfsubjectrulesreviews, async (body, call) => {
      const object = body as unknown as authorization.SelfSubjectRulesReview
      if (!object.spec.namespace) throw badRequest('no namespace on request')
      return { ...object, status: rulesStatus(authorizer.rulesFor(call.user, object.spec.namespace)) }
    }),
  ])
}

const subjectOf = (spec: authorization.SubjectAccessReviewSpec): Identity => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid ? { uid: spec.uid } : {}),
  ...(spec.extra ? { extra: Object.fromEntries(Object.entries(spec.extra).map(([key, values]) => [key.toLowerCase(), values as readonly string[]])) } : {}),
})

/** What a review asks about, in the authorizer's words. */
function actionOf({ resourceAttributes: r, nonResourceAttributes: n }: Attributes): Action {
  const none = { group: '', version: '', namespace: '', resource: '', subresource: '', name: '' }
  if (n) return { ...none, isResourceRequest: false, path: n.path ?? '', verb: n.verb ?? '' }
  return {
    isResourceRequest: true,
    path: '',
    verb: r?.verb ?? '',
    group: r?.group ?? '',
    version: r?.version ?? '',
    namespace: r?.namespace ?? '',
    resource: r?.resource ?? '',
    subresource: r?.subresource ?? '',
    name: r?.name ?? '',
    ...askedSelectors(r ?? {}),
  }
}

function checkAttributes(kind: string, spec: Attributes): void {
  const field = path('spec.resourceAttributes')
  const which = { group: authorization.subjectaccessreviews.group, kind }
  if (spec.resourceAttributes && spec.nonResourceAttributes) throw invalid(which, '', [path('spec.nonResourceAttributes').invalid(spec.nonResourceAttributes, 'cannot be specified in combination with resourceAttributes')])
  if (!spec.resourceAttributes && !spec.nonResourceAttributes) throw invalid(which, '', [field.invalid(null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')])
}

function checkSubject(kind: string, spec: authorization.SubjectAccessReviewSpec): void {
  checkAttributes(kind, spec)
  if (!spec.user && !spec.groups?.length) {
    throw invalid({ group: authorization.subjectaccessreviews.group, kind }, '', [path('spec.user').invalid('', 'at least one of user or group must be specified')])
  }
}

function checkLocal(object: authorization.LocalSubjectAccessReview, namespace: string): void {
  const which = { group: authorization.subjectaccessreviews.group, kind: 'LocalSubjectAccessReview' }
  if (object.spec.nonResourceAttributes) throw invalid(which, '', [path('spec.nonResourceAttributes').invalid(object.spec.nonResourceAttributes, 'disallowed on this kind of request')])
  const asked = object.spec.resourceAttributes?.namespace ?? ''
  if (asked !== namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
}

function rulesStatus({ rules, incomplete, problem }: HeldRules): authorization.SubjectRulesReviewStatus {
  return {
    resourceRules: rules.filter((rule) => !rule.nonResourceURLs).map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs, apiGroups: apiGroups ?? [], resources: resources ?? [], ...(resourceNames ? { resourceNames } : {}),
    })),
    nonResourceRules: rules.filter((rule) => rule.nonResourceURLs).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs: nonResourceURLs ?? [] })),
    incomplete,
    ...(problem ? { evaluationError: problem } : {}),
  }
}
