import { describe, expect, it } from 'vitest'
import { declared } from '../../api/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { ask } from '../testing/ask.ts'
import { createDiscovery } from './discovery.ts'
import { compareVersions } from './groups.ts'

const discovery = createDiscovery({ resources: () => declared, serverAddress: () => '192.0.2.1:6443' })
const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
interface Listed { readonly name: string; readonly kind: string; readonly group?: string; readonly version?: string; readonly verbs: readonly string[]; readonly shortNames?: readonly string[] }

describe('the documents of a path each', () => {
  it('lists the core version and where the server is', async () => {
    const { json } = await ask(discovery, '/api')
    expect(json).toEqual({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '192.0.2.1:6443' }] })
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('takes no %s', async (method) => {
    for (const path of ['/api', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1']) {
      await expect(ask(discovery, path, {}, undefined, method), path).rejects.toMatchObject({ code: 405, message: 'the server does not allow this method on the requested resource' })
    }
  })

  it('puts groups in the order in which clients look names up', async () => {
    const { json } = await ask<{ groups: { name: string; preferredVersion: { version: string } }[] }>(discovery, '/apis')
    const names = json.groups.map((g) => g.name)
    expect(names.slice(0, 3)).toEqual(['apiregistration.k8s.io', 'apps', 'events.k8s.io'])
    expect(names).not.toContain('')
    expect(json.groups.find((g) => g.name === 'autoscaling')?.preferredVersion.version).toBe('v2')
  })

  it('gives subresources the kind and the verbs that they take', async () => {
    const { json } = await ask<{ groupVersion: string; resources: Listed[] }>(discovery, '/api/v1')
    const find = (name: string) => json.resources.find((r) => r.name === name)
    expect(find('pods')).toMatchObject({ kind: 'Pod', shortNames: ['po'], categories: ['all'], singularName: 'pod', namespaced: true })
    expect(find('pods/log')).toMatchObject({ kind: 'Pod', verbs: ['get'] })
    expect(find('pods/exec')).toMatchObject({ kind: 'PodExecOptions', verbs: ['create', 'get'] })
    expect(find('pods/eviction')).toMatchObject({ kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] })
    expect(find('serviceaccounts/token')).toMatchObject({ kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1' })
    expect(find('namespaces/finalize')).toMatchObject({ kind: 'Namespace', verbs: ['update'] })
    expect(find('namespaces')?.verbs).not.toContain('deletecollection')
  })

  it('says that scale is of another group', async () => {
    const { json } = await ask<{ resources: Listed[] }>(discovery, '/apis/apps/v1')
    expect(json.resources.find((r) => r.name === 'deployments/scale')).toMatchObject({ group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] })
  })

  it('answers 404 for groups and versions that are not served', async () => {
    await expect(ask(discovery, '/apis/nothing.example')).rejects.toSatisfy(isNotFound)
    await expect(ask(discovery, '/apis/apps/v1beta1')).rejects.toSatisfy(isNotFound)
  })
})

describe('the aggregated form', () => {
  it('is sent to clients that ask for it, under its own content type', async () => {
    const { json, headers } = await ask<{ kind: string; apiVersion: string; items: { metadata: { name?: string }; versions: { version: string; freshness: string; resources: { resource: string; scope: string; subresources?: unknown[] }[] }[] }[] }>(
      discovery, '/apis', { accept: `${v2},application/json` })
    expect(headers['content-type']).toBe(v2)
    expect(json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
    const apps = json.items.find((i) => i.metadata.name === 'apps')?.versions[0]
    expect(apps?.freshness).toBe('Current')
    expect(apps?.resources.find((r) => r.resource === 'deployments')).toMatchObject({
      scope: 'Namespaced', responseKind: { group: '', version: '', kind: 'Deployment' },
      subresources: [{ subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } }, { subresource: 'status' }],
    })
  })

  it('keeps the core group on /api', async () => {
    const { json } = await ask<{ items: { metadata: object }[] }>(discovery, '/api', { accept: v2 })
    expect(json.items.map((i) => i.metadata)).toEqual([{}])
  })

  it('gives clients that know an older one the documents of a path each', async () => {
    const older = v2.replace('v=v2', 'v=v2beta1')
    expect((await ask<{ kind: string }>(discovery, '/apis', { accept: `${older},application/json` })).json.kind).toBe('APIGroupList')
    await expect(ask(discovery, '/apis', { accept: older })).rejects.toMatchObject({ code: 406 })
  })

  it('is there in YAML and in protobuf as well', async () => {
    for (const media of ['application/yaml', 'application/vnd.kubernetes.protobuf']) {
      const { headers } = await ask(discovery, '/apis', { accept: v2.replace('application/json', media) })
      expect(headers['content-type']).toBe(v2.replace('application/json', media))
    }
  })

  it('sends nothing to a client that has the document already', async () => {
    const first = await ask(discovery, '/apis', { accept: v2 })
    const second = await ask(discovery, '/apis', { accept: v2, 'if-none-match': first.headers['etag'] as string })
    expect(second.code).toBe(304)
    expect(second.text).toBe('')
  })
})

it('orders versions by maturity before age', () => {
  expect(['v1beta1', 'v10', 'v2', 'v1', 'foo', 'v1alpha2', 'v1beta2'].toSorted(compareVersions)).toEqual(['v10', 'v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha2', 'foo'])
})
