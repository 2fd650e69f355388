import { expect, it, onTestFinished, vi } from 'vitest'
import { core } from '../../api/index.ts'
import { createInformers, createRecorder } from '../../client/index.ts'
import { createMemoryClient } from '../../client/testing/memory-client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import type { NodeContext } from '../context.ts'
import { createFakeRuntime } from '../testing/fake-runtime.ts'
import * as machineRoom from './machine.ts'
import { nodeStatus } from './node-status.ts'
import { register } from './register.ts'

const machine = { cpus: 2, memoryBytes: 2 ** 32, storageBytes: 2 ** 36, hugepages: {}, machineID: 'm', systemUUID: 's', bootID: 'b', kernelVersion: '6', osImage: 'Linux', architecture: 'amd64' }

async function registered(before?: object) {
  const clock = new FakeClock()
  const client = createMemoryClient(clock)
  const runtime = createFakeRuntime(clock)
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const informers = createInformers(client, { clock, log: quiet })
  const nodes = informers.for(core.nodes)
  informers.start(stop.signal)
  const context: NodeContext = {
    nodeName: 'node', owner: 'test', client, clock, log: quiet, runtime, hostIPs: ['192.0.2.1'], clusterDns: [], clusterDomain: 'cluster.local',
    directories: { data: '/tmp', logs: '/tmp', memory: '/tmp' },
    recorder: createRecorder(client, { component: 'kubelet', host: 'node', clock, log: quiet }),
    node: () => nodes.get('node'), services: () => [],
  }
  if (before) {
    await client.create(core.nodes, { metadata: { name: 'node' }, status: before })
    await vi.waitFor(() => expect(nodes.get('node')).toBeDefined())
  }
  await register(context, { name: 'node', addresses: ['192.0.2.1'], port: 10250, machine, maxPods: 110, version: 'v1.36.0', runtime: await runtime.info(), labels: {} }, stop.signal)
  const settle = async () => { for (let i = 0; i < 30; i++) await new Promise((resolve) => setTimeout(resolve, 1)) }
  const pass = async (ms: number) => { await settle(); await clock.advance(ms); await settle() }
  await pass(0)
  return {
    pass,
    events: () => [...client.stored(core.events).values()].map((e) => `${e.reason}: ${e.message}`),
    edit: (change: (status: core.NodeStatus) => object) => client.edit(core.nodes, 'node', (node) => ({ ...node, status: { ...node.status, ...change(node.status) } })),
    /** The look at the machine every ten seconds reads the disk, which takes what it takes: it is looked until it shows. */
    comesTo: (check: (status: core.NodeStatus | undefined) => void) => vi.waitFor(async () => { await pass(10_000); check(client.stored(core.nodes).get('node')?.status) }, { timeout: 20_000, interval: 1 }),
    patches: () => client.calls.filter((c) => c.resource === 'nodes' && c.subresource === 'status').length,
    remove: () => client.delete(core.nodes, 'node'),
  }
}

it('gives pods what an administrator says the node has more of, and no longer when he takes it back', async () => {
  const node = await registered()
  node.edit(({ capacity }) => ({ capacity: { ...capacity, 'example.com/dongle': '4' } }))
  await node.comesTo((status) => expect(status).toMatchObject({ capacity: { 'example.com/dongle': '4', cpu: '2' }, allocatable: { 'example.com/dongle': '4', cpu: '2' } }))
  node.edit(({ capacity }) => ({ capacity: { ...capacity, 'example.com/dongle': '7' } }))
  await node.comesTo((status) => expect(status?.allocatable).toMatchObject({ 'example.com/dongle': '7' }))
  node.edit(({ capacity }) => ({ capacity: Object.fromEntries(Object.entries(capacity ?? {}).filter(([name]) => name !== 'example.com/dongle')) }))
  await node.comesTo((status) => expect(Object.keys(status?.allocatable ?? {}).toSorted()).toEqual(['cpu', 'ephemeral-storage', 'memory', 'pods']))
})

it('corrects what others say of the machine and of its health, and leaves their own conditions alone', async () => {
  const node = await registered()
  node.edit(({ capacity, conditions }) => ({
    capacity: { ...capacity, cpu: '64' },
    conditions: [...(conditions ?? []).map((c) => (c.type === 'Ready' ? { ...c, status: 'Unknown' } : c)), { type: 'Cooled', status: 'True' }],
  }))
  await node.comesTo((status) => {
    expect(status?.capacity).toMatchObject({ cpu: '2' })
    expect(status?.conditions?.map((c) => [c.type, c.status]).toSorted()).toEqual([
      ['Cooled', 'True'], ['DiskPressure', 'False'], ['MemoryPressure', 'False'], ['PIDPressure', 'False'], ['Ready', 'True'],
    ])
  })
})

it('says nothing again while nothing is different, but every five minutes', async () => {
  const node = await registered()
  const before = node.patches()
  for (let i = 0; i < 20; i++) await node.pass(10_000)
  expect(node.patches()).toBe(before)
  for (let i = 0; i < 12; i++) await node.pass(10_000)
  expect(node.patches()).toBe(before + 1)
})

it('registers again when the node was deleted', async () => {
  const node = await registered()
  await node.remove()
  await node.comesTo((status) => expect(status?.conditions?.find((c) => c.type === 'Ready')?.status).toBe('True'))
})

it('tells when the node comes under pressure, when that is over, and that the machine was started anew', async () => {
  const pressure = vi.spyOn(machineRoom, 'readPressure').mockResolvedValue({ memory: false, disk: false, pid: false })
  onTestFinished(() => pressure.mockRestore())
  const node = await registered({ nodeInfo: { bootID: 'a' } })
  expect(node.events()).toContain('Rebooted: Node node has been rebooted, boot id: b')
  expect(node.events()).not.toContain('NodeHasDiskPressure: Node node status is now: NodeHasDiskPressure')
  pressure.mockResolvedValue({ memory: false, disk: true, pid: false })
  await node.pass(10_000)
  expect(node.events()).toContain('NodeHasDiskPressure: Node node status is now: NodeHasDiskPressure')
})

it('says what is wrong with the runtime, gives huge pages to nobody twice, and names an image five times at most', () => {
  const facts = { name: 'node', addresses: [], port: 1, machine: { ...machine, hugepages: { '2Mi': 2 ** 30 } }, maxPods: 110, version: 'v1.36.0', runtime: { name: 'fake', version: '1', apiVersion: 'v1' }, labels: {} }
  const tags = Array.from({ length: 9 }, (_, i) => `app:${i}`)
  const status = (conditions: { type: string; ready: boolean; reason: string; message: string }[]) =>
    nodeStatus(facts, { conditions, pressure: { memory: false, disk: false, pid: false } }, [{ id: 'i', tags, digests: ['app@sha256:x'], size: 1, pinned: false }], undefined, 0)
  const message = (...given: Parameters<typeof status>) => status(...given).conditions?.find((c) => c.type === 'Ready')?.message
  const [runtime, network] = ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, ready: false, reason: 'No', message: 'why' }))
  expect(message([runtime!, network!])).toBe('[container runtime not ready: RuntimeReady=false reason:No message:why, container runtime network not ready: NetworkReady=false reason:No message:why]')
  expect(message([{ ...runtime!, ready: true }, network!])).toBe('container runtime network not ready: NetworkReady=false reason:No message:why')
  expect(message([{ ...runtime!, reason: 'Unreachable' }])).toBe('container runtime is down')
  expect(status([]).allocatable?.['memory']).toBe('2972Mi')
  expect(status([]).images).toEqual([{ names: ['app@sha256:x', 'app:0', 'app:1', 'app:2', 'app:3'], sizeBytes: 1 }])
})
