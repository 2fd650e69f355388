/** A custom kind in several versions, converted by a real webhook over HTTPS, through kubectl and plain requests. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { startConversionWebhook } from '../support/conversion-webhook.ts'
import type { ConversionWebhook, CustomObject } from '../support/conversion-webhook.ts'
import { events, json, send, stream } from '../support/requests.ts'

let cluster: TestControlPlane
let webhook: ConversionWebhook
beforeAll(async () => {
  webhook = await startConversionWebhook(convert)
  cluster = await startTestControlPlane()
  await cluster.apply(definition())
  await cluster.kubectl('wait', '--for', 'condition=Established', 'crd/endpoints.example.com', '--timeout=10s')
})
afterAll(async () => {
  await cluster?.stop()
  await webhook?.stop()
})
beforeEach(() => {
  webhook.convert = convert
  webhook.reviews.length = 0
})

/** v1beta1 says `host:port` in one field, v1 in two. */
function convert(object: CustomObject, apiVersion: string): CustomObject {
  const spec = object['spec'] as { hostPort?: string; host?: string; port?: string } | undefined
  const [host = '', port = ''] = (spec?.hostPort ?? '').split(':')
  const next = apiVersion.endsWith('v1') ? { host, port } : { hostPort: `${spec?.host ?? ''}:${spec?.port ?? ''}` }
  return { ...object, apiVersion, ...(spec ? { spec: next } : {}) }
}

const text = { type: 'string' }
const schemaOf = (fields: object) => ({ openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: fields } } } })
const beta = { name: 'v1beta1', served: true, storage: true, deprecated: true, schema: schemaOf({ hostPort: text }), subresources: { status: {} } }
const stable = { name: 'v1', served: true, storage: false, schema: schemaOf({ host: text, port: text }), subresources: { status: {} }, selectableFields: [{ jsonPath: '.spec.host' }], additionalPrinterColumns: [{ name: 'Host', type: 'string', jsonPath: '.spec.host' }] }
const definition = (versions: object[] = [beta, stable]) => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'endpoints.example.com' },
  spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'endpoints', kind: 'Endpoint' }, versions, conversion: webhook.conversion },
})
const old = (name: string, hostPort: string) => ({ apiVersion: 'example.com/v1beta1', kind: 'Endpoint', metadata: { name }, spec: { hostPort } })
const now = (name: string, host: string, port: string) => ({ apiVersion: 'example.com/v1', kind: 'Endpoint', metadata: { name }, spec: { host, port } })
const at = (version: string, name = '') => `/apis/example.com/${version}/namespaces/default/endpoints${name ? `/${name}` : ''}`
const spec = async (version: string, name: string) => json<{ apiVersion: string; spec: object }>(await send(cluster, 'GET', at(version, name)))

describe('a kind in two versions', () => {
  it('can be written and read in both', async () => {
    await cluster.apply(now('one', 'a', '1'))
    expect(await spec('v1beta1', 'one')).toMatchObject({ apiVersion: 'example.com/v1beta1', spec: { hostPort: 'a:1' } })
    expect(await spec('v1', 'one')).toMatchObject({ apiVersion: 'example.com/v1', spec: { host: 'a', port: '1' } })
    await cluster.apply(old('one', 'b:2'))
    expect((await spec('v1', 'one')).spec).toEqual({ host: 'b', port: '2' })
    await send(cluster, 'PATCH', at('v1', 'one'), { spec: { port: '3' } }, { 'content-type': 'application/merge-patch+json' })
    expect((await spec('v1beta1', 'one')).spec).toEqual({ hostPort: 'b:3' })
    expect(await cluster.kubectl('get', 'endpoints.v1.example.com', 'one', '--no-headers')).toMatch(/^one\s+b\s*$/)
  })

  it('asks once for a whole list, and not again for what it knows', async () => {
    for (let i = 0; i < 5; i++) await send(cluster, 'POST', at('v1beta1'), { ...old(`list-${i}`, `h:${i}`), metadata: { name: `list-${i}`, labels: { of: 'list' } } })
    webhook.reviews.length = 0
    const list = async () => json<{ items: { spec: object }[] }>(await send(cluster, 'GET', `${at('v1')}?labelSelector=of%3Dlist`)).items.map((o) => o.spec)
    expect(await list()).toEqual([0, 1, 2, 3, 4].map((i) => ({ host: 'h', port: String(i) })))
    expect(webhook.reviews).toEqual([5])
    await list()
    expect(webhook.reviews).toEqual([5])
  })

  it('is watched in order in the version that was asked for', async () => {
    const watch = await stream(cluster, `${at('v1')}?watch=1&labelSelector=of%3Dwatch`)
    const made = { ...old('watched', 'a:1'), metadata: { name: 'watched', labels: { of: 'watch' } } }
    await send(cluster, 'POST', at('v1beta1'), made)
    for (let i = 2; i < 6; i++) await send(cluster, 'PATCH', at('v1beta1', 'watched'), { spec: { hostPort: `a:${i}` } }, { 'content-type': 'application/merge-patch+json' })
    await send(cluster, 'DELETE', at('v1beta1', 'watched'))
    const seen = events(await watch.take(6)).map(({ type, object }) => `${type} ${String(object['apiVersion'])} ${JSON.stringify(object['spec'])}`)
    expect(seen).toEqual(['ADDED 1', 'MODIFIED 2', 'MODIFIED 3', 'MODIFIED 4', 'MODIFIED 5', 'DELETED 5'].map((line) => {
      const [type, port] = line.split(' ')
      return `${type} example.com/v1 {"host":"a","port":"${port}"}`
    }))
    watch.close()
  })

  it('is selected by the fields of the version that was asked for', async () => {
    await cluster.apply(old('chosen', 'wanted:1'))
    await cluster.apply(old('other', 'unwanted:1'))
    expect(await cluster.kubectl('get', 'endpoints.v1.example.com', '--field-selector', 'spec.host=wanted', '-o', 'name')).toBe('endpoint.example.com/chosen\n')
    expect((await cluster.tryKubectl(['get', 'endpoints.v1beta1.example.com', '--field-selector', 'spec.host=wanted'])).stderr).toContain('field label not supported: spec.host')
  })

  it('warns of the one that is on its way out', async () => {
    expect((await cluster.tryKubectl(['get', 'endpoints.v1beta1.example.com'])).stderr).toContain('Warning: example.com/v1beta1 Endpoint is deprecated; use example.com/v1 Endpoint')
    expect((await cluster.tryKubectl(['get', 'endpoints.v1.example.com'])).stderr).toBe('')
  })

  describe('is applied on the server in both', () => {
    const apply = (manifest: object, manager: string) => cluster.tryKubectl(['apply', '--server-side', '--field-manager', manager, '-f', '-'], JSON.stringify(manifest))
    const owners = async (name: string) => json<{ metadata: { managedFields: { manager: string; apiVersion: string; fieldsV1: object }[] } }>(await send(cluster, 'GET', at('v1', name))).metadata.managedFields

    it('and a conflict is seen, whatever version its owner wrote in', async () => {
      expect((await apply(now('applied', 'a', '1'), 'modern')).stderr).toBe('')
      expect((await apply(old('applied', 'a:2'), 'veteran')).stderr).toContain('conflict with "modern": .spec.port')
      expect((await apply(old('applied', 'a:1'), 'veteran')).code).toBe(0)
      expect((await owners('applied')).map((o) => [o.manager, o.apiVersion, o.fieldsV1])).toEqual([
        ['veteran', 'example.com/v1beta1', { 'f:spec': { 'f:hostPort': {} } }],
        ['modern', 'example.com/v1', { 'f:spec': { 'f:host': {}, 'f:port': {} } }],
      ])
      await send(cluster, 'PATCH', `${at('v1', 'applied')}?fieldManager=hand`, { spec: { port: '9' } }, { 'content-type': 'application/merge-patch+json' })
      expect((await owners('applied')).map((o) => [o.manager, o.fieldsV1])).toEqual([['modern', { 'f:spec': { 'f:host': {} } }], ['hand', { 'f:spec': { 'f:port': {} } }]])
    })

    it('and one that goes on in another version gives up what it no longer wants', async () => {
      expect((await apply(old('moved', 'a:1'), 'mover')).code).toBe(0)
      expect((await apply({ ...now('moved', 'a', ''), spec: { host: 'a' } }, 'mover')).stderr).toBe('')
      expect((await owners('moved')).map((o) => [o.manager, o.apiVersion, o.fieldsV1])).toEqual([['mover', 'example.com/v1', { 'f:spec': { 'f:host': {} } }]])
      expect((await spec('v1', 'moved')).spec).toEqual({ host: 'a', port: '' })
    })
  })
})

describe('a webhook that does not do its part', () => {
  const read = async () => {
    await send(cluster, 'DELETE', at('v1beta1', 'broken'))
    await send(cluster, 'POST', at('v1beta1'), old('broken', 'x:1'))
    const reply = await send(cluster, 'GET', at('v1', 'broken'))
    return `${reply.code} ${json<{ message: string }>(reply).message}`
  }
  it('is told of in the answer, and what is stored stays readable', async () => {
    webhook.convert = () => { throw new Error('no idea') }
    expect(await read()).toMatch(/^500 .*conversion webhook for example.com\/v1beta1, Kind=Endpoint failed: no idea$/)
    expect((await spec('v1beta1', 'broken')).spec).toEqual({ hostPort: 'x:1' })
    const created = await send(cluster, 'POST', at('v1'), now('never', 'a', '1'))
    expect(created.code).toBe(500)
    expect((await send(cluster, 'GET', at('v1beta1', 'never'))).code).toBe(404)
  })
  it('may not change what an object is', async () => {
    webhook.convert = (object, apiVersion) => ({ ...convert(object, apiVersion), metadata: { ...object.metadata, name: 'renamed' } })
    expect(await read()).toContain('must have the same name: broken != renamed')
    webhook.convert = (object) => object
    expect(await read()).toContain('invalid groupVersion (expected example.com/v1, received example.com/v1beta1)')
    webhook.convert = (object, apiVersion) => ({ ...convert(object, apiVersion), metadata: { ...object.metadata, labels: { added: 'yes' }, finalizers: ['example.com/never'] } })
    await read()
    expect(json<{ metadata: object }>(await send(cluster, 'GET', at('v1', 'broken'))).metadata).toMatchObject({ labels: { added: 'yes' } })
    expect(json<{ metadata: { finalizers?: object } }>(await send(cluster, 'GET', at('v1', 'broken'))).metadata.finalizers).toBeUndefined()
  })
  it('ends the watch that needs it', async () => {
    const { metadata } = json<{ metadata: { resourceVersion: string } }>(await send(cluster, 'GET', at('v1beta1')))
    const watch = await stream(cluster, `${at('v1')}?watch=1&resourceVersion=${metadata.resourceVersion}`)
    webhook.convert = () => { throw new Error('no idea') }
    await send(cluster, 'POST', at('v1beta1'), old('unwatchable', 'x:1'))
    expect(events(await watch.take(1))).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 500 } }])
    await watch.ended
  })
})

describe('versions that come and go', () => {
  const stored = async () => JSON.parse(await cluster.kubectl('get', 'crd', 'endpoints.example.com', '-o', 'jsonpath={.status.storedVersions}')) as string[]
  it('move the stored objects one by one, and a version goes when none is left in it', async () => {
    await cluster.apply(old('moving', 'a:1'))
    await cluster.apply(definition([{ ...beta, storage: false }, { ...stable, storage: true }]))
    expect(await stored()).toEqual(['v1beta1', 'v1'])
    await vi.waitFor(async () => expect(await spec('v1', 'moving')).toMatchObject({ spec: { host: 'a', port: '1' } }))
    const early = await cluster.tryKubectl(['apply', '-f', '-'], JSON.stringify(definition([{ ...stable, storage: true }])))
    expect(early.stderr).toContain('status.storedVersions[0]: Invalid value: "v1beta1"')
    const items = json<{ items: { metadata: { name: string } }[] }>(await send(cluster, 'GET', at('v1'))).items
    for (const item of items) expect((await send(cluster, 'PUT', at('v1', item.metadata.name), item)).code).toBe(200)
    await cluster.kubectl('patch', 'crd', 'endpoints.example.com', '--subresource=status', '--type=merge', '-p', '{"status":{"storedVersions":["v1"]}}')
    await cluster.apply(definition([{ ...stable, storage: true }]))
    await vi.waitFor(async () => expect((await send(cluster, 'GET', at('v1beta1', 'moving'))).code).toBe(404))
    webhook.reviews.length = 0
    expect((await spec('v1', 'moving')).spec).toEqual({ host: 'a', port: '1' })
    expect(webhook.reviews).toEqual([])
  })
})
