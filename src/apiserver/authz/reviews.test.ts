import { describe, expect, it } from 'vitest'
import { authorization } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { VirtualCall } from '../options.ts'
import { createAuthorizer, mastersMode, type Authorizer } from './authorizer.ts'
import { createRbacIndex } from './rbac.ts'
import { accessReviews } from './reviews.ts'

const index = createRbacIndex()
index.setRole('x', 'r', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }])
index.setRole('', 'c', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }])
const ref = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
index.setBinding('x', 'b', { metadata: { name: 'b' }, subjects: [{ kind: 'User', name: 'ana' }], roleRef: ref('Role', 'r') })
index.setBinding('', 'b', { metadata: { name: 'b' }, subjects: [{ kind: 'Group', name: 'watchers' }], roleRef: ref('ClusterRole', 'c') })
const reviews = accessReviews(createAuthorizer([mastersMode, index]))

interface Review { readonly spec: object; readonly status: Record<string, unknown> }
const review = async (resource: { readonly groupResource: string }, spec: object, more: Partial<VirtualCall> = {}) => {
  const call = { user: { name: 'ana', groups: ['system:authenticated'] }, namespace: '', ...more } as unknown as VirtualCall
  return (await reviews.get(resource.groupResource)?.create?.({ metadata: {}, spec } as unknown as ApiObject, call)) as unknown as Review
}
const ask = async (...of: Parameters<typeof review>) => (await review(...of)).status
const pods = { verb: 'get', resource: 'pods', namespace: 'x', name: 'a' }

describe('access reviews', () => {
  it('say what one may do oneself, and why', async () => {
    expect(await ask(authorization.selfsubjectaccessreviews, { resourceAttributes: pods })).toEqual({ allowed: true, reason: 'RBAC: allowed by RoleBinding "b/x" of Role "r" to User "ana"' })
    expect(await ask(authorization.selfsubjectaccessreviews, { resourceAttributes: { ...pods, name: 'b' } })).toEqual({ allowed: false })
  })

  it('say what others may do, by user or by group', async () => {
    const review = (spec: object) => ask(authorization.subjectaccessreviews, spec)
    expect(await review({ user: 'bob', resourceAttributes: pods })).toMatchObject({ allowed: false })
    expect(await review({ groups: ['watchers'], nonResourceAttributes: { verb: 'get', path: '/metrics' } })).toMatchObject({ allowed: true })
  })

  it('of a namespace stay in it', async () => {
    const review = (spec: object) => ask(authorization.localsubjectaccessreviews, spec, { namespace: 'x' })
    expect(await review({ user: 'ana', resourceAttributes: pods })).toMatchObject({ allowed: true })
    await expect(review({ user: 'ana', resourceAttributes: { ...pods, namespace: 'y' } })).rejects.toMatchObject({ code: 422, message: expect.stringContaining('spec.resourceAttributes.namespace: Invalid value: "y": must match metadata.namespace') as string })
    await expect(review({ user: 'ana', nonResourceAttributes: { verb: 'get', path: '/' } })).rejects.toMatchObject({ code: 422 })
  })

  it('that ask nothing, everything at once, or about nobody are refused', async () => {
    await expect(ask(authorization.selfsubjectaccessreviews, {})).rejects.toMatchObject({ code: 422, message: expect.stringContaining('spec.resourceAttributes: Invalid value: null: exactly one of') as string })
    await expect(ask(authorization.subjectaccessreviews, {})).rejects.toMatchObject({ status: { details: { causes: [{ field: 'spec.resourceAttributes' }, { reason: 'FieldValueInvalid', field: 'spec.user' }] } } })
    await expect(ask(authorization.selfsubjectaccessreviews, { resourceAttributes: { ...pods, fieldSelector: {}, labelSelector: { rawSelector: 'a', requirements: [{ key: '', operator: 'In' }] } } })).rejects.toMatchObject({ status: { details: { causes: [
      { reason: 'FieldValueRequired', field: 'spec.resourceAttributes.fieldSelector.requirements', message: 'Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required' },
      { reason: 'FieldValueInvalid', field: 'spec.resourceAttributes.labelSelector.rawSelector' }, { field: 'spec.resourceAttributes.labelSelector.requirements[0].values' },
      { reason: 'FieldValueInvalid', field: 'spec.resourceAttributes.labelSelector.requirements[0].key' }, { reason: 'FieldValueInvalid', field: 'spec.resourceAttributes.labelSelector.requirements[0].key' },
    ] } } })
    await expect(ask(authorization.selfsubjectaccessreviews, { resourceAttributes: pods, nonResourceAttributes: {} })).rejects.toMatchObject({ code: 422 })
    await expect(ask(authorization.subjectaccessreviews, { resourceAttributes: pods })).rejects.toMatchObject({ code: 422, message: expect.stringContaining('at least one of user or group must be specified') as string })
  })

  it('refuse keys and values that no label has', async () => {
    const labelSelector = { requirements: [{ key: 'a', operator: 'In', values: ['b', 'c d'] }, { key: 'e f', operator: 'Newer' }] }
    await expect(ask(authorization.subjectaccessreviews, { resourceAttributes: { ...pods, labelSelector, fieldSelector: { requirements: [{ key: '', operator: 'Newer' }] } } })).rejects.toMatchObject({ status: { details: { causes: [
      { field: 'spec.user' }, { reason: 'FieldValueRequired', field: 'spec.resourceAttributes.fieldSelector.requirements[0].key' },
      { field: 'spec.resourceAttributes.labelSelector.requirements[0].values[1]' }, { field: 'spec.resourceAttributes.labelSelector.requirements[1].key' },
    ] } } })
  })

  it('ask about what was sent: all versions where none is named, selectors as far as they can be read, and extra as it is', async () => {
    const asked: unknown[] = []
    const listening = accessReviews({ decide: (user, action) => (asked.push(user.extra, action.version, action.fieldSelector, action.labelSelector), { opinion: 'none', reason: '' }) } as Authorizer)
    const status = async (selectors: object) => {
      const body = { metadata: {}, spec: { user: 'ana', extra: { 'Acme.io/Team': ['a'] }, resourceAttributes: { ...pods, ...selectors } } }
      const answer = await listening.get(authorization.subjectaccessreviews.groupResource)!.create!(body as unknown as ApiObject, {} as VirtualCall)
      return (answer as unknown as Review).status
    }
    const some = { requirements: [{ key: 'a', operator: 'In', values: ['b'] }, { key: 'c', operator: 'Newer', values: ['d'] }] }
    expect(await status({ fieldSelector: some, labelSelector: some })).toEqual({
      allowed: false, evaluationError: 'spec.resourceAttributes.fieldSelector partially ignored due to parse error; spec.resourceAttributes.labelSelector partially ignored due to parse error',
    })
    expect(asked.splice(0)).toEqual([{ 'Acme.io/Team': ['a'] }, '*', 'a=b', 'a in (b)'])
    expect(await status({ fieldSelector: { rawSelector: 'a' }, labelSelector: { rawSelector: 'a in b' }, version: 'v1' })).toEqual({
      allowed: false, evaluationError: 'spec.resourceAttributes.fieldSelector ignored due to parse error; spec.resourceAttributes.labelSelector ignored due to parse error',
    })
    expect(asked.splice(0).slice(1)).toEqual(['v1', undefined, undefined])
    expect(await status({ fieldSelector: { requirements: [{ key: 'a', operator: 'Exists' }] }, labelSelector: { rawSelector: 'a=b' } })).toEqual({ allowed: false, evaluationError: 'spec.resourceAttributes.fieldSelector ignored due to parse error' })
    expect(asked.slice(2)).toEqual([undefined, 'a=b'])
  })

  it('of rules do not repeat what was asked', async () => {
    expect((await review(authorization.selfsubjectrulesreviews, { namespace: 'x' })).spec).toEqual({})
  })

  it('list the rules that one has in a namespace', async () => {
    const status = await ask(authorization.selfsubjectrulesreviews, { namespace: 'x' }, { user: { name: 'ana', groups: ['watchers'] } } as never)
    expect(status).toEqual({
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
      incomplete: false,
    })
  })
})
