import { afterEach, beforeEach, expect, it } from 'vitest'
import { core, networking } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'
import { FakeClock } from '../../../machinery/clock.ts'
import { quiet, type Component } from '../../../machinery/log.ts'
import { createMemoryStore } from '../../../store/memory.ts'
import type { Store } from '../../../store/store.ts'
import { startTestServer } from '../../testing.ts'
import type { ApiServer } from '../../options.ts'
import { claimOf } from './services-claims.ts'
import { startServiceRepair } from './services-repair.ts'

let clock: FakeClock
let store: Store
let server: ApiServer
let client: Client
let repair: Component

beforeEach(async () => {
  clock = new FakeClock(Date.now())
  store = createMemoryStore({ clock })
  ;({ server, client } = await startTestServer({ clock, store, serviceCidr: '10.96.0.0/24', nodePorts: [30000, 30010] }))
  await client.create(core.namespaces, { metadata: { name: 'default' } })
  const range = await client.create(networking.servicecidrs, { metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/24'] } })
  await client.updateStatus(networking.servicecidrs, { ...range, status: { conditions: [{ type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] } })
  repair = startServiceRepair({ client: server.client, clock, log: quiet, nodePorts: [30000, 30010] })
})
afterEach(async () => {
  await repair.stop()
  await server.close()
  await store.close()
})

const make = (name: string, spec: object = {}) => client.create(core.services, { metadata: { name, namespace: 'default' }, spec: { ports: [{ port: 80 }], ...spec } })
const address = (name: string) => client.get(networking.ipaddresses, name).catch(() => undefined)
const events = async () => (await client.list(core.events)).items.map((e) => `${e.source?.component} ${e.reason} ${e.message}`)
/** A service as an older server left it: in the store, with nothing beside it. */
const plant = (name: string, clusterIP: string, nodePort?: number) => store.commit({
  writes: [{ op: 'put', key: `/registry/core/services/default/${name}`, value: Buffer.from(JSON.stringify({
    kind: 'Service', apiVersion: 'v1', metadata: { name, namespace: 'default', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { ports: [{ protocol: 'TCP', port: 80, targetPort: 80, ...(nodePort ? { nodePort } : {}) }], clusterIP, clusterIPs: [clusterIP], type: nodePort ? 'NodePort' : 'ClusterIP', sessionAffinity: 'None' },
    status: { loadBalancer: {} },
  })) }],
})

it('makes the object of an address that has none, or says of whom it is', async () => {
  await plant('old', '10.96.0.77')
  await expect.poll(async () => (await address('10.96.0.77'))?.spec.parentRef?.name).toBe('old')
  await client.delete(networking.ipaddresses, '10.96.0.77')
  await expect.poll(async () => (await address('10.96.0.77'))?.spec.parentRef?.name).toBe('old')
  await expect.poll(events).toContainEqual('ipallocator-repair-controller ClusterIPNotAllocated Cluster IP [IPv4]: 10.96.0.77 is not allocated; repairing')
  await plant('twin', '10.96.0.77')
  await expect.poll(events).toContainEqual('ipallocator-repair-controller ClusterIPAlreadyAllocated Cluster IP [IPv4]:10.96.0.77 was assigned to multiple services; please recreate service')
  await plant('outside', '10.99.0.1')
  await expect.poll(events).toContainEqual('ipallocator-repair-controller ClusterIPOutOfRange Cluster IP [IPv4]: 10.99.0.1 is not within any configured Service CIDR; please recreate service')
})

it('removes an object that no service has use for, once it is old enough, and none of other owners', async () => {
  await client.create(networking.ipaddresses, claimOf('10.96.0.9', { metadata: { namespace: 'default', name: 'gone' } }))
  await client.create(networking.ipaddresses, { metadata: { name: '10.96.0.10' }, spec: { parentRef: { group: 'example.com', resource: 'gateways', name: 'g' } } })
  await expect.poll(async () => (await client.list(networking.ipaddresses)).items.length).toBe(2)
  await clock.advance(30_000)
  expect(await address('10.96.0.9')).toBeDefined()
  await expect.poll(async () => {
    await clock.advance(31_000)
    return address('10.96.0.9')
  }).toBeUndefined()
  expect(await address('10.96.0.10')).toBeDefined()
  await expect.poll(events).toContainEqual('ipallocator-repair-controller IPAddressNotAllocated IPAddress: 10.96.0.9 for Service default/gone appears to have leaked: cleaning up')
})

it('tells of a node port that two services have', async () => {
  await make('a', { type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] })
  await plant('b', '10.96.0.5', 30001)
  await plant('c', '10.96.0.6', 40000)
  await expect.poll(events).toContainEqual('portallocator-repair-controller PortAlreadyAllocated Port 30001 was assigned to multiple services; please recreate service')
  await expect.poll(events).toContainEqual('portallocator-repair-controller PortOutOfRange Port 40000 is not within the port range 30000-30010; please recreate service')
})

it('leaves alone what is right', async () => {
  const { spec } = await make('web')
  await expect.poll(() => address(spec.clusterIP ?? '')).toBeDefined()
  const before = (await address(spec.clusterIP ?? ''))?.metadata.resourceVersion
  for (let i = 0; i < 5; i++) await clock.advance(60_000)
  expect((await address(spec.clusterIP ?? ''))?.metadata.resourceVersion).toBe(before)
  expect(await events()).toEqual([])
})
