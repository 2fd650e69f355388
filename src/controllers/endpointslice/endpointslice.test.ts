import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core, discovery, type In } from '../../api/index.ts'
import { createBench, setReady, settle, type Bench } from '../testing/bench.ts'
import { startEndpointSliceController } from './endpointslice.ts'
import { startEndpointSliceMirroringController } from './mirroring.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startEndpointSliceController, startEndpointSliceMirroringController)
})
afterEach(() => bench.stop())

const service = (spec: Partial<In<typeof core.ServiceSpec>> = {}): In<typeof core.Service> => ({
  metadata: { name: 'web', namespace: 'default', labels: { team: 'red' } },
  spec: { selector: { app: 'web' }, clusterIP: '10.0.0.1', ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }], ...spec },
})
const pod = (name: string, over: Partial<In<typeof core.PodSpec>> = {}): In<typeof core.Pod> =>
  ({ metadata: { name, namespace: 'default', labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }], ...over } })
const slices = () => [...bench.client.stored(discovery.endpointslices).values()]
const stored = (name: string) => bench.client.stored(core.pods).get(`default/${name}`) as core.Pod
const endpoints = () => slices().flatMap((s): readonly discovery.Endpoint[] => s.endpoints)

async function readyPods(...names: string[]): Promise<void> {
  for (const name of names) {
    await bench.client.create(core.pods, pod(name))
    setReady(bench, stored(name))
  }
  await settle()
}

describe('the slices of a service', () => {
  it('hold its pods with their conditions, node and reference', async () => {
    await bench.client.create(core.services, service())
    await readyPods('a')
    await bench.client.create(core.pods, pod('b'))
    setReady(bench, stored('b'), false)
    await settle()
    expect(slices()).toMatchObject([{
      metadata: { generateName: 'web-', labels: { team: 'red', 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' }, ownerReferences: [{ kind: 'Service', name: 'web' }] },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    }])
    expect(endpoints()).toMatchObject([
      { addresses: [stored('a').status.podIP], conditions: { ready: true, serving: true, terminating: false }, nodeName: 'node-1', targetRef: { kind: 'Pod', name: 'a', namespace: 'default', uid: stored('a').metadata.uid } },
      { conditions: { ready: false, serving: false, terminating: false }, targetRef: { name: 'b' } },
    ])
  })

  it('are one empty slice when no pod is there', async () => {
    await bench.client.create(core.services, service())
    await settle()
    expect(slices().map((s) => s.endpoints)).toEqual([[]])
    await readyPods('a')
    expect(slices().map((s) => s.endpoints.length)).toEqual([1])
    await bench.client.delete(core.pods, 'a', { namespace: 'default' })
    await settle()
    expect(slices().map((s) => s.endpoints)).toEqual([[]])
  })

  it('keep a pod that is on its way out as serving but not ready', async () => {
    await bench.client.create(core.services, service())
    await readyPods('a')
    bench.client.edit(core.pods, 'default/a', (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['test/hold'] } }))
    await bench.client.delete(core.pods, 'a', { namespace: 'default' })
    await settle()
    expect(endpoints()[0]?.conditions).toEqual({ ready: false, serving: true, terminating: true })
  })

  it('say ready for what is not when the service publishes it', async () => {
    await bench.client.create(core.services, service({ publishNotReadyAddresses: true }))
    await bench.client.create(core.pods, pod('b'))
    setReady(bench, stored('b'), false)
    await settle()
    expect(endpoints()[0]?.conditions).toEqual({ ready: true, serving: false, terminating: false })
  })

  it('leave out pods that finished or have no address', async () => {
    await bench.client.create(core.services, service())
    await readyPods('a', 'done')
    await bench.client.create(core.pods, pod('new'))
    bench.client.edit(core.pods, 'default/done', (p) => ({ ...p, status: { ...p.status, phase: 'Succeeded' } }))
    await settle()
    expect(endpoints().map((e) => e.targetRef?.name)).toEqual(['a'])
  })

  it('resolve named ports by pod, with a slice for each port they lead to', async () => {
    await bench.client.create(core.services, service({ ports: [{ port: 80, targetPort: 'web', protocol: 'TCP' }] }))
    for (const [name, containerPort] of [['a', 8080], ['b', 9090]] as const) {
      await bench.client.create(core.pods, pod(name, { containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort, protocol: 'TCP' }] }] }))
      setReady(bench, stored(name))
    }
    await settle()
    expect(slices().map((s) => [s.ports[0]?.port, s.endpoints[0]?.targetRef?.name]).sort()).toEqual([[8080, 'a'], [9090, 'b']])
  })

  it('hold at most a hundred endpoints, and change as few slices as they can', async () => {
    await bench.client.create(core.services, service())
    await readyPods(...Array.from({ length: 130 }, (_, i) => `p${i}`))
    expect(slices().map((s) => s.endpoints.length).sort()).toEqual([100, 30])
    const writes = () => bench.client.calls.filter((c) => c.resource.startsWith('endpointslices')).length
    const before = writes()
    await bench.client.delete(core.pods, 'p0', { namespace: 'default' })
    await settle()
    expect(writes() - before).toBe(1)
    expect(endpoints()).toHaveLength(129)
  })

  it('do not change when a pod\'s heartbeat does', async () => {
    await bench.client.create(core.services, service())
    await readyPods('a')
    const before = bench.client.calls.length
    bench.client.edit(core.pods, 'default/a', (p) => ({ ...p, status: { ...p.status, conditions: (p.status.conditions ?? []).map((c) => ({ ...c, lastProbeTime: '2026-01-01T00:00:09Z' })) } }))
    await settle()
    expect(bench.client.calls.length).toBe(before)
  })

  it('say whom an endpoint is meant for when the service prefers its zone', async () => {
    await bench.client.create(core.nodes, { metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'z1' } } })
    await bench.client.create(core.services, service({ trafficDistribution: 'PreferSameZone' }))
    await readyPods('a')
    expect(endpoints()[0]).toMatchObject({ zone: 'z1', hints: { forZones: [{ name: 'z1' }] } })
    setReady(bench, stored('a'), false)
    await settle()
    expect(endpoints()[0]?.hints, 'one that is not ready is meant for nobody').toBeUndefined()
  })

  it('of a headless service carry its label and the names of its pods', async () => {
    await bench.client.create(core.services, service({ clusterIP: 'None' }))
    await bench.client.create(core.pods, pod('a', { hostname: 'first', subdomain: 'web' }))
    setReady(bench, stored('a'))
    await settle()
    expect(slices()[0]?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'])
    expect(endpoints()[0]?.hostname).toBe('first')
  })

  it('are not made for a service without a selector', async () => {
    await bench.client.create(core.services, { ...service(), spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, targetPort: 80 }] } })
    await settle()
    expect(slices()).toEqual([])
  })
})

describe('mirroring', () => {
  const byHand = { metadata: { name: 'web', namespace: 'default' }, subsets: [{ addresses: [{ ip: '192.0.2.1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports: [{ port: 5432, name: 'pg', protocol: 'TCP' as const }] }] }
  const bare = { metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.0.0.1', ports: [{ port: 5432, targetPort: 5432 }] } }

  it('makes slices of Endpoints that users wrote', async () => {
    await bench.client.create(core.endpoints, byHand)
    await bench.client.create(core.services, bare)
    await settle()
    expect(slices()).toMatchObject([{
      metadata: { labels: { 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' } },
      ports: [{ name: 'pg', port: 5432 }],
      endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }, { addresses: ['192.0.2.2'], conditions: { ready: false } }],
    }])
  })

  it('tells how many addresses of a subset are too many', async () => {
    const addresses = Array.from({ length: 1003 }, (_, i) => ({ ip: `10.9.${Math.floor(i / 250)}.${i % 250}` }))
    await bench.client.create(core.services, bare)
    await bench.client.create(core.endpoints, { ...byHand, subsets: [{ ...byHand.subsets[0], addresses, notReadyAddresses: [] }] })
    await settle()
    expect(endpoints()).toHaveLength(1000)
    expect(bench.events('TooManyAddressesToMirror')).toEqual(['Warning TooManyAddressesToMirror A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 3 addresses were skipped'])
  })

  it('removes them with the Endpoints, and makes none for those that say so', async () => {
    await bench.client.create(core.services, bare)
    await bench.client.create(core.endpoints, { ...byHand, metadata: { ...byHand.metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } })
    await settle()
    expect(slices()).toEqual([])
    bench.client.edit(core.endpoints, 'default/web', (e) => ({ ...e, metadata: { ...e.metadata, labels: {} } }))
    await settle()
    expect(slices()).toHaveLength(1)
    await bench.client.delete(core.endpoints, 'web', { namespace: 'default' })
    await settle()
    expect(slices()).toEqual([])
  })
})
