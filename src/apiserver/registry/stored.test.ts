import { afterEach, describe, expect, it } from 'vitest'
import { batch, core, declared } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { goldens } from '../../machinery/testing.ts'
import { createMemoryStore } from '../../store/memory.ts'
import type { ApiServer } from '../options.ts'
import type { Strategy } from '../strategy.ts'
import { startTestServer, type TestServerOptions } from '../testing.ts'
import { isStored, storedKind } from './served.ts'

const servers: ApiServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function start(options: TestServerOptions = {}) {
  const started = await startTestServer(options)
  servers.push(started.server)
  return started.client
}

const service = (name: string, spec: object = {}) => ({ metadata: { name, namespace: 'default' }, spec: { type: 'NodePort' as const, ports: [{ port: 80 }], ...spec } })

describe('what is stored', () => {
  it('has its fields in the order of the schema, whoever added them', async () => {
    const client = await start()
    const pod = await client.create(core.pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'busybox', livenessProbe: { httpGet: { port: 80 } } }] } })
    expect(JSON.stringify(pod)).toBe(JSON.stringify(decodeObject(core.Pod, pod).object))
    expect(Object.keys(pod.spec).indexOf('terminationGracePeriodSeconds')).toBeLessThan(Object.keys(pod.spec).indexOf('dnsPolicy'))
  })

  it('gives a job the selector of its own uid', async () => {
    const client = await start()
    const job = await client.create(batch.jobs, { metadata: { generateName: 'j-', namespace: 'default' }, spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } } } })
    expect(job.spec.selector?.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': job.metadata.uid })
    expect(job.spec.template.metadata.labels).toMatchObject({ 'batch.kubernetes.io/job-name': job.metadata.name })
  })
})

describe('an object of which only the bytes are kept', () => {
  const stored = goldens().flatMap(({ name, type, json }) => declared.filter((resource) => (resource.type as unknown) === type && isStored(resource)).map((resource) => [name, resource, json] as const))

  it.each(stored)('is made again as it was: %s', (_name, resource, json) => {
    const { decode, revive } = storedKind(resource, {} as Strategy)
    const object = decode(Buffer.from(json))
    const again = revive!(Buffer.from(JSON.stringify(object)))
    expect(again).toEqual(object)
    expect(JSON.stringify(again)).toBe(JSON.stringify(object))
    // Field sets are shared among objects.
    expect(again.metadata.managedFields?.[0]?.fieldsV1).toBe(object.metadata.managedFields?.[0]?.fieldsV1)
  })

  it('is one of nearly every kind', () => expect(stored.length).toBeGreaterThan(50))
})

describe('addresses and node ports', () => {
  it('are not given twice by a server that starts over the same store', async () => {
    const store = createMemoryStore()
    const options = { store, nodePorts: [30000, 30001] as const, serviceCidr: '10.96.0.0/29' }
    const first = await (await start(options)).create(core.services, service('a'))
    const second = await (await start(options)).create(core.services, service('b'))
    expect(second.spec.clusterIP).not.toBe(first.spec.clusterIP)
    expect(second.spec.ports?.[0]?.nodePort).not.toBe(first.spec.ports?.[0]?.nodePort)
  })

  it('are free again when the service is gone, and are not spent on a dry run', async () => {
    const client = await start({ nodePorts: [30000, 30000], serviceCidr: '10.96.0.0/29' })
    await client.create(core.services, service('dry'), { dryRun: true })
    await client.create(core.services, service('a'))
    await expect(client.create(core.services, service('b'))).rejects.toThrow('range is full')
    await client.delete(core.services, 'a', { namespace: 'default' })
    expect((await client.create(core.services, service('b'))).spec.ports?.[0]?.nodePort).toBe(30000)
  })

  it('stay with a service when another of its name is refused', async () => {
    const client = await start({ nodePorts: [30000, 30000], serviceCidr: '10.96.0.0/29' })
    const same = { clusterIP: '10.96.0.2', ports: [{ port: 80, nodePort: 30000 }] }
    await client.create(core.services, service('a', same))
    await expect(client.create(core.services, service('a', same))).rejects.toThrow('already exists')
    await expect(client.create(core.services, service('b', same))).rejects.toThrow('provided IP is already allocated')
    await expect(client.create(core.services, service('b'))).rejects.toThrow('failed to allocate a nodePort: range is full')
  })

  it('of a service that is refused go back', async () => {
    const client = await start({ nodePorts: [30000, 30000], serviceCidr: '10.96.0.0/29' })
    await client.create(core.services, service('a', { type: 'ClusterIP' }))
    await expect(client.create(core.services, service('a'))).rejects.toThrow('already exists')
    expect((await client.create(core.services, service('b'))).spec.ports?.[0]?.nodePort).toBe(30000)
  })
})
