/** Protobuf over the wire, which client-go speaks for built-in kinds: requests, answers, lists, watches and errors. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apps, core, meta } from '../../src/api/index.ts'
import type { StructType } from '../../src/api/index.ts'
import { decodeList, decodeMessage, decodeWatchEvent, encodeMessage, unwrapUnknown, wrapUnknown } from '../../src/machinery/protobuf.ts'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { json, prefixed, send, stream } from '../support/requests.ts'
import type { Reply } from '../support/requests.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const protobuf = 'application/vnd.kubernetes.protobuf'
const both = { accept: protobuf, 'content-type': protobuf }
const configmaps = '/api/v1/namespaces/default/configmaps'
const message = (type: StructType, apiVersion: string, object: object) => Buffer.from(wrapUnknown(apiVersion, type.name, encodeMessage(type, object)))
const configMap = (name: string, data: Record<string, string>, labels?: Record<string, string>) => message(core.ConfigMap, 'v1', { metadata: { name, ...(labels ? { labels } : {}) }, data })

/** What an answer in protobuf holds. */
function read<T>(reply: Reply, type: StructType<T>): { readonly kind: string; readonly apiVersion: string; readonly object: T } {
  expect(reply.headers['content-type']).toBe(protobuf)
  const { kind, apiVersion, message: bytes } = unwrapUnknown(reply.bytes)
  return { kind, apiVersion, object: decodeMessage(type, bytes) }
}

describe('objects', () => {
  it('are created, read, changed and deleted', async () => {
    const made = await send(cluster, 'POST', configmaps, configMap('p', { a: '1' }), both)
    expect(made.code).toBe(201)
    const { kind, apiVersion, object } = read(made, core.ConfigMap)
    expect([kind, apiVersion]).toEqual(['ConfigMap', 'v1'])
    expect(object).toMatchObject({ metadata: { name: 'p', namespace: 'default', uid: expect.any(String), resourceVersion: expect.stringMatching(/^\d+$/) }, data: { a: '1' } })

    const put = await send(cluster, 'PUT', `${configmaps}/p`, message(core.ConfigMap, 'v1', { ...object, data: { a: '2' } }), both)
    expect(put.code).toBe(200)
    expect(read(put, core.ConfigMap).object.data).toEqual({ a: '2' })
    expect(json(await send(cluster, 'GET', `${configmaps}/p`))).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { a: '2' } })

    const deleted = await send(cluster, 'DELETE', `${configmaps}/p`, message(meta.DeleteOptions, 'v1', { preconditions: { uid: object.metadata.uid } }), both)
    expect(deleted.code).toBe(200)
    expect(read(deleted, meta.Status).object).toMatchObject({ status: 'Success', details: { name: 'p', kind: 'configmaps' } })
  })

  it('are the same, whichever way they came and go', async () => {
    const spec = { replicas: 2, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x', resources: { limits: { cpu: '100m', memory: '1Gi' } }, ports: [{ containerPort: 80 }] }] } } }
    const path = '/apis/apps/v1/namespaces/default/deployments'
    const first = await send(cluster, 'POST', `${path}?dryRun=All`, message(apps.Deployment, 'apps/v1', { metadata: { name: 'd' }, spec }), { 'content-type': protobuf })
    const second = await send(cluster, 'POST', `${path}?dryRun=All`, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec })
    const third = await send(cluster, 'POST', `${path}?dryRun=All`, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec }, { accept: protobuf })
    const [a, b] = [json<{ spec: object }>(first), json<{ spec: object }>(second)]
    expect([first.code, second.code, third.code]).toEqual([201, 201, 201])
    expect(a.spec).toEqual(b.spec)
    expect(JSON.parse(JSON.stringify(read(third, apps.Deployment).object.spec))).toEqual(b.spec)
  })

  it('scale through the scale subresource', async () => {
    const deployment = { metadata: { name: 'scaled' }, spec: { replicas: 0, selector: { matchLabels: { a: 's' } }, template: { metadata: { labels: { a: 's' } }, spec: { containers: [{ name: 'c', image: 'x' }] } } } }
    const path = '/apis/apps/v1/namespaces/default/deployments'
    expect((await send(cluster, 'POST', path, message(apps.Deployment, 'apps/v1', deployment), both)).code).toBe(201)
    const scale = unwrapUnknown((await send(cluster, 'GET', `${path}/scaled/scale`, undefined, { accept: protobuf })).bytes)
    expect([scale.apiVersion, scale.kind]).toEqual(['autoscaling/v1', 'Scale'])
  })
})

describe('lists and watches', () => {
  it('list messages, with the revision of the list', async () => {
    for (const name of ['l1', 'l2']) await send(cluster, 'POST', configmaps, configMap(name, {}, { set: 'l' }), both)
    const { kind, apiVersion, message: bytes } = unwrapUnknown((await send(cluster, 'GET', `${configmaps}?labelSelector=set%3Dl`, undefined, { accept: protobuf })).bytes)
    expect([kind, apiVersion]).toEqual(['ConfigMapList', 'v1'])
    const { metadata, items } = decodeList(core.ConfigMap, bytes)
    expect(metadata.resourceVersion).toMatch(/^\d+$/)
    expect(items.map((item) => item.metadata.name)).toEqual(['l1', 'l2'])
  })

  it('watch in frames: events, bookmarks and errors', async () => {
    const query = 'watch=true&labelSelector=set%3Dw&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'
    await send(cluster, 'POST', configmaps, configMap('w', { n: '1' }, { set: 'w' }), both)
    const watch = await stream(cluster, `${configmaps}?${query}`, prefixed, { accept: `${protobuf};stream=watch,${protobuf}` })
    expect(watch.headers['content-type']).toBe(`${protobuf};stream=watch`)
    const told = async (count: number) => (await watch.take(count)).map((frame) => {
      const { type, object } = decodeWatchEvent(frame)
      const { kind, apiVersion, message: bytes } = unwrapUnknown(object)
      return { type, kind, apiVersion, object: decodeMessage(core.ConfigMap, bytes) }
    })
    const [added, mark] = await told(2)
    expect(added).toMatchObject({ type: 'ADDED', kind: 'ConfigMap', apiVersion: 'v1', object: { metadata: { name: 'w' }, data: { n: '1' } } })
    expect(mark).toMatchObject({ type: 'BOOKMARK', kind: 'ConfigMap', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } })
    await send(cluster, 'PUT', `${configmaps}/w`, configMap('w', { n: '2' }, { set: 'w' }), both)
    await send(cluster, 'DELETE', `${configmaps}/w`)
    expect((await told(2)).map(({ type, object }) => `${type} ${object.data!['n']}`)).toEqual(['MODIFIED 2', 'DELETED 2'])
    watch.close()
  })

  it('page over what was written in either form', async () => {
    for (let i = 0; i < 5; i++) {
      if (i % 2) await send(cluster, 'POST', configmaps, configMap(`page-${i}`, { i: String(i) }, { set: 'page' }), both)
      else await send(cluster, 'POST', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `page-${i}`, labels: { set: 'page' } }, data: { i: String(i) } })
    }
    const names: string[] = []
    let next = ''
    do {
      const page = json<{ metadata: { continue?: string }; items: { metadata: { name: string }; kind?: string }[] }>(await send(cluster, 'GET', `${configmaps}?labelSelector=set%3Dpage&limit=2${next}`))
      names.push(...page.items.map((item) => item.metadata.name))
      expect(page.items.every((item) => item.kind === undefined)).toBe(true)
      next = page.metadata.continue ? `&continue=${encodeURIComponent(page.metadata.continue)}` : ''
      // A write between the pages: the next one is read from the store's history.
      await send(cluster, 'PUT', `${configmaps}/page-4`, configMap('page-4', { i: next || 'last' }, { set: 'page' }), both)
    } while (next)
    expect(names).toEqual([0, 1, 2, 3, 4].map((i) => `page-${i}`))
  })

  it('reduce objects to their metadata', async () => {
    const accept = `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`
    const { kind, apiVersion, message: bytes } = unwrapUnknown((await send(cluster, 'GET', `${configmaps}?labelSelector=set%3Dl`, undefined, { accept })).bytes)
    expect([kind, apiVersion]).toEqual(['PartialObjectMetadataList', 'meta.k8s.io/v1'])
    expect(decodeList(meta.PartialObjectMetadata, bytes).items.map((item) => item.metadata?.name)).toEqual(['l1', 'l2'])
  })
})

describe('errors', () => {
  it('are Status messages', async () => {
    const { kind, apiVersion, object } = read(await send(cluster, 'GET', `${configmaps}/none`, undefined, { accept: protobuf }), meta.Status)
    expect([kind, apiVersion]).toEqual(['Status', 'v1'])
    expect(object).toMatchObject({ status: 'Failure', code: 404, reason: 'NotFound', message: 'configmaps "none" not found' })
  })

  it.each([
    ['bytes that are no message', Buffer.from('k8s\0nonsense')],
    ['no envelope', Buffer.from('nonsense')],
    ['a message that is cut off', configMap('cut', { a: 'x'.repeat(100) }).subarray(0, 60)],
    ['nothing', Buffer.alloc(0)],
    ['another kind', message(core.Secret, 'v1', { metadata: { name: 'x' } })],
  ])('400: %s', async (_, body) => {
    const reply = await send(cluster, 'POST', configmaps, body, { 'content-type': protobuf })
    expect(json(reply)).toMatchObject({ kind: 'Status', code: 400, reason: 'BadRequest' })
  })

  it('406 or JSON instead for what has no protobuf', async () => {
    const reply = await send(cluster, 'GET', configmaps, undefined, { accept: `${protobuf};as=Table;g=meta.k8s.io;v=v1` })
    expect(reply.code).toBe(406)
  })
})
