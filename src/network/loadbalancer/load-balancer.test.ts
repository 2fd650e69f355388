import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core, discovery } from '../../api/index.ts'
import { createMemoryClient, type MemoryClient } from '../../client/testing/memory-client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { startLoadBalancer } from './load-balancer.ts'

let clock: FakeClock
let client: MemoryClient
let abort: AbortController

const node = (name: string, ip: string, ready = true, labels: object = {}) => client.create(core.nodes, {
  metadata: { name, labels }, status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }], addresses: [{ type: 'InternalIP', address: ip }, { type: 'Hostname', address: name }] },
} as never)
const service = (name: string, spec: object = {}) => client.create(core.services, { metadata: { name, namespace: 'shop' }, spec: { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }], ...spec } } as never)
const ingress = (name: string) => (client.stored(core.services).get(`shop/${name}`)?.status.loadBalancer.ingress ?? []).map((i) => i.ip)
const messages = () => [...client.stored(core.events).values()].map((event) => event.message)

beforeEach(async () => {
  clock = new FakeClock()
  client = createMemoryClient(clock)
  abort = new AbortController()
  await node('a', '192.0.2.1')
  await node('b', '192.0.2.2')
  startLoadBalancer({ client, clock, log: quiet, reservedPorts: [6443], signal: abort.signal })
  await clock.advance(0)
})
afterEach(() => abort.abort())

describe('the load balancer', () => {
  it('gives a service the addresses of the Ready nodes, and follows them', async () => {
    await service('web')
    await clock.advance(100)
    expect(client.stored(core.services).get('shop/web')?.status.loadBalancer.ingress).toEqual([{ ip: '192.0.2.1', ipMode: 'VIP' }, { ip: '192.0.2.2', ipMode: 'VIP' }])
    client.edit(core.nodes, 'b', (n) => ({ ...n, status: { ...n.status, conditions: [{ type: 'Ready', status: 'False' }] } }))
    await clock.advance(100)
    expect(ingress('web')).toEqual(['192.0.2.1'])
    client.edit(core.nodes, 'a', (n) => ({ ...n, metadata: { ...n.metadata, labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } } }))
    await clock.advance(100)
    expect(ingress('web')).toEqual([])
  })

  it('leaves other types, and services of another class, alone', async () => {
    await service('np', { type: 'NodePort' })
    await service('classy', { loadBalancerClass: 'example.com/lb' })
    await clock.advance(100)
    expect([...ingress('np'), ...ingress('classy')]).toEqual([])
  })

  it('names only nodes with endpoints under externalTrafficPolicy Local', async () => {
    await service('local', { externalTrafficPolicy: 'Local' })
    await clock.advance(100)
    expect(ingress('local')).toEqual([])
    await client.create(discovery.endpointslices, { metadata: { name: 'local-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'local' } }, addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], nodeName: 'b', conditions: { ready: true } }], ports: [] } as never)
    await clock.advance(100)
    expect(ingress('local')).toEqual(['192.0.2.2'])
  })

  it('keeps a port with the service that had it first, says so, and passes it on when that one goes', async () => {
    await service('first')
    await clock.advance(2000)
    await service('second', { ports: [{ port: 8080, protocol: 'TCP' }, { port: 80, protocol: 'TCP' }] })
    await clock.advance(2000)
    expect(ingress('first')).toHaveLength(2)
    expect(ingress('second')).toEqual([])
    expect(messages()).toContain('Error syncing load balancer: port 80/TCP of the nodes belongs to service shop/first')
    await client.delete(core.services, 'first', { namespace: 'shop' })
    await clock.advance(2000)
    expect(ingress('second')).toHaveLength(2)
  })

  it('does not give away a port of the cluster itself', async () => {
    await service('bold', { ports: [{ port: 6443, protocol: 'TCP' }] })
    await service('same-number', { ports: [{ port: 6443, protocol: 'UDP' }] })
    await clock.advance(2000)
    expect(ingress('bold')).toEqual([])
    expect(ingress('same-number')).toHaveLength(2)
    expect(messages()).toContain('Error syncing load balancer: port 6443 of the nodes is used by the cluster itself')
  })
})
