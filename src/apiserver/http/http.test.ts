import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { apps, core, type StructType } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { decodeList, decodeMessage, decodeWatchEvent, encodeMessage, unwrapUnknown, wrapUnknown } from '../../machinery/protobuf.ts'
import { unauthorized } from '../../machinery/errors.ts'
import { anonymous } from '../identity.ts'
import { startTestServer, tester, type TestServer } from '../testing.ts'

let started: TestServer
let client: Client
let finished: string[] = []
const url = (path: string) => `${started.server.url}${path}`
const configmaps = '/api/v1/namespaces/default/configmaps'

beforeEach(async () => {
  finished = []
  started = await startTestServer({
    edges: {
      authenticate: (raw) => {
        if (raw.headers.authorization === 'Bearer bad') throw unauthorized()
        return raw.headers.authorization === 'Bearer nobody' ? anonymous : tester
      },
      authorize: (user) => ({ allowed: user === tester, reason: '' }),
      observer: { started: () => undefined, finished: ({ verb }) => void finished.push(verb) },
    },
  })
  client = started.client
  await started.server.listen()
})
afterEach(() => started.server.close())

type Body = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- what comes over the wire is looked at as it is

interface Answer { readonly code: number; readonly headers: Headers; readonly body: Body; readonly text: string }

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const sent = body === undefined ? undefined : typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body)
  const response = await fetch(url(path), { method, headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(sent === undefined ? {} : { body: sent }) })
  const text = await response.text()
  const json = response.headers.get('content-type') === 'application/json' && text.startsWith('{') ? (JSON.parse(text) as Body) : {}
  return { code: response.status, headers: response.headers, body: json, text }
}

const map = (name: string, extra: object = {}) => ({ metadata: { name, namespace: 'default' }, data: { a: '1' }, ...extra })

describe('bodies', () => {
  it('creates from JSON and answers 201 with the object', async () => {
    const { code, body } = await call('POST', configmaps, { kind: 'ConfigMap', apiVersion: 'v1', ...map('a') })
    expect(code).toBe(201)
    expect(body).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'default' }, data: { a: '1' } })
  })

  it('takes YAML and gives YAML', async () => {
    const made = await call('POST', configmaps, 'metadata:\n  name: in-yaml\ndata:\n  a: "1"\n', { 'content-type': 'application/yaml', accept: 'application/yaml' })
    expect(made.code).toBe(201)
    expect(parseYaml(made.text)).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } })
  })

  it('takes protobuf and gives protobuf', async () => {
    const type = core.ConfigMap as unknown as StructType<core.ConfigMap>
    const sent = wrapUnknown('v1', 'ConfigMap', encodeMessage(type, map('p')))
    const protobuf = 'application/vnd.kubernetes.protobuf'
    const response = await fetch(url(configmaps), { method: 'POST', body: sent as unknown as string, headers: { 'content-type': protobuf, accept: protobuf } })
    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toBe(protobuf)
    const got = unwrapUnknown(new Uint8Array(await response.arrayBuffer()))
    expect([got.apiVersion, got.kind]).toEqual(['v1', 'ConfigMap'])
    expect(decodeMessage(type, got.message)).toMatchObject({ metadata: { name: 'p' }, data: { a: '1' } })
    const asJson = await (await fetch(url(configmaps))).json() as { items: object[] }
    expect(asJson.items).toHaveLength(1)
    const listed = await fetch(url(configmaps), { headers: { accept: protobuf } })
    const list = unwrapUnknown(new Uint8Array(await listed.arrayBuffer()))
    expect(list.kind).toBe('ConfigMapList')
    expect(decodeList(type, list.message).items.map((i) => i.metadata.name)).toEqual(['p'])
  })

  it('answers malformed JSON, wrong kinds, wrong types and lists with 400', async () => {
    for (const body of ['{"metadata":', '[]', '"x"', { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } }, { kind: 'ConfigMap', apiVersion: 'v2', metadata: { name: 'a' } },
      { metadata: { name: 7 } }, { metadata: { name: 'a' }, data: { a: 1 } }]) {
      const answer = await call('POST', configmaps, body)
      expect(answer.body, JSON.stringify(body)).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'BadRequest', code: 400 })
    }
    expect((await client.list(core.configmaps)).items).toEqual([])
  })

  it('refuses bodies over 3 MiB with 413 and goes on serving', async () => {
    const big = await call('POST', configmaps, map('a', { data: { a: 'x'.repeat(3.1 * 1024 * 1024) } }))
    expect(big.body).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' })
    expect((await call('GET', configmaps)).code).toBe(200)
  })

  it('refuses media types it does not speak', async () => {
    expect((await call('POST', configmaps, '<x/>', { 'content-type': 'text/xml' })).code).toBe(415)
    expect((await call('GET', configmaps, undefined, { accept: 'text/xml' })).code).toBe(406)
    expect((await call('PATCH', `${configmaps}/a`, '{}', { 'content-type': 'application/json' })).code).toBe(415)
  })

  it('drops, warns of or refuses unknown and duplicate fields, as the client wishes', async () => {
    const body = '{"metadata":{"name":"a"},"data":{"a":"1"},"dta":{},"data":{"a":"2"}}'
    const strict = await call('POST', `${configmaps}?fieldValidation=Strict`, body)
    expect(strict.body).toMatchObject({ code: 400, message: expect.stringContaining('strict decoding error: unknown field "dta", duplicate field "data"') })
    const warned = await call('POST', `${configmaps}?dryRun=All`, body)
    expect(warned.headers.get('warning')).toBe('299 - "unknown field \\"dta\\"", 299 - "duplicate field \\"data\\""')
    const ignored = await call('POST', `${configmaps}?fieldValidation=Ignore`, body)
    expect([ignored.code, ignored.headers.get('warning')]).toEqual([201, null])
    expect((await call('POST', `${configmaps}?fieldValidation=Maybe`, body)).code).toBe(422)
    expect((await call('POST', `${configmaps}?dryRun=Some`, body)).code).toBe(422)
  })

  it('holds name and namespace of the body against those of the URL', async () => {
    await call('POST', configmaps, map('a'))
    const other = await call('PUT', `${configmaps}/b`, map('a'))
    expect([other.code, other.body.message]).toEqual([400, 'the name of the object (a) does not match the name on the URL (b)'])
    const wrong = await call('PUT', `${configmaps}/a`, map('b'))
    expect(wrong.body).toMatchObject({ code: 400, message: 'the name of the object (b) does not match the name on the URL (a)' })
    expect((await call('PUT', `${configmaps}/a`, { metadata: { name: 'a', namespace: 'other' } })).code).toBe(400)
    expect((await call('PUT', `${configmaps}/none`, map('none'))).code).toBe(404)
  })
})

describe('errors', () => {
  it('are Status objects', async () => {
    const { code, body } = await call('GET', `${configmaps}/none`)
    expect(code).toBe(404)
    expect(body).toEqual({
      kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'configmaps "none" not found', reason: 'NotFound',
      details: { name: 'none', kind: 'configmaps' }, code: 404,
    })
  })

  it('tell unknown resources, verbs and paths apart', async () => {
    expect((await call('GET', '/api/v1/nothings')).body).toMatchObject({ code: 404, message: 'the server could not find the requested resource' })
    expect((await call('GET', '/nothing')).code).toBe(404)
    expect((await call('POST', '/api/v1/configmaps', map('a'))).code).toBe(405)
    expect((await call('GET', '/api/v1/bindings')).code).toBe(405)
    expect((await call('GET', `${configmaps}/a/status`)).code).toBe(404)
    expect((await call('GET', '/api/v1/namespaces/default/nodes/n')).code).toBe(404)
    expect((await call('GET', '/api/v1/namespaces/%zz/configmaps')).code).toBe(400)
    expect((await call('GET', `${configmaps}?labelSelector=a%20b%20c`)).code).toBe(400)
    expect((await call('GET', `${configmaps}?fieldSelector=data.a%3D1`)).code).toBe(400)
    expect((await call('GET', `${configmaps}?resourceVersion=abc`)).code).toBe(400)
  })

  it('answer 401 to bad credentials, and 403 to nobody', async () => {
    expect((await call('GET', configmaps, undefined, { authorization: 'Bearer bad' })).body).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })
    expect((await call('GET', configmaps, undefined, { authorization: 'Bearer nobody' })).body).toMatchObject({ code: 403, reason: 'Forbidden', message: 'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"' })
  })
})

describe('delete', () => {
  it('answers with a Success status, or with the object where Kubernetes does', async () => {
    await call('POST', configmaps, map('a'))
    const gone = await call('DELETE', `${configmaps}/a`)
    expect(gone.body).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'a', kind: 'configmaps' } })
    await call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 's' } })
    expect((await call('DELETE', '/api/v1/namespaces/default/serviceaccounts/s')).body).toMatchObject({ kind: 'ServiceAccount' })
  })

  it('keeps what jobs and replication controllers own when nothing is said about it, and warns of it', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
    const jobs = '/apis/batch/v1/namespaces/default/jobs'
    for (const name of ['kept', 'gone', 'many']) await call('POST', jobs, { metadata: { name }, spec: { template } })
    const kept = await call('DELETE', `${jobs}/kept`)
    expect(kept.body).toMatchObject({ kind: 'Job', metadata: { finalizers: ['orphan'] } })
    expect(kept.headers.get('warning')).toBe('299 - "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"')
    const gone = await call('DELETE', `${jobs}/gone?propagationPolicy=Background`)
    expect([gone.body.status, gone.headers.get('warning')]).toEqual(['Success', null])
    const many = await call('DELETE', jobs)
    expect(many.headers.get('warning')).toMatch(/child pods are preserved by default/)
    const controllers = '/api/v1/namespaces/default/replicationcontrollers'
    await call('POST', controllers, { metadata: { name: 'c' }, spec: { selector: { a: 'b' }, template: { ...template, spec: { ...template.spec, restartPolicy: 'Always' } } } })
    const controller = await call('DELETE', `${controllers}/c`)
    expect(controller.body).toMatchObject({ kind: 'ReplicationController', metadata: { finalizers: ['orphan'] } })
    expect(controller.headers.get('warning')).toBeNull()
  })

  it('reads its options from the body, under any group version, and from the query', async () => {
    await call('POST', configmaps, map('a'))
    await call('POST', configmaps, map('b'))
    const options = { kind: 'DeleteOptions', apiVersion: 'apps/v1', propagationPolicy: 'Foreground' }
    expect((await call('DELETE', `${configmaps}/a`, options)).body.metadata.finalizers).toEqual(['foregroundDeletion'])
    expect((await call('DELETE', `${configmaps}/b?propagationPolicy=Orphan`)).body.metadata.finalizers).toEqual(['orphan'])
    expect((await call('DELETE', `${configmaps}/b?propagationPolicy=Sideways`)).code).toBe(422)
  })

  it('deletes a collection and lists what it deleted', async () => {
    for (const name of ['a', 'b']) await call('POST', configmaps, map(name))
    const { body } = await call('DELETE', configmaps)
    expect(body.kind).toBe('ConfigMapList')
    expect(body.items.map((i: Body) => i.metadata.name)).toEqual(['a', 'b'])
    expect((await call('GET', configmaps)).body.items).toEqual([])
  })
})

describe('a dry run', () => {
  it('of a deletion leaves every later answer as it was', async () => {
    await call('POST', configmaps, { ...map('a'), metadata: { name: 'a', finalizers: ['example.com/x'] } })
    const before = await call('GET', configmaps)
    const dry = await call('DELETE', `${configmaps}?dryRun=All`)
    expect(dry.body.items[0].metadata.deletionTimestamp).toBeTruthy()
    expect((await call('GET', configmaps)).text).toBe(before.text)
  })
})

describe('answers', () => {
  it('list items without repeating their kind, after the list\'s revision', async () => {
    await call('POST', configmaps, map('a'))
    const { text, body } = await call('GET', configmaps)
    expect(text.startsWith(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"${body.metadata.resourceVersion}"},"items":[{"metadata":{"name":"a"`)).toBe(true)
    expect(text.endsWith(']}\n')).toBe(true)
  })

  it('are tables when asked for', async () => {
    await call('POST', configmaps, map('a'))
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'
    const { body } = await call('GET', configmaps, undefined, { accept })
    expect(body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' })
    expect(body.columnDefinitions.map((c: Body) => c.name)).toEqual(['Name', 'Data', 'Age'])
    expect(body.rows[0].cells.slice(0, 2)).toEqual(['a', 1])
    expect(body.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } })
    expect((await call('GET', `${configmaps}?includeObject=Object`, undefined, { accept })).body.rows[0].object).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } })
    expect((await call('GET', `${configmaps}?includeObject=None`, undefined, { accept })).body.rows[0].object).toBeNull()
  })

  it('are tables and metadata of the older version when clients ask for that', async () => {
    await call('POST', configmaps, map('a'))
    const { body } = await call('GET', configmaps, undefined, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1beta1' })
    expect(body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1beta1', rows: [{ object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1beta1' } }] })
    const one = await call('GET', `${configmaps}/a`, undefined, { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1' })
    expect(one.body).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1beta1' })
    expect((await call('GET', configmaps, undefined, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v2' })).body.code).toBe(406)
  })

  it('are no tables where nothing is listed', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const binding = { kind: 'Binding', apiVersion: 'v1', metadata: { name: 'a' }, target: { name: 'n' } }
    const path = '/api/v1/namespaces/default/pods/a/binding'
    expect((await call('POST', path, binding, { accept })).body).toMatchObject({ code: 406, reason: 'NotAcceptable', message: 'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf' })
    expect((await call('POST', path, binding, { accept: `${accept},application/json` })).body).toMatchObject({ code: 404 })
  })

  it('are metadata only when asked for', async () => {
    await call('POST', configmaps, map('a'))
    const one = await call('GET', `${configmaps}/a`, undefined, { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' })
    expect(one.body).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } })
    expect(one.body.data).toBeUndefined()
    const all = await call('GET', configmaps, undefined, { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' })
    expect(all.body).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ kind: 'PartialObjectMetadata' }] })
  })

  it('are compressed when large, and only when the client takes gzip', async () => {
    await call('POST', configmaps, map('a', { data: { a: 'x'.repeat(300_000) } }))
    const raw = await fetch(url(configmaps), { headers: { 'accept-encoding': 'identity' } })
    expect(raw.headers.get('content-encoding')).toBeNull()
    const { request } = await import('node:http')
    const bytes = await new Promise<{ encoding: string | undefined; body: Buffer }>((resolve) => {
      request(url(configmaps), { headers: { 'accept-encoding': 'gzip' } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (c: Buffer) => chunks.push(c)).on('end', () => resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) }))
      }).end()
    })
    expect(bytes.encoding).toBe('gzip')
    expect(gunzipSync(bytes.body).toString()).toBe(await raw.text())
  })

  it('warn of what is deprecated', async () => {
    const { headers } = await call('GET', '/api/v1/endpoints')
    expect(headers.get('warning')).toBe('299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"')
  })

  it('are indented on request', async () => {
    await call('POST', configmaps, map('a'))
    expect((await call('GET', `${configmaps}/a?pretty=true`)).text).toContain('\n  "metadata": {\n')
  })
})

describe('patches over HTTP', () => {
  it('follow their content type', async () => {
    await client.create(apps.deployments, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }, { name: 'd', image: 'y' }] } } },
    })
    const path = '/apis/apps/v1/namespaces/default/deployments/web'
    const patch = (type: string, body: unknown) => call('PATCH', path, body, { 'content-type': `application/${type}+json` })
    const strategic = await patch('strategic-merge-patch', { spec: { template: { spec: { containers: [{ name: 'd', image: 'z' }] } } } })
    expect(strategic.body.spec.template.spec.containers.map((c: Body) => [c.name, c.image])).toEqual([['c', 'x'], ['d', 'z']])
    expect((await patch('merge-patch', { spec: { replicas: 3 } })).body.spec.replicas).toBe(3)
    expect((await patch('json-patch', [{ op: 'test', path: '/spec/replicas', value: 3 }, { op: 'replace', path: '/spec/replicas', value: 4 }])).body.spec.replicas).toBe(4)
    expect((await patch('json-patch', { op: 'x' })).code).toBe(400)
    expect((await patch('merge-patch', { kind: 'Pod' })).code).toBe(400)
    const scale = await call('PATCH', `${path}/scale`, { spec: { replicas: 1 } }, { 'content-type': 'application/merge-patch+json' })
    expect(scale.body).toMatchObject({ kind: 'Scale', spec: { replicas: 1 } })
  })
})

describe('watches over HTTP', () => {
  async function open(path: string, headers: Record<string, string> = {}) {
    const stop = new AbortController()
    const response = await fetch(url(path), { headers, signal: stop.signal })
    const reader = response.body!.getReader()
    let rest = ''
    const next = async (): Promise<Body> => {
      while (!rest.includes('\n')) {
        const { value, done } = await reader.read()
        if (done) return { done: true }
        rest += Buffer.from(value).toString()
      }
      const line = rest.slice(0, rest.indexOf('\n'))
      rest = rest.slice(line.length + 1)
      return JSON.parse(line) as Body
    }
    return { response, next, reader, stop: () => stop.abort() }
  }

  it('send what is there and then every change', async () => {
    await client.create(core.configmaps, map('a'))
    const watch = await open(`${configmaps}?watch=true`)
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'a' } } })
    await client.patch(core.configmaps, 'a', { type: 'merge', body: { data: { a: '2' } } }, { namespace: 'default' })
    expect(await watch.next()).toMatchObject({ type: 'MODIFIED', object: { data: { a: '2' } } })
    await client.delete(core.configmaps, 'a', { namespace: 'default' })
    expect(await watch.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } })
    watch.stop()
  })

  it('answer at once, before there is anything to tell', async () => {
    const watch = await open(`${configmaps}?watch=1&resourceVersion=${(await client.list(core.configmaps)).metadata.resourceVersion}`)
    expect(watch.response.status).toBe(200)
    watch.stop()
  })

  it('end after timeoutSeconds', async () => {
    const watch = await open(`${configmaps}?watch=1&timeoutSeconds=1`)
    expect(await watch.next()).toEqual({ done: true })
  })

  it('end by themselves where they say nothing of their time: after the time that was configured, or up to twice that', async () => {
    const brief = await startTestServer({ minRequestTimeout: 0.2 })
    await brief.server.listen()
    const begun = performance.now()
    await (await fetch(`${brief.server.url}${configmaps}?watch=1`)).text()
    expect(performance.now() - begun).toBeGreaterThan(190)
    await brief.server.close()
  })

  it('of pages whose moment is gone can be gone on with, if not of that moment', async () => {
    for (const name of ['a', 'b', 'c']) await client.create(core.configmaps, map(name))
    const page = async (query: string) => (await (await fetch(url(`${configmaps}?limit=2${query}`))).json()) as { code?: number; metadata: { continue?: string }; items: { metadata: { name: string } }[] }
    const first = await page('')
    await client.create(core.configmaps, map('bb'))
    await started.store.compact(await started.store.revision())
    const gone = await page(`&continue=${first.metadata.continue}`)
    expect(gone).toMatchObject({ code: 410, reason: 'Expired', metadata: { continue: expect.stringMatching(/./) } })
    expect((await page(`&continue=${gone.metadata.continue}`)).items.map((item) => item.metadata.name)).toEqual(['bb', 'c'])
  })

  it('tell a revision whose history is gone as an ERROR event', async () => {
    for (const name of ['a', 'b', 'c']) await client.create(core.configmaps, map(name))
    await started.store.compact(await started.store.revision())
    const third = await startTestServer({ store: started.store })
    await third.server.listen()
    const response = await fetch(`${third.server.url}${configmaps}?watch=1&resourceVersion=1`)
    expect([response.status, await response.json()]).toMatchObject([200, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }])
    await third.server.close()
  })

  it('end with what there was, where they begin from now and want bookmarks', async () => {
    await client.create(core.configmaps, map('a'))
    const frames = (await (await fetch(url(`${configmaps}?watch=1&allowWatchBookmarks=true&timeoutSeconds=1`))).text()).trim().split('\n').map((line) => JSON.parse(line) as { type: string; object: { metadata: object } })
    expect(frames).toMatchObject([{ type: 'ADDED' }, { type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } }])
  })

  it('are cut off when their client does not read', async () => {
    const { get } = await import('node:http')
    await client.create(core.configmaps, map('big', { data: { x: 'x'.repeat(1_000_000) } }))
    const paused = get(url(`${configmaps}?watch=1`))
    await new Promise<void>((resolve) => paused.once('response', (response) => {
      response.pause()
      resolve()
    }))
    for (let i = 0; i < 40; i++) await client.patch(core.configmaps, 'big', { type: 'merge', body: { data: { i: String(i) } } }, { namespace: 'default' })
    await expect.poll(() => finished).toContain('WATCH')
    paused.on('error', () => undefined).destroy()
  })

  it('do not pile up what a client has not taken of the objects that were there', async () => {
    const { get } = await import('node:http')
    for (let i = 0; i < 60; i++) await client.create(core.configmaps, map(`big-${i}`, { data: { x: 'x'.repeat(900_000) } }))
    const before = process.memoryUsage().arrayBuffers
    const all = Array.from({ length: 10 }, () => get(url(`${configmaps}?watch=1`)))
    const responses = await Promise.all(all.map((request) => new Promise<import('node:http').IncomingMessage>((resolve) => request.once('response', (response) => resolve(response.pause())))))
    await new Promise((resolve) => setTimeout(resolve, 200))
    // Ten times fifty-four megabytes would be ten times as much; the lines of the objects themselves are one of them.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6)
    let seen = 0
    const last = responses[0]!
    last.on('data', (chunk: Buffer) => (seen += chunk.length)).resume()
    await expect.poll(() => seen, { timeout: 10_000 }).toBeGreaterThan(60 * 900_000)
    for (const request of all) request.on('error', () => undefined).destroy()
  }, 30_000)

  it('end when the server closes', async () => {
    const watch = await open(`${configmaps}?watch=1`)
    const ended = watch.next()
    await started.server.close()
    expect(await ended).toEqual({ done: true })
  })

  it('come as tables and as protobuf frames', async () => {
    await client.create(core.configmaps, map('a'))
    const tables = await open(`${configmaps}?watch=1`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    expect(await tables.next()).toMatchObject({ type: 'ADDED', object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, {}, {}], rows: [{ cells: ['a', 1, expect.any(String)] }] } })
    await client.create(core.configmaps, map('b'))
    expect(await tables.next()).toMatchObject({ type: 'ADDED', object: { columnDefinitions: null, rows: [{}] } })
    tables.stop()
    const binary = await open(`${configmaps}?watch=1`, { accept: 'application/vnd.kubernetes.protobuf;stream=watch' })
    const { value } = await binary.reader.read()
    const bytes = Buffer.from(value!)
    const event = decodeWatchEvent(bytes.subarray(4, 4 + bytes.readUInt32BE(0)))
    expect(event.type).toBe('ADDED')
    expect(unwrapUnknown(event.object).kind).toBe('ConfigMap')
    binary.stop()
  })

  it('select one object by its name in the path', async () => {
    for (const name of ['a', 'b']) await client.create(core.configmaps, map(name))
    const watch = await open('/api/v1/watch/namespaces/default/configmaps/b')
    expect(await watch.next()).toMatchObject({ object: { metadata: { name: 'b' } } })
    watch.stop()
  })
})

describe('raw', () => {
  it('lets a client in the process read any path', async () => {
    await client.create(core.configmaps, map('a'))
    expect(JSON.parse(await client.raw(`${configmaps}/a`))).toMatchObject({ metadata: { name: 'a' } })
    await expect(client.raw('/nothing')).rejects.toMatchObject({ code: 404 })
  })
})
