import { anything, assert, asyncProperty, jsonValue } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apiextensions, apiregistration, declared, type Resource } from '../../api/index.ts'
import { mergeSwaggers } from '../openapi/merge.ts'
import type { Fetched } from './fetch.ts'
import { discover } from './discovery.ts'
import { identityHeaders } from './front-proxy.ts'
import { localPriority } from './priorities.ts'
import { automanaged, localServices, registerLocal } from './registration.ts'
import { withVerdict } from './availability.ts'

const answer = (value: unknown, type = 'application/json', code = 200): Fetched => ({ code, headers: { 'content-type': type }, body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value) ?? '') })
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

describe('what another server says of itself', () => {
  it('is read from the aggregated form', async () => {
    const resources = [{ resource: 'things', responseKind: { group: 'g', version: 'v1', kind: 'Thing' }, scope: 'Namespaced', singularResource: 'thing', verbs: ['get', 7], shortNames: ['t'], evil: true, subresources: [{ subresource: 'status', verbs: ['get'] }, { nothing: 1 }] }, { verbs: [] }, 'nonsense']
    const found = await discover(async () => answer({ items: [{ metadata: { name: 'g' }, versions: [{ version: 'v1', resources }, { version: 'v2', resources: [{ resource: 'other' }] }] }] }, aggregated), 'g', 'v1')
    expect(found).toEqual([{
      resource: 'things', responseKind: { group: 'g', version: 'v1', kind: 'Thing' }, scope: 'Namespaced', singularResource: 'thing', verbs: ['get'], shortNames: ['t'],
      subresources: [{ subresource: 'status', responseKind: { group: '', version: '', kind: '' }, verbs: ['get'] }],
    }])
  })

  it('is read from the older list, when that is all it has', async () => {
    const list = { resources: [{ name: 'things', namespaced: true, kind: 'Thing', verbs: ['list'], singularName: 'thing' }, { name: 'things/scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get'] }] }
    const asked: string[] = []
    const found = await discover(async (path) => {
      asked.push(path)
      return path === '/apis' ? answer({ kind: 'APIGroupList', groups: [] }) : answer(list)
    }, 'g', 'v1')
    expect(asked).toEqual(['/apis', '/apis/g/v1'])
    expect(found).toEqual([{
      resource: 'things', responseKind: { group: 'g', version: 'v1', kind: 'Thing' }, scope: 'Namespaced', singularResource: 'thing', verbs: ['list'],
      subresources: [{ subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get'] }],
    }])
  })

  it('never hurts, whatever it is', async () => {
    await assert(asyncProperty(jsonValue(), anything(), async (value, other) => {
      for (const type of [aggregated, 'application/json']) {
        const outcome = await discover(async (path) => answer(path === '/apis' ? value : String(other), type), 'g', 'v1').catch((error: unknown) => error)
        if (!(outcome instanceof Error)) expect(Array.isArray(outcome)).toBe(true)
      }
    }), { numRuns: 200 })
  })
})

it('tells who asks in headers that any name fits into', () => {
  expect(identityHeaders({ name: 'ana', uid: '7', groups: ['a', 'b'], extra: { 'example.org/Rôle': ['x'], plain: ['y', 'z'] } })).toEqual({
    'x-remote-user': 'ana', 'x-remote-uid': '7', 'x-remote-group': ['a', 'b'], 'x-remote-extra-example.org%2FR%C3%B4le': ['x'], 'x-remote-extra-plain': ['y', 'z'],
  })
})

describe('API services of what is served here', () => {
  const custom = { group: 'example.com', version: 'v1alpha1' } as Resource
  it('stand where Kubernetes has them, and custom ones after them', () => {
    expect([localPriority('', 'v1'), localPriority('apps', 'v1'), localPriority('autoscaling', 'v2'), localPriority('example.com', 'v1')]).toEqual([
      { group: 18000, version: 1 }, { group: 17800, version: 15 }, { group: 17500, version: 30 }, { group: 1000, version: 100 },
    ])
    const all = localServices([...declared, custom])
    expect(all.get('v1alpha1.example.com')?.metadata.labels).toEqual({ [automanaged]: 'true' })
    expect(all.has('v1.apiregistration.k8s.io')).toBe(false)
  })

  it('are made, mended and removed, and those of others left alone', async () => {
    const there = new Map<string, apiregistration.APIService>()
    const calls: string[] = []
    const client = {
      create: async (_: unknown, o: apiregistration.APIService) => void calls.push(`create ${o.metadata.name}`),
      update: async (_: unknown, o: apiregistration.APIService) => void calls.push(`update ${o.metadata.name}`),
      delete: async (_: unknown, name: string) => void calls.push(`delete ${name}`),
    }
    const service = (name: string, label: string | undefined, spec: object) => ({ metadata: { name, ...(label ? { labels: { [automanaged]: label } } : {}) }, spec, status: {} }) as unknown as apiregistration.APIService
    const lister = { get: (_: string, name: string) => there.get(name), list: () => [...there.values()], revision: () => 1 }
    there.set('v1.apps', service('v1.apps', 'onstart', { group: 'apps', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 }))
    there.set('v1.batch', service('v1.batch', undefined, { group: 'batch', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 }))
    there.set('v1.gone.example.com', service('v1.gone.example.com', 'true', {}))
    there.set('v1.old', service('v1.old', 'onstart', {}))
    there.set('v1.remote.example.com', service('v1.remote.example.com', undefined, { service: { name: 'x' } }))
    const resources = [{ group: 'apps', version: 'v1' }, { group: 'batch', version: 'v1' }, { group: 'policy', version: 'v1' }, custom] as Resource[]
    await registerLocal(client as never, lister as never, resources, true)
    expect(calls.toSorted()).toEqual(['create v1.policy', 'create v1alpha1.example.com', 'delete v1.gone.example.com', 'delete v1.old', 'update v1.apps'])
    calls.length = 0
    await registerLocal(client as never, lister as never, resources, false)
    expect(calls.toSorted()).toEqual(['create v1alpha1.example.com', 'delete v1.gone.example.com'])
  })
})

it('changes the time of a condition with its status only', () => {
  const service = { metadata: { name: 'a' }, spec: {}, status: {} } as unknown as apiregistration.APIService
  const verdict = { status: 'False', reason: 'ServiceNotFound', message: 'm' } as const
  const first = withVerdict(service, verdict, 0)
  expect(withVerdict(first, verdict, 60_000)).toBe(first)
  const second = withVerdict(first, { ...verdict, reason: 'MissingEndpoints' }, 60_000)
  expect(second.status.conditions?.[0]).toMatchObject({ reason: 'MissingEndpoints', lastTransitionTime: '1970-01-01T00:00:00Z' })
  expect(withVerdict(second, { status: 'True', reason: 'Passed', message: '' }, 60_000).status.conditions?.[0]).toMatchObject({ lastTransitionTime: '1970-01-01T00:01:00Z' })
})

it('merges v2 documents, and gives a definition another name where the same name means something else', () => {
  const own = { paths: { '/api': {} }, definitions: { Same: { type: 'object' }, Other: { type: 'string' } } }
  const other = { paths: { '/apis/g/v1/things': { $ref: '#/definitions/Other' }, '/api': { theirs: true } }, definitions: { Same: { type: 'object' }, Other: { type: 'integer', items: { $ref: '#/definitions/Same' } } } }
  expect(mergeSwaggers(own, [other])).toEqual({
    paths: { '/api': {}, '/apis/g/v1/things': { $ref: '#/definitions/Other_v2' } },
    definitions: { Same: { type: 'object' }, Other: { type: 'string' }, Other_v2: { type: 'integer', items: { $ref: '#/definitions/Same' } } },
  })
  expect(mergeSwaggers(own, [])).toBe(own)
})

it('does not take its own group for custom', () => expect(localServices([apiextensions.customresourcedefinitions]).get('v1.apiextensions.k8s.io')?.spec.groupPriorityMinimum).toBe(16700))
