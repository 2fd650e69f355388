import { afterEach, describe, expect, it } from 'vitest'
import { apps, autoscaling, autoscalingV1, certificates, core, events, policy, scheduling, type JsonObject } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { ApiError, forbidden, isConflict, isNotFound } from '../../machinery/errors.ts'
import { createMemoryStore } from '../../store/memory.ts'
import type { ApiServer } from '../options.ts'
import { openAdmission, startTestServer, type TestServerOptions } from '../testing.ts'
import { signingRequest } from '../testing/signing-request.ts'

let server: ApiServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function start(options: TestServerOptions = {}): Promise<Client> {
  const started = await startTestServer(options)
  server = started.server
  return started.client
}

const map = (name: string, extra: object = {}) => ({ metadata: { name, namespace: 'default', ...extra }, data: { a: '1' } })
const podSpec = { containers: [{ name: 'c', image: 'busybox' }] }
const pod = (name: string, metadata: object = {}, spec: object = {}) => ({ metadata: { name, namespace: 'default', ...metadata }, spec: { ...podSpec, ...spec } })
const deployment = (name: string, replicas = 2) => ({
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: podSpec } },
})
const failure = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error = await promise.then(() => undefined, (e: unknown) => e)
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

describe('create', () => {
  it('gives a new object its identity and answers with what a get then shows', async () => {
    const client = await start({ clock: new FakeClock(Date.parse('2026-03-01T10:00:00.700Z')) })
    const made = await client.create(core.configmaps, map('a'))
    expect(made.metadata).toMatchObject({ name: 'a', namespace: 'default', creationTimestamp: '2026-03-01T10:00:00Z' })
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(0)
    expect(await client.get(core.configmaps, 'a', { namespace: 'default' })).toBe(made)
  })

  it('refuses the version of another object, and does not mind what is none', async () => {
    const client = await start()
    expect(await failure(client.create(core.configmaps, map('a', { resourceVersion: '5' })))).toMatchObject({ code: 400, message: 'resourceVersion should not be set on objects to be created' })
    for (const [i, resourceVersion] of ['0', 'x', ''].entries()) expect((await client.create(core.configmaps, map(`a${i}`, { resourceVersion }))).metadata.resourceVersion).toMatch(/^\d+$/)
  })

  it('refuses a name that is taken, and says so of one whose object is being deleted', async () => {
    const client = await start()
    await client.create(core.configmaps, map('a', { finalizers: ['example.com/keep'] }))
    expect(await failure(client.create(core.configmaps, map('a')))).toMatchObject({ code: 409, reason: 'AlreadyExists', message: 'configmaps "a" already exists' })
    await client.delete(core.configmaps, 'a', { namespace: 'default' })
    expect((await failure(client.create(core.configmaps, map('a')))).message).toBe('object is being deleted: configmaps "a" already exists')
  })

  it('makes names from generateName', async () => {
    const client = await start()
    const made = await client.create(core.configmaps, { metadata: { generateName: 'job-', namespace: 'default' } })
    expect(made.metadata.name).toMatch(/^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  it('tells every field that is wrong with metadata', async () => {
    const client = await start()
    const error = await failure(client.create(core.configmaps, map('Not_Valid', { labels: { 'a b': 'c' } })))
    expect(error).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(error.status.details?.causes?.map((c) => c.field)).toEqual(['metadata.name', 'metadata.labels'])
  })

  it('refuses an object that names another namespace than the request', async () => {
    const client = await start()
    const error = await failure(client.create(core.configmaps, map('a'), { namespace: 'other' }))
    expect(error).toMatchObject({ code: 400, message: 'the namespace of the provided object does not match the namespace sent on the request' })
  })

  it('refuses an object with a resourceVersion', async () => {
    const client = await start()
    expect((await failure(client.create(core.configmaps, map('a', { resourceVersion: '7' })))).message).toBe('resourceVersion should not be set on objects to be created')
  })

  it('stores nothing on a dry run', async () => {
    const client = await start()
    const made = await client.create(core.configmaps, map('a'), { dryRun: true })
    expect(made.metadata.uid).toBeTruthy()
    expect(isNotFound(await failure(client.get(core.configmaps, 'a', { namespace: 'default' })))).toBe(true)
  })

  it('lets admission change the object before it is validated and refuse it after', async () => {
    const client = await start({
      edges: {
        admission: {
          mutate: async ({ object }) => ({ ...object!, metadata: { ...object!.metadata, labels: { by: 'admission' } } }),
          validate: async ({ resource, name }) => {
            if (name === 'bad') throw forbidden(resource, name, 'not here')
          },
        },
      },
    })
    expect((await client.create(core.configmaps, map('a'))).metadata.labels).toEqual({ by: 'admission' })
    expect(await failure(client.create(core.configmaps, map('bad')))).toMatchObject({ code: 403, message: 'configmaps "bad" is forbidden: not here' })
    expect((await client.list(core.configmaps)).items).toHaveLength(1)
  })
})

describe('update', () => {
  it('refuses a stale resourceVersion and leaves the object as it is', async () => {
    const client = await start()
    const first = await client.create(core.configmaps, map('a'))
    const second = await client.update(core.configmaps, { ...first, data: { a: '2' } })
    const error = await failure(client.update(core.configmaps, { ...first, data: { a: '3' } }))
    expect(error.message).toBe('Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again')
    expect(await client.get(core.configmaps, 'a', { namespace: 'default' })).toBe(second)
  })

  it('writes nothing when nothing changes', async () => {
    const client = await start()
    const first = await client.create(core.configmaps, map('a'))
    expect((await client.update(core.configmaps, first)).metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  it('lets one of many concurrent writers of the same version win', async () => {
    const client = await start()
    const first = await client.create(core.configmaps, map('a'))
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => client.update(core.configmaps, { ...first, data: { a: `w${i}` } })))
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1)
    expect(results.filter((r) => r.status === 'rejected').every((r) => isConflict(r.reason))).toBe(true)
  })

  it('retries patches of concurrent writers until each is in', async () => {
    const client = await start()
    await client.create(core.configmaps, map('a'))
    await Promise.all(Array.from({ length: 20 }, (_, i) => client.patch(core.configmaps, 'a', { type: 'merge', body: { data: { [`k${i}`]: 'x' } } }, { namespace: 'default' })))
    expect(Object.keys((await client.get(core.configmaps, 'a', { namespace: 'default' })).data ?? {})).toHaveLength(21)
  })

  it('counts a generation when the spec changes, and only then', async () => {
    const client = await start()
    const made = await client.create(apps.deployments, deployment('web'))
    expect(made.metadata.generation).toBe(1)
    const labelled = await client.update(apps.deployments, { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } })
    expect(labelled.metadata.generation).toBe(1)
    const scaled = await client.update(apps.deployments, { ...labelled, spec: { ...labelled.spec, replicas: 5 } })
    expect(scaled.metadata.generation).toBe(2)
    const status = await client.updateStatus(apps.deployments, { ...scaled, status: { ...scaled.status, replicas: 5 } })
    expect(status.metadata.generation).toBe(2)
    expect(status.status.replicas).toBe(5)
  })

  it('keeps the spec on a status update and the status on an update', async () => {
    const client = await start()
    const made = await client.create(apps.deployments, deployment('web'))
    const status = await client.updateStatus(apps.deployments, { ...made, spec: { ...made.spec, replicas: 9 }, status: { ...made.status, replicas: 2, readyReplicas: 1 } })
    expect([status.spec.replicas, status.status.readyReplicas]).toEqual([2, 1])
    const next = await client.update(apps.deployments, { ...status, spec: { ...status.spec, replicas: 3 }, status: { ...status.status, readyReplicas: 7 } })
    expect([next.spec.replicas, next.status.readyReplicas]).toEqual([3, 1])
  })

  it('keeps the generation of a kind whose generation nobody counts', async () => {
    const client = await start()
    expect((await client.create(core.configmaps, { ...map('a'), metadata: { name: 'a', namespace: 'default', generation: 7 } })).metadata.generation).toBe(7)
    expect((await failure(client.create(core.configmaps, { ...map('b'), metadata: { name: 'b', namespace: 'default', generation: -1 } }))).message).toContain('metadata.generation: Invalid value: -1: must be greater than or equal to 0')
  })
  it('refuses to change what is immutable in metadata', async () => {
    const client = await start()
    const made = await client.create(core.configmaps, map('a'))
    // What it says of when it was made is passed over.
    const again = await client.update(core.configmaps, { ...made, metadata: { ...made.metadata, creationTimestamp: '2001-01-01T00:00:00Z' } })
    expect(again.metadata.creationTimestamp).toBe(made.metadata.creationTimestamp)
    const error = await failure(client.update(core.configmaps, { ...made, metadata: { ...made.metadata, deletionTimestamp: '2001-01-01T00:00:00Z' } }))
    expect(error).toMatchObject({ code: 422 })
    expect(error.status.details?.causes?.[0]?.field).toBe('metadata.deletionTimestamp')
    expect((await failure(client.update(core.configmaps, { ...made, metadata: { ...made.metadata, uid: 'other' } }))).code).toBe(409)
  })

  it('refuses an update of what is not there', async () => {
    const client = await start()
    expect(await failure(client.update(core.configmaps, map('a')))).toMatchObject({ code: 404, message: 'configmaps "a" not found' })
  })
})

describe('delete', () => {
  it('keeps an object with finalizers until the last one is taken, and takes no new ones', async () => {
    const client = await start()
    const made = await client.create(core.configmaps, map('a', { finalizers: ['example.com/one'] }))
    const leaving = await client.delete(core.configmaps, 'a', { namespace: 'default' })
    expect(leaving!.metadata.deletionTimestamp).toBeTruthy()
    const more = { ...leaving!, metadata: { ...leaving!.metadata, finalizers: ['example.com/one', 'example.com/two'] } }
    expect((await failure(client.update(core.configmaps, more))).code).toBe(422)
    await client.update(core.configmaps, { ...leaving!, metadata: { ...leaving!.metadata, finalizers: [] } })
    expect((await failure(client.get(core.configmaps, 'a', { namespace: 'default' }))).code).toBe(404)
    expect(made.metadata.uid).toBe(leaving!.metadata.uid)
  })

  it('puts the finalizers of the propagation policy on the object', async () => {
    const client = await start()
    await client.create(core.configmaps, map('f'))
    await client.create(core.configmaps, map('o'))
    await client.create(core.configmaps, map('b'))
    expect((await client.delete(core.configmaps, 'f', { namespace: 'default', propagationPolicy: 'Foreground' }))!.metadata.finalizers).toEqual(['foregroundDeletion'])
    expect((await client.delete(core.configmaps, 'o', { namespace: 'default', propagationPolicy: 'Orphan' }))!.metadata.finalizers).toEqual(['orphan'])
    await client.delete(core.configmaps, 'b', { namespace: 'default', propagationPolicy: 'Background' })
    expect((await client.list(core.configmaps)).items.map((c) => c.metadata.name)).toEqual(['f', 'o'])
  })

  it('honours preconditions', async () => {
    const client = await start()
    const made = await client.create(core.configmaps, map('a'))
    expect((await failure(client.delete(core.configmaps, 'a', { namespace: 'default', preconditions: { uid: 'other' } }))).code).toBe(409)
    expect((await failure(client.delete(core.configmaps, 'a', { namespace: 'default', preconditions: { resourceVersion: '1' } }))).code).toBe(409)
    await client.delete(core.configmaps, 'a', { namespace: 'default', preconditions: { uid: made.metadata.uid! } })
    expect((await failure(client.get(core.configmaps, 'a', { namespace: 'default' }))).code).toBe(404)
  })

  it('gives a pod on a node its grace period, shortens it and never prolongs it', async () => {
    const clock = new FakeClock(Date.parse('2026-03-01T10:00:00Z'))
    const client = await start({ clock })
    await client.create(core.pods, pod('p', {}, { nodeName: 'n1', terminationGracePeriodSeconds: 30 }))
    const in30 = await client.delete(core.pods, 'p', { namespace: 'default' })
    expect(in30!.metadata).toMatchObject({ deletionTimestamp: '2026-03-01T10:00:30Z', deletionGracePeriodSeconds: 30 })
    const in5 = await client.delete(core.pods, 'p', { namespace: 'default', gracePeriodSeconds: 5 })
    expect(in5!.metadata).toMatchObject({ deletionTimestamp: '2026-03-01T10:00:05Z', deletionGracePeriodSeconds: 5 })
    expect((await client.delete(core.pods, 'p', { namespace: 'default', gracePeriodSeconds: 60 }))!.metadata.deletionGracePeriodSeconds).toBe(5)
    await client.delete(core.pods, 'p', { namespace: 'default', gracePeriodSeconds: 0 })
    expect((await failure(client.get(core.pods, 'p', { namespace: 'default' }))).code).toBe(404)
  })

  it('removes a pod that no node has at once', async () => {
    const client = await start()
    await client.create(core.pods, pod('p'))
    await client.delete(core.pods, 'p', { namespace: 'default' })
    expect((await client.list(core.pods)).items).toEqual([])
  })

  it('deletes what a selector names and nothing else', async () => {
    const client = await start()
    for (const name of ['a', 'b', 'c']) await client.create(core.configmaps, map(name, { labels: { keep: String(name === 'b') } }))
    await client.deleteCollection(core.configmaps, { namespace: 'default', labelSelector: 'keep=false' })
    expect((await client.list(core.configmaps)).items.map((c) => c.metadata.name)).toEqual(['b'])
  })

  it('keeps a namespace in Terminating until it is finalized', async () => {
    const client = await start()
    await client.create(core.namespaces, { metadata: { name: 'n' } })
    const leaving = await client.delete(core.namespaces, 'n')
    expect(leaving!.status.phase).toBe('Terminating')
    await client.update(core.namespaces, { ...leaving!, spec: { finalizers: [] } }, { subresource: 'finalize' })
    expect((await failure(client.get(core.namespaces, 'n'))).code).toBe(404)
  })
})

describe('patch', () => {
  it('understands merge, strategic and JSON patches', async () => {
    const client = await start()
    const where = { namespace: 'default' }
    await client.create(apps.deployments, deployment('web'))
    const strategic = await client.patch(apps.deployments, 'web', { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'c', image: 'nginx' }] } } } } }, where)
    expect(strategic.spec.template.spec.containers).toMatchObject([{ name: 'c', image: 'nginx' }])
    const merged = await client.patch(apps.deployments, 'web', { type: 'merge', body: { metadata: { labels: { a: 'b' } } } }, where)
    expect(merged.metadata.labels).toEqual({ a: 'b' })
    const json = await client.patch(apps.deployments, 'web', { type: 'json', body: [{ op: 'replace', path: '/spec/replicas', value: 7 }] }, where)
    expect(json.spec.replicas).toBe(7)
  })

  it('refuses a patch that says another resourceVersion', async () => {
    const client = await start()
    await client.create(core.configmaps, map('a'))
    const error = await failure(client.patch(core.configmaps, 'a', { type: 'merge', body: { metadata: { resourceVersion: '1' }, data: { b: '2' } } }, { namespace: 'default' }))
    expect(error).toMatchObject({ code: 409, reason: 'Conflict' })
  })
})

describe('subresources', () => {
  it('scales through the scale subresource', async () => {
    const client = await start()
    await client.create(apps.deployments, deployment('web'))
    const scale = await client.patch(apps.deployments, 'web', { type: 'merge', body: { spec: { replicas: 4 } } }, { namespace: 'default', subresource: 'scale' }) as unknown as autoscalingV1.Scale
    expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 4 }, status: { replicas: 0, selector: 'app=web' } })
    expect((await client.get(apps.deployments, 'web', { namespace: 'default' })).spec.replicas).toBe(4)
    const error = await failure(client.patch(apps.deployments, 'web', { type: 'merge', body: { spec: { replicas: -1 } } }, { namespace: 'default', subresource: 'scale' }))
    expect(error.code).toBe(422)
  })

  it('keeps the priority classes of the system', async () => {
    const client = await start()
    const make = (name: string, value: number) => client.create(scheduling.priorityclasses, { metadata: { name }, value })
    await make('system-node-critical', 2000001000)
    await make('own', 5)
    expect((await failure(client.delete(scheduling.priorityclasses, 'system-node-critical'))).message)
      .toBe('priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted')
    await client.delete(scheduling.priorityclasses, 'own')
  })
  it('neither binds nor evicts a pod by an object of another name', async () => {
    const client = await start()
    await client.create(core.pods, pod('p'))
    const send = (subresource: string, body: object) => failure(client.createSubresource(core.pods, 'p', subresource, body as JsonObject, { namespace: 'default' }))
    expect((await send('binding', { metadata: { name: 'q' }, target: { kind: 'Node', name: 'n' } })).message).toBe('name in URL does not match name in Binding object')
    expect((await send('eviction', { metadata: {} })).message).toBe('name in URL does not match name in Eviction object')
  })
  it('binds a pod once', async () => {
    const client = await start()
    const made = await client.create(core.pods, pod('p'))
    await client.updateStatus(core.pods, { ...made, status: { ...made.status, nominatedNodeName: 'n1', conditions: [{ type: 'PodScheduled', status: 'False' }, { type: 'a', status: 'True' }] } })
    const bind = (node: string) => client.createSubresource(core.pods, 'p', 'binding', { metadata: { name: 'p' }, target: { kind: 'Node', name: node } }, { namespace: 'default' })
    expect(await bind('n1')).toMatchObject({ kind: 'Status', status: 'Success' })
    const bound = await client.get(core.pods, 'p', { namespace: 'default' })
    expect(bound.spec.nodeName).toBe('n1')
    expect(bound.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }, { type: 'a' }])
    expect(bound.status.nominatedNodeName).toBeUndefined()
    expect(bound.metadata.generation).toBe(1)
    expect(await failure(bind('n2'))).toMatchObject({ code: 409, message: 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"' })
  })

  it('evicts a pod with the options of the eviction', async () => {
    const client = await start()
    await client.create(core.pods, pod('p', {}, { nodeName: 'n1' }))
    const eviction: object = { metadata: { name: 'p' }, deleteOptions: { gracePeriodSeconds: 3 } }
    await client.createSubresource(core.pods, 'p', 'eviction', eviction, { namespace: 'default' })
    expect((await client.get(core.pods, 'p', { namespace: 'default' })).metadata.deletionGracePeriodSeconds).toBe(3)
  })

  it('asks the disruption budget before it evicts a pod that is ready', async () => {
    const client = await start()
    const pods = ['a', 'b']
    for (const name of pods) {
      const made = await client.create(core.pods, pod(name, { labels: { app: 'x' } }))
      await client.updateStatus(core.pods, { ...made, status: { ...made.status, phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } })
    }
    const budget = await client.create(policy.poddisruptionbudgets, { metadata: { name: 'pdb', namespace: 'default' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } } })
    const evict = (name: string) => client.createSubresource(core.pods, name, 'eviction', { metadata: { name } }, { namespace: 'default' })
    expect(await failure(evict('a'))).toMatchObject({ code: 429, status: { details: { retryAfterSeconds: 10 } } })
    await client.updateStatus(policy.poddisruptionbudgets, {
      ...budget, status: { ...budget.status, observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
    } as never)
    await evict('a')
    expect((await client.get(policy.poddisruptionbudgets, 'pdb', { namespace: 'default' })).status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { a: expect.any(String) } })
    expect(await failure(evict('b'))).toMatchObject({
      code: 429, reason: 'TooManyRequests', status: { details: { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget pdb needs 1 healthy pods and has 2 currently' }] } },
    })
    expect((await client.list(core.pods)).items.map((p) => p.metadata.name)).toEqual(['b'])
  })

  it('only adds ephemeral containers', async () => {
    const client = await start()
    await client.create(core.pods, pod('p'))
    const add = (list: object[]) => client.patch(core.pods, 'p', { type: 'merge', body: { spec: { ephemeralContainers: list as never, priority: 7 } } }, { namespace: 'default', subresource: 'ephemeralcontainers' })
    const one = await add([{ name: 'debug', image: 'busybox' }])
    expect(one.spec.ephemeralContainers).toMatchObject([{ name: 'debug' }])
    expect(one.spec.priority).not.toBe(7)
    expect((await failure(add([{ name: 'other', image: 'busybox' }]))).code).toBe(422)
  })

  it('approves a certificate request without touching its spec, with metadata and times', async () => {
    const client = await start()
    const csr = await client.create(certificates.certificatesigningrequests, { metadata: { name: 'r' }, spec: { request: signingRequest, signerName: 'example.com/s', usages: ['client auth'] } })
    const approve = (body: JsonObject) => client.patch(certificates.certificatesigningrequests, 'r', { type: 'merge', body }, { subresource: 'approval' })
    const other = await approve({ metadata: { annotations: { by: 'me' } }, spec: { signerName: 'example.com/t' }, status: { certificate: 'AA==', conditions: [{ type: 'Other', status: 'False' }] } })
    expect([other.metadata.annotations, other.spec.signerName, other.status.certificate]).toEqual([{ by: 'me' }, 'example.com/s', undefined])
    const time = other.status.conditions?.[0]?.lastTransitionTime
    expect(other.status.conditions).toEqual([{ type: 'Other', status: 'False', lastUpdateTime: time, lastTransitionTime: time }])
    const approved = await client.update(certificates.certificatesigningrequests, { ...other, status: { ...csr.status, conditions: [...(other.status.conditions ?? []), { type: 'Approved', status: 'True' }] } }, { subresource: 'approval' })
    expect(approved.status.conditions?.map(({ type }) => type)).toEqual(['Other', 'Approved'])
    const refused = await failure(approve({ status: { conditions: [{ type: 'Denied', status: 'False' }] } }))
    expect(refused.status.details?.causes?.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'status.conditions[0].status: Unsupported value: "False": supported values: "True"', 'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ])
  })
})

describe('resources of two versions', () => {
  it('shows one event under both groups', async () => {
    const client = await start()
    const made = await client.create(core.events, {
      metadata: { name: 'e', namespace: 'default' }, involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, reason: 'Started', message: 'it runs', type: 'Normal',
    })
    await expect(client.create(events.events, { metadata: { name: 'strict', namespace: 'default' }, eventTime: null as never, regarding: { namespace: 'default' }, deprecatedCount: 1 })).rejects.toMatchObject({
      status: { details: { causes: [{ field: 'eventTime', reason: 'FieldValueRequired' }, { field: 'type', message: 'Invalid value: "": has invalid value: ' }, { field: 'count', message: 'Invalid value: "": needs to be unset' }] } },
    })
    const other = await client.get(events.events, 'e', { namespace: 'default' })
    expect(other).toMatchObject({ apiVersion: 'events.k8s.io/v1', regarding: { kind: 'Pod', name: 'p' }, note: 'it runs', reason: 'Started' })
    expect(other.metadata.uid).toBe(made.metadata.uid)
    expect((await client.list(events.events)).items).toHaveLength(1)
    // Refusals name it as it is stored.
    expect(await failure(client.get(events.events, 'none', { namespace: 'default' }))).toMatchObject({ message: 'events "none" not found', status: { details: { name: 'none', kind: 'events' } } })
  })

  it('keeps what version 1 of an autoscaler cannot say', async () => {
    const client = await start()
    await client.create(autoscaling.horizontalpodautoscalers, {
      metadata: { name: 'h', namespace: 'default' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' }, maxReplicas: 5, metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
        { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } },
      ] },
    })
    const old = await client.get(autoscalingV1.horizontalpodautoscalers, 'h', { namespace: 'default' })
    expect(old.spec.targetCPUUtilizationPercentage).toBe(70)
    await client.update(autoscalingV1.horizontalpodautoscalers, { ...old, spec: { ...old.spec, maxReplicas: 6 } })
    const next = await client.get(autoscaling.horizontalpodautoscalers, 'h', { namespace: 'default' })
    expect(next.spec.maxReplicas).toBe(6)
    expect(next.spec.metrics!.map((m) => m.resource!.name).toSorted()).toEqual(['cpu', 'memory'])
    expect(next.metadata.annotations).toBeUndefined()
  })
})

describe('the store', () => {
  it('is read again by the next server, objects and revisions as they were', async () => {
    const store = createMemoryStore()
    const first = await startTestServer({ store })
    const made = await first.client.create(apps.deployments, deployment('web'))
    await first.server.close()
    const client = await start({ store })
    expect(await client.get(apps.deployments, 'web', { namespace: 'default' })).toEqual(made)
  })

  it('drops events after their hour', async () => {
    const clock = new FakeClock()
    const client = await start({ clock })
    await client.create(core.events, { metadata: { name: 'e', namespace: 'default' }, involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' } })
    await clock.advance(50 * 60_000)
    expect((await client.list(core.events)).items).toHaveLength(1)
    await clock.advance(12 * 60_000)
    expect((await client.list(core.events)).items).toHaveLength(0)
  })
})

describe('authorization', () => {
  it('is asked for every call, and refuses in words that name user, verb and resource', async () => {
    const client = await start({ edges: { authorize: (_, info) => ({ allowed: info.verb === 'get', reason: 'because' }), admission: openAdmission } })
    expect((await failure(client.list(core.pods, { namespace: 'default' }))).message)
      .toBe('pods is forbidden: User "tester" cannot list resource "pods" in API group "" in the namespace "default": because')
    expect((await failure(client.create(apps.deployments, deployment('web')))).message)
      .toBe('deployments.apps is forbidden: User "tester" cannot create resource "deployments" in API group "apps" in the namespace "default": because')
    expect((await failure(client.get(core.nodes, 'n'))).code).toBe(404)
  })
})
