/** Definitions come, change and go: what is served follows them. */
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apiextensions, core, networking, type Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import { reflect } from '../../client/index.ts'
import { systemClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { createMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { startTestServer, type TestServer } from '../testing.ts'

const { customresourcedefinitions: definitions } = apiextensions
type Definition = apiextensions.CustomResourceDefinition

let store: Store
let started: TestServer
let client: Client
beforeEach(async () => {
  store = createMemoryStore()
  started = await startTestServer({ store })
  client = started.client
})
afterEach(async () => {
  await started.server.close()
  await store.close()
})

const schema = { type: 'object', properties: { spec: { type: 'object', properties: { cronSpec: { type: 'string' }, replicas: { type: 'integer' } } }, status: { type: 'object', properties: { replicas: { type: 'integer' } } } } }
const crontab = (spec: object = {}, names: object = {}) => ({
  metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group: 'stable.example.com', scope: 'Namespaced', names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], ...names },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    ...spec,
  },
})
const until = async <T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> => {
  const end = Date.now() + 5000
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error('it did not come to be')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
const condition = (d: Definition, type: string) => d.status.conditions.find((c) => c.type === type)
const get = (name = 'crontabs.stable.example.com') => client.get(definitions, name)
const settled = (name?: string, type = 'Established', status = 'True') => until(async () => {
  const d = await get(name)
  return condition(d, type)?.status === status && d
})
const served = (version = 'v1', plural = 'crontabs'): Resource<ApiObject> => {
  const resource = started.server.registry.find('stable.example.com', version, plural)
  if (!resource) throw new Error(`${plural} are not served in ${version}`)
  return resource as Resource<ApiObject>
}
const make = (name: string, spec: object = { cronSpec: '* * * * *' }) => client.create(served(), { metadata: { name, namespace: 'default' }, spec } as never)
const failure = async (promise: Promise<unknown>) => promise.then(() => undefined, (error: unknown) => String((error as Error).message))

describe('a definition', () => {
  it('is accepted and established, and its kind is served from then on', async () => {
    await client.create(definitions, crontab())
    const definition = await settled()
    expect(definition.status.acceptedNames).toEqual({ plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList', shortNames: ['ct'] })
    expect(definition.status.storedVersions).toEqual(['v1'])
    expect(definition.status.conditions.map(({ type, status, reason, message }) => [type, status, reason, message])).toEqual([
      ['NamesAccepted', 'True', 'NoConflicts', 'no conflicts found'],
      ['Established', 'True', 'InitialNamesAccepted', 'the initial names have been accepted'],
    ])
    const made = await make('one')
    expect(made).toMatchObject({ kind: 'CronTab', apiVersion: 'stable.example.com/v1', metadata: { name: 'one', generation: 1 }, spec: { cronSpec: '* * * * *' } })
    expect((await client.list(served())).items).toHaveLength(1)
  })

  it('whose names are taken waits until they are free', async () => {
    await client.create(definitions, crontab())
    await settled()
    await client.create(definitions, { ...crontab({}, { plural: 'others', singular: 'other', kind: 'CronTab', listKind: 'OtherList' }), metadata: { name: 'others.stable.example.com' } })
    const second = await settled('others.stable.example.com', 'Established', 'False')
    expect(condition(second, 'NamesAccepted')).toMatchObject({ status: 'False', reason: 'KindConflict', message: '"CronTab" is already in use' })
    expect(condition(second, 'Established')).toMatchObject({ status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' })
    expect(second.status.acceptedNames).toMatchObject({ plural: 'others', kind: '' })
    expect(started.server.registry.find('stable.example.com', 'v1', 'others')).toBeUndefined()
    await client.delete(definitions, 'crontabs.stable.example.com')
    await settled('others.stable.example.com')
    expect(served('v1', 'others').kind).toBe('CronTab')
  })

  it('in a protected group needs the community\'s approval', async () => {
    const protectedOne = (annotations: Record<string, string>) => ({ ...crontab({ group: 'example.k8s.io' }), metadata: { name: 'crontabs.example.k8s.io', annotations } })
    expect(await failure(client.create(definitions, protectedOne({})))).toContain('metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation')
    await client.create(definitions, protectedOne({ 'api-approved.kubernetes.io': 'unapproved, experimental-only' }))
    const definition = await settled('crontabs.example.k8s.io')
    expect(condition(definition, 'KubernetesAPIApprovalPolicyConformant')).toMatchObject({ status: 'False', reason: 'UnapprovedAnnotation', message: 'not approved: "unapproved, experimental-only"' })
  })

  it('that changes is served anew, at once, and its watches end without an error', async () => {
    await client.create(definitions, crontab())
    await settled()
    await make('one', { cronSpec: 'x', more: 'dropped' })
    const before = served()
    const events: string[] = []
    const watching = (async () => {
      for await (const { type } of client.watch(before, { namespace: 'default' })) events.push(type)
    })()
    const definition = await get()
    const next = { ...schema, properties: { spec: { type: 'object', properties: { cronSpec: { type: 'string' }, more: { type: 'string', default: 'filled' } } } } }
    await client.update(definitions, { ...definition, spec: { ...definition.spec, versions: [{ ...definition.spec.versions[0]!, schema: { openAPIV3Schema: next } }] } } as never)
    await watching
    expect(events).toEqual(['ADDED'])
    await until(() => served() !== before)
    expect(await client.get(served(), 'one', { namespace: 'default' })).toMatchObject({ spec: { cronSpec: 'x', more: 'filled' } })
  })

  it('whose shortNames change is known under the new ones', async () => {
    await client.create(definitions, crontab())
    const definition = await settled()
    await client.update(definitions, { ...definition, spec: { ...definition.spec, names: { ...definition.spec.names, shortNames: ['crt'] } } })
    await until(() => served().shortNames[0] === 'crt')
    expect((await get()).status.acceptedNames.shortNames).toEqual(['crt'])
  })

  it('keeps the versions that objects may be stored in, and serves those that are served', async () => {
    const two = { versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }, { name: 'v1beta1', served: true, storage: false, schema: { openAPIV3Schema: schema } }, { name: 'v1alpha1', served: false, storage: false, schema: { openAPIV3Schema: schema } }] }
    await client.create(definitions, crontab(two))
    const definition = await settled()
    expect(started.server.registry.find('stable.example.com', 'v1alpha1', 'crontabs')).toBeUndefined()
    await make('one')
    expect(await client.get(served('v1beta1'), 'one', { namespace: 'default' })).toMatchObject({ apiVersion: 'stable.example.com/v1beta1', spec: { cronSpec: '* * * * *' } })
    await client.update(definitions, { ...definition, spec: { ...definition.spec, versions: definition.spec.versions.map((v) => ({ ...v, storage: v.name === 'v1beta1' })) } })
    expect((await get()).status.storedVersions).toEqual(['v1', 'v1beta1'])
    await until(() => store.get('/registry/stable.example.com/crontabs/default/one'))
    const stored = async () => JSON.parse(Buffer.from((await store.get('/registry/stable.example.com/crontabs/default/one'))!.value).toString()).apiVersion
    expect(await stored()).toBe('stable.example.com/v1')
    await until(async () => {
      await client.update(served(), await client.get(served(), 'one', { namespace: 'default' }))
      return await stored() === 'stable.example.com/v1beta1'
    })
  })
})

describe('a definition that is deleted', () => {
  it('takes its objects along, and is gone when they are', async () => {
    await client.create(definitions, crontab())
    await settled()
    await make('one')
    const resource = served()
    const deleted = await client.delete(definitions, 'crontabs.stable.example.com')
    expect(deleted?.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
    expect(condition(deleted as Definition, 'Terminating')).toMatchObject({ status: 'True', reason: 'InstanceDeletionPending' })
    await until(async () => (await failure(get()))?.includes('not found'))
    await until(() => started.server.registry.find('stable.example.com', 'v1', 'crontabs') === undefined)
    expect((await store.range('/registry/stable.example.com/')).entries).toEqual([])
    expect(await failure(client.list(resource))).toBeDefined()
  })

  it('lets nothing new be made while its objects are held', async () => {
    await client.create(definitions, crontab())
    await settled()
    const one = await make('one')
    await client.update(served(), { ...one, metadata: { ...one.metadata, finalizers: ['example.com/hold'] } })
    await client.delete(definitions, 'crontabs.stable.example.com')
    const definition = await until(async () => {
      const d = await get()
      return condition(d, 'Terminating')?.reason === 'InstanceDeletionInProgress' && d
    })
    expect(condition(definition, 'Terminating')).toMatchObject({ status: 'True', message: 'CustomResource deletion is in progress' })
    expect(await failure(make('two'))).toMatch(/"two" is forbidden: create not allowed while custom resource definition is terminating$/)
    const held = await client.get(served(), 'one', { namespace: 'default' })
    await client.update(served(), { ...held, metadata: { ...held.metadata, finalizers: [] } })
    await until(async () => (await failure(get()))?.includes('not found'))
  })
})

describe('a server that starts again', () => {
  it('serves what was established before its first request', async () => {
    await client.create(definitions, crontab())
    await settled()
    await make('one')
    await started.server.close()
    started = await startTestServer({ store })
    client = started.client
    expect((await client.list(served())).items.map((o) => o.metadata.name)).toEqual(['one'])
    expect((await client.list(core.namespaces)).items).toBeDefined()
  })
})

describe('a kind that is served anew while it is used', () => {
  it('loses no write, and its followers see every object', async () => {
    await client.create(definitions, crontab())
    await settled()
    const followed = new Map<string, string>()
    const stop = new AbortController()
    const sink = {
      replace: (objects: readonly ApiObject[]) => {
        followed.clear()
        for (const o of objects) followed.set(o.metadata.name ?? '', o.metadata.resourceVersion ?? '')
      },
      change: (type: string, o: ApiObject) => void (type === 'DELETED' ? followed.delete(o.metadata.name ?? '') : followed.set(o.metadata.name ?? '', o.metadata.resourceVersion ?? '')),
    }
    const following = reflect<ApiObject>({ client, resource: served(), sink, clock: systemClock, log: quiet, signal: stop.signal })
    const acknowledged = new Map<string, string>()
    let over = false
    const writer = async (w: number) => {
      for (let i = 0; !isOver(); i++) {
        const name = `w${w}-${i % 10}`
        const patch = { type: 'merge', body: { spec: { replicas: i } } } as const
        const done = acknowledged.has(name)
          ? i % 7 === 0 ? await client.delete(served(), name, { namespace: 'default' }).then(() => undefined) : await client.patch(served(), name, patch, { namespace: 'default' })
          : await make(name)
        if (done) acknowledged.set(name, done.metadata.resourceVersion ?? '')
        else acknowledged.delete(name)
        await setImmediate()
      }
    }
    const isOver = () => over
    const writers = Promise.all([0, 1, 2, 3].map(writer))
    for (let round = 0; round < 15; round++) {
      const definition = await get()
      const names = { ...definition.spec.names, shortNames: [`c${round}`] }
      await client.patch(definitions, 'crontabs.stable.example.com', { type: 'merge', body: { spec: { names } } })
      await until(() => served().shortNames[0] === `c${round}`)
    }
    over = true
    await writers
    const expected = [...acknowledged].toSorted()
    expect((await client.list(served())).items.map((o) => [o.metadata.name, o.metadata.resourceVersion])).toEqual(expected)
    await until(() => JSON.stringify([...followed].toSorted()) === JSON.stringify(expected))
    stop.abort()
    await following
  }, 20_000)
})

describe('objects of a custom kind', () => {
  const bare = { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, data: { type: 'string' } } }
  const cluster = (subresources?: object) => crontab({ scope: 'Cluster', versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: bare }, ...(subresources ? { subresources } : {}) }] })
  const patch = (body: object, options: object = {}) => client.patch(served(), 'one', { type: 'merge', body: body as never }, options)

  it('without a status of its own count every change but those of metadata', async () => {
    await client.create(definitions, cluster())
    await settled()
    await client.create(served(), { metadata: { name: 'one' }, data: 'a', status: { phase: 'New' } } as never)
    const generations = [await patch({ data: 'b' }), await patch({ status: { phase: 'Old' } }), await patch({ metadata: { labels: { a: 'b' } } })].map((o) => o.metadata.generation)
    expect(generations).toEqual([2, 3, 3])
    expect(await failure(patch({ status: {} }, { subresource: 'status' }))).toBeDefined()
    expect(await failure(make('namespaced'))).toBeUndefined()
    expect((await client.list(served())).items.map((o) => o.metadata.namespace)).toEqual([undefined, undefined])
  })

  it('with one count what is neither metadata nor status', async () => {
    await client.create(definitions, cluster({ status: {} }))
    await settled()
    const one = await client.create(served(), { metadata: { name: 'one' }, data: 'a', status: { phase: 'New' } } as never)
    expect('status' in one).toBe(false)
    const generations = [await patch({ data: 'b' }), await patch({ status: { phase: 'Old' } }, { subresource: 'status' }), await patch({ spec: { any: 1 } })].map((o) => o.metadata.generation)
    expect(generations).toEqual([2, 2, 3])
    expect(await client.get(served(), 'one')).toMatchObject({ data: 'b', status: { phase: 'Old' }, spec: { any: 1 } })
  })
})

it('a definition of a kind that is built in serves nothing, and takes nothing along', async () => {
  const metadata = { name: 'ingresses.networking.k8s.io', annotations: { 'api-approved.kubernetes.io': 'https://example.com/1' } }
  const names = { plural: 'ingresses', kind: 'Ingress' }
  const classes = networking.ingressclasses
  await client.create(networking.ingresses, { metadata: { name: 'kept', namespace: 'default' }, spec: { defaultBackend: { service: { name: 'x', port: { number: 80 } } } } })
  for (const version of ['v1', 'v9']) {
    await client.create(definitions, { metadata, spec: { group: 'networking.k8s.io', scope: 'Namespaced', names, versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } }] } })
    await settled('ingresses.networking.k8s.io')
    expect(started.server.registry.find('networking.k8s.io', 'v1', 'ingresses')).toBe(networking.ingresses)
    expect(started.server.registry.find('networking.k8s.io', 'v9', 'ingresses')).toBeUndefined()
    await client.delete(definitions, 'ingresses.networking.k8s.io')
    await until(async () => (await failure(get('ingresses.networking.k8s.io')))?.includes('not found'))
  }
  expect((await client.list(networking.ingresses)).items).toHaveLength(1)
  expect((await client.list(classes)).items).toEqual([])
})

it('a deletion goes on after a start', async () => {
  await client.create(definitions, crontab())
  await settled()
  const one = await make('one')
  await client.update(served(), { ...one, metadata: { ...one.metadata, finalizers: ['example.com/hold'] } })
  await client.delete(definitions, 'crontabs.stable.example.com')
  await settled(undefined, 'Terminating')
  await started.server.close()
  started = await startTestServer({ store })
  client = started.client
  const held = await client.get(served(), 'one', { namespace: 'default' })
  expect(await failure(make('two'))).toContain('not allowed while custom resource definition is terminating')
  await client.update(served(), { ...held, metadata: { ...held.metadata, finalizers: [] } })
  await until(async () => (await failure(get()))?.includes('not found'))
})

it('objects written in one version have the defaults of the one they are stored in, before a restart and after it', async () => {
  const v1beta1 = { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }
  const v1 = { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { mode: { type: 'string', default: 'usual' } } } } }
  await client.create(definitions, crontab({ versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: v1 } }, { name: 'v1beta1', served: true, storage: false, schema: { openAPIV3Schema: v1beta1 } }] }))
  await settled()
  await client.create(served('v1beta1'), { metadata: { name: 'one', namespace: 'default' }, spec: {} } as never)
  const shown = async () => (await Promise.all(['v1', 'v1beta1'].map((version) => client.get(served(version), 'one', { namespace: 'default' })))).map((o) => (o as unknown as { spec: object }).spec)
  const before = await shown()
  expect(before).toEqual([{ mode: 'usual' }, { mode: 'usual' }])
  await started.server.close()
  started = await startTestServer({ store })
  client = started.client
  expect(await shown()).toEqual(before)
})
