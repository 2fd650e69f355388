/** Access reviews: what a user may do. Computed, never stored. */
import { authorization, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, invalid } from '../../machinery/errors.ts'
import { path, type FieldError, type Path } from '../../machinery/field.ts'
import { labelValue, qualifiedName } from '../../machinery/names.ts'
import type { Identity } from '../identity.ts'
import type { VirtualCall, VirtualResource } from '../options.ts'
import type { Action, Authorizer, HeldRules } from './authorizer.ts'
import { askedSelectors } from './selectors.ts'

type Attributes = Pick<authorization.SelfSubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>

/** The four reviews, by group resource. */
export function accessReviews(authorizer: Authorizer): ReadonlyMap<string, VirtualResource> {
  const statusFor = async (user: Identity, attributes: Attributes): Promise<authorization.SubjectAccessReviewStatus> => {
    const { selectors, problems } = askedSelectors(attributes.resourceAttributes ?? {})
    const { opinion, reason } = await authorizer.decide(user, { ...actionOf(attributes), ...selectors })
    return { allowed: opinion === 'allow', ...(opinion === 'deny' ? { denied: true } : {}), ...(reason ? { reason } : {}), ...(problems.length > 0 ? { evaluationError: problems.join('; ') } : {}) }
  }
  const review = (resource: { readonly type: unknown; readonly groupResource: string }, create: (body: ApiObject, call: VirtualCall) => Promise<unknown>) =>
    [resource.groupResource, { type: resource.type as StructType<ApiObject>, create: create as VirtualResource['create'] }] as const

  return new Map<string, VirtualResource>([
    review(authorization.selfsubjectaccessreviews, async (body, call) => {
      const object = body as unknown as authorization.SelfSubjectAccessReview
      refuse('SelfSubjectAccessReview', [...attributeErrors(object.spec), ...selectorsErrors(object.spec), ...metadataErrors(object)])
      return { ...object, status: await statusFor(call.user, object.spec) }
    }),
    review(authorization.subjectaccessreviews, async (body) => {
      const object = body as unknown as authorization.SubjectAccessReview
      refuse('SubjectAccessReview', [...subjectErrors(object.spec), ...metadataErrors(object)])
      return { ...object, status: await statusFor(subjectOf(object.spec), object.spec) }
    }),
    review(authorization.localsubjectaccessreviews, async (body, call) => {
      const object = body as unknown as authorization.LocalSubjectAccessReview
      refuse('LocalSubjectAccessReview', [...subjectErrors(object.spec), ...metadataErrors(object, true), ...localErrors(object.spec, call.namespace)])
      return { ...object, status: await statusFor(subjectOf(object.spec), object.spec) }
    }),
    review(authorization.selfsubjectrulesreviews, async (body, call) => {
      const object = body as unknown as authorization.SelfSubjectRulesReview
      if (!object.spec.namespace) throw badRequest('no namespace on request')
      // The response has no spec.
      return { ...object, metadata: {}, spec: {}, status: rulesStatus(authorizer.rulesFor(call.user, object.spec.namespace)) }
    }),
  ])
}

const subjectOf = (spec: authorization.SubjectAccessReviewSpec): Identity => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid ? { uid: spec.uid } : {}),
  ...(spec.extra ? { extra: spec.extra as Readonly<Record<string, readonly string[]>> } : {}),
})

/** The authorizer's attributes for a review, but for selectors. Whoever names no version asks about all. */
function actionOf({ resourceAttributes: r, nonResourceAttributes: n }: Attributes): Action {
  const none = { group: '', version: '', namespace: '', resource: '', subresource: '', name: '' }
  if (n) return { ...none, isResourceRequest: false, path: n.path ?? '', verb: n.verb ?? '' }
  return {
    isResourceRequest: true,
    path: '',
    verb: r?.verb ?? '',
    group: r?.group ?? '',
    version: r?.version || '*',
    namespace: r?.namespace ?? '',
    resource: r?.resource ?? '',
    subresource: r?.subresource ?? '',
    name: r?.name ?? '',
  }
}

function refuse(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: authorization.subjectaccessreviews.group, kind }, '', errors)
}

/** Reviews must have no metadata: they are not stored. */
function metadataErrors({ metadata }: { readonly metadata: object }, local = false): FieldError[] {
  const { managedFields: _, namespace, ...rest } = metadata as Readonly<Record<string, unknown>>
  const said = Object.values(local ? rest : { ...rest, namespace }).some((value) => Boolean(value) && (typeof value !== 'object' || Object.keys(value as object).length > 0))
  return said ? [path('metadata').invalid(metadata, local ? 'must be empty except for namespace' : 'must be empty')] : []
}

function attributeErrors({ resourceAttributes, nonResourceAttributes }: Attributes): FieldError[] {
  const at = path('spec')
  if (resourceAttributes && nonResourceAttributes) return [at.at('nonResourceAttributes').invalid(nonResourceAttributes, 'cannot be specified in combination with resourceAttributes')]
  if (!resourceAttributes && !nonResourceAttributes) return [at.at('resourceAttributes').invalid(null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')]
  return []
}

function selectorsErrors({ resourceAttributes: { fieldSelector, labelSelector } = {} }: Attributes): FieldError[] {
  const at = path('spec').at('resourceAttributes')
  return [
    ...(fieldSelector ? selectorErrors(at.at('fieldSelector'), fieldSelector, fieldErrors) : []),
    ...(labelSelector ? selectorErrors(at.at('labelSelector'), labelSelector, labelErrors) : []),
  ]
}

type Requirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }

function selectorErrors(at: Path, { rawSelector, requirements = [] }: { readonly rawSelector?: string | undefined; readonly requirements?: readonly Requirement[] | undefined }, ofOne: (place: Path, requirement: Requirement) => readonly FieldError[]): FieldError[] {
  const errors: FieldError[] = []
  if (rawSelector && requirements.length > 0) errors.push(at.at('rawSelector').invalid(rawSelector, 'may not specified at the same time as requirements'))
  if (!rawSelector && requirements.length === 0) errors.push(at.at('requirements').required(`when ${at.text} is specified, requirements or rawSelector is required`))
  return [...errors, ...requirements.flatMap((requirement, i) => ofOne(at.at('requirements').index(i), requirement))]
}

/** Unknown operators are for newer servers: they are no error, and restrict nothing here. */
function operatorErrors(place: Path, { operator, values = [] }: Requirement): FieldError[] {
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) return [place.at('values').required("must be specified when `operator` is 'In' or 'NotIn'")]
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) return [place.at('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  return []
}

const fieldErrors = (place: Path, requirement: Requirement): FieldError[] =>
  [...(requirement.key ? [] : [place.at('key').required('must be specified')]), ...operatorErrors(place, requirement)]

const labelErrors = (place: Path, requirement: Requirement): FieldError[] => [
  ...operatorErrors(place, requirement),
  ...qualifiedName(requirement.key ?? '').map((why) => place.at('key').invalid(requirement.key ?? '', why)),
  ...(requirement.values ?? []).flatMap((value, i) => labelValue(value).map((why) => place.at('values').index(i).invalid(value, why))),
]

function subjectErrors(spec: authorization.SubjectAccessReviewSpec): FieldError[] {
  const nobody = !spec.user && !spec.groups?.length
  return [...attributeErrors(spec), ...(nobody ? [path('spec.user').invalid('', 'at least one of user or group must be specified')] : []), ...selectorsErrors(spec)]
}

function localErrors({ resourceAttributes, nonResourceAttributes }: authorization.SubjectAccessReviewSpec, namespace: string): FieldError[] {
  const asked = resourceAttributes?.namespace ?? ''
  return [
    ...(resourceAttributes && asked !== namespace ? [path('spec.resourceAttributes.namespace').invalid(asked, 'must match metadata.namespace')] : []),
    ...(nonResourceAttributes ? [path('spec.nonResourceAttributes').invalid(nonResourceAttributes, 'disallowed on this kind of request')] : []),
  ]
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
