import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core, type In } from '../../api/index.ts'
import { createBench, setReady, settle, type Bench } from '../testing/bench.ts'
import { startEndpointsController } from './endpoints.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startEndpointsController)
})
afterEach(() => bench.stop())

const service = (spec: Partial<In<typeof core.ServiceSpec>> = {}): In<typeof core.Service> =>
  ({ metadata: { name: 'web', namespace: 'default' }, spec: { selector: { app: 'web' }, clusterIP: '10.0.0.1', ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec } })
const stored = (name: string) => bench.client.stored(core.pods).get(`default/${name}`) as core.Pod
const endpoints = () => bench.client.stored(core.endpoints).get('default/web')

async function pod(name: string, ready: boolean): Promise<void> {
  await bench.client.create(core.pods, { metadata: { name, namespace: 'default', labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  setReady(bench, stored(name), ready)
  await settle()
}

describe('the Endpoints of a service', () => {
  it('hold ready and not ready addresses apart', async () => {
    await bench.client.create(core.services, service())
    await pod('a', true)
    await pod('b', false)
    expect(endpoints()?.subsets).toMatchObject([{
      addresses: [{ ip: stored('a').status.podIP, nodeName: 'node-1', targetRef: { kind: 'Pod', name: 'a' } }],
      notReadyAddresses: [{ ip: stored('b').status.podIP }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    }])
  })

  it('are there, empty, when no pod is', async () => {
    await bench.client.create(core.services, service())
    await settle()
    expect(endpoints()).toBeDefined()
    expect(endpoints()?.subsets).toBeUndefined()
  })

  it('leave out pods that are on their way out', async () => {
    await bench.client.create(core.services, service())
    await pod('a', true)
    bench.client.edit(core.pods, 'default/a', (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['test/hold'] } }))
    await bench.client.delete(core.pods, 'a', { namespace: 'default' })
    await settle()
    expect(endpoints()?.subsets).toBeUndefined()
  })

  it('go with the service, and come back when only they are deleted', async () => {
    await bench.client.create(core.services, service())
    await pod('a', true)
    await bench.client.delete(core.endpoints, 'web', { namespace: 'default' })
    await settle()
    expect(endpoints()?.subsets).toHaveLength(1)
    await bench.client.delete(core.services, 'web', { namespace: 'default' })
    await settle()
    expect(endpoints()).toBeUndefined()
  })

  it('that a user wrote stay as they are, before and after the service comes', async () => {
    const byHand = { metadata: { name: 'web', namespace: 'default' }, subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 1 }] }] }
    await bench.client.create(core.endpoints, byHand)
    await settle()
    expect(endpoints()?.subsets?.[0]?.addresses?.[0]?.ip).toBe('192.0.2.1')
    await bench.client.create(core.services, { metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, targetPort: 80 }] } })
    await settle()
    expect(endpoints()?.subsets?.[0]?.addresses?.[0]?.ip).toBe('192.0.2.1')
  })
})
