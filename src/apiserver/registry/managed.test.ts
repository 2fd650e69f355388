import { afterEach, describe, expect, it } from 'vitest'
import { apps, core } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { ApiError } from '../../machinery/errors.ts'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer | undefined
afterEach(() => started?.server.close())

async function start(): Promise<Client> {
  started = await startTestServer()
  return started.client
}
const where = { namespace: 'default' }
const config = (replicas: number, image = 'a') => ({
  kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'web' },
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } } },
})
const apply = (client: Client, body: object, manager: string, force = false) =>
  client.patch(apps.deployments, 'web', { type: 'apply', body: body as never, force }, { ...where, fieldManager: manager })
const failure = async (promise: Promise<unknown>): Promise<ApiError> => (await promise.then(() => undefined, (e: unknown) => e)) as ApiError
const managers = (object: apps.Deployment | core.ConfigMap) => object.metadata.managedFields?.map((m) => `${m.manager} ${m.operation}${m.subresource ? ` ${m.subresource}` : ''}`)

describe('server-side apply', () => {
  it('creates what is not there, defaulted, and changes nothing the second time', async () => {
    const client = await start()
    const first = await apply(client, config(2), 'me')
    expect([first.spec.revisionHistoryLimit, managers(first)]).toEqual([10, ['me Apply']])
    expect((await apply(client, config(2), 'me')).metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  it('conflicts over fields of others, and takes them by force', async () => {
    const client = await start()
    await apply(client, config(2), 'me')
    const error = await failure(apply(client, { ...config(2), spec: { replicas: 5 } }, 'you'))
    expect(error).toMatchObject({ code: 409, reason: 'Conflict', message: expect.stringContaining('conflict with "me": .spec.replicas') })
    expect((await apply(client, { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'web' }, spec: { replicas: 5 } }, 'you', true)).spec.replicas).toBe(5)
  })

  it('conflicts over what somebody scaled', async () => {
    const client = await start()
    await apply(client, config(2), 'me')
    await client.patch(apps.deployments, 'web', { type: 'merge', body: { spec: { replicas: 7 } } }, { ...where, subresource: 'scale', fieldManager: 'scaler' })
    expect((await failure(apply(client, config(2), 'me'))).message).toContain('conflict with "scaler" with subresource "scale"')
  })

  it('removes what its manager no longer states', async () => {
    const client = await start()
    await apply(client, { ...config(2), metadata: { name: 'web', labels: { a: '1', b: '2' } } }, 'me')
    expect((await apply(client, { ...config(2), metadata: { name: 'web', labels: { a: '1' } } }, 'me')).metadata.labels).toEqual({ a: '1' })
  })

  it('owns the status through the status endpoint only', async () => {
    const client = await start()
    await apply(client, config(2), 'me')
    const status = { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'web' }, spec: { replicas: 9 }, status: { replicas: 2, readyReplicas: 1 } }
    const next = await client.patch(apps.deployments, 'web', { type: 'apply', body: status }, { ...where, subresource: 'status', fieldManager: 'controller' })
    expect([next.spec.replicas, next.status.readyReplicas, managers(next)]).toEqual([2, 1, expect.arrayContaining(['controller Apply status'])])
  })
})

describe('managed fields', () => {
  it('give each change to who made it, and the status to who wrote the status', async () => {
    const client = await start()
    const { metadata: _, ...rest } = config(2)
    const made = await client.create(apps.deployments, { ...rest, metadata: { name: 'web', namespace: 'default' } } as never, { fieldManager: 'creator' })
    const updated = await client.update(apps.deployments, { ...made, spec: { ...made.spec, replicas: 3 } }, { fieldManager: 'editor' })
    const status = await client.updateStatus(apps.deployments, { ...updated, status: { ...updated.status, replicas: 3 } }, { fieldManager: 'controller' })
    expect(managers(status)?.toSorted()).toEqual(['controller Update status', 'creator Update', 'editor Update'])
    const editor = status.metadata.managedFields!.find((m) => m.manager === 'editor')
    expect(editor!.fieldsV1).toEqual({ 'f:spec': { 'f:replicas': {} } })
  })

  it('are not written again by an update that changes nothing', async () => {
    const client = await start()
    const made = await client.create(core.configmaps, { metadata: { name: 'a', namespace: 'default' }, data: { a: '1' } }, { fieldManager: 'one' })
    expect((await client.update(core.configmaps, made, { fieldManager: 'two' })).metadata.resourceVersion).toBe(made.metadata.resourceVersion)
  })
})
