import { afterEach, describe, expect, it } from 'vitest'
import { core, storage } from '../api/index.ts'
import { createMemoryClient } from '../client/testing/memory-client.ts'
import type { Call } from '../client/testing/memory-client.ts'
import { FakeClock } from '../machinery/clock.ts'
import { ApiError, notFound } from '../machinery/errors.ts'
import { quiet } from '../machinery/log.ts'
import type { Component } from '../machinery/log.ts'
import { startScheduler } from './scheduler.ts'

type Json = Record<string, unknown>

const node = (name: string, over: { labels?: Json; spec?: Json; allocatable?: Json } = {}) => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...over.labels } },
  spec: over.spec ?? {},
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...over.allocatable } },
})

const pod = (name: string, spec: Json = {}, metadata: Json = {}) => ({
  metadata: { name, namespace: 'default', ...metadata },
  spec: { schedulerName: 'default-scheduler', containers: [{ name: 'main', image: 'busybox' }], ...spec },
  status: { phase: 'Pending' },
})

const asking = (requests: Json) => ({ containers: [{ name: 'main', image: 'busybox', resources: { requests } }] })

/** A cluster whose binding and deletion work as the API server's do. */
async function cluster(nodes: readonly ReturnType<typeof node>[]) {
  const clock = new FakeClock()
  const client = createMemoryClient(clock)
  let refuseBinding: Error | undefined
  const bound: string[] = []
  const createSubresource = async (_: unknown, name: string, subresource: string, body: { metadata: { namespace: string }; target: { name: string } }) => {
    if (refuseBinding) throw refuseBinding
    expect(subresource).toBe('binding')
    const key = `${body.metadata.namespace}/${name}`
    if (!client.stored(core.pods).has(key)) throw notFound(core.pods, name)
    bound.push(`${name} → ${body.target.name}`)
    client.edit(core.pods, key, (p) => ({ ...p, spec: { ...p.spec, nodeName: body.target.name } }))
    return undefined
  }
  const scheduling = { ...client, createSubresource } as unknown as typeof client
  await client.create(core.namespaces, { metadata: { name: 'default' } })
  for (const n of nodes) await client.create(core.nodes, n as never)
  const scheduler: Component = await startScheduler({ client: scheduling, clock, log: quiet, random: () => 0 })
  stops.push(() => scheduler.stop())
  return {
    client, clock, bound,
    create: async (...pods: ReturnType<typeof pod>[]) => { for (const p of pods) await client.create(core.pods, p as never) },
    get: (name: string) => client.stored(core.pods).get(`default/${name}`),
    condition: (name: string) => client.stored(core.pods).get(`default/${name}`)?.status.conditions?.find((c) => c.type === 'PodScheduled'),
    events: () => [...client.stored(core.events).values()].map((e) => `${e.type} ${e.reason} ${e.involvedObject.name}: ${e.message}`),
    settle: (ms = 0) => clock.advance(ms),
    refuseBindings: (error: Error | undefined) => { refuseBinding = error },
  }
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => { for (const stop of stops.splice(0)) await stop() })

describe('scheduler', () => {
  it('binds a pod to the node that has most room, and says so', async () => {
    const c = await cluster([node('small', { allocatable: { cpu: '1', memory: '1Gi' } }), node('big')])
    await c.create(pod('web', asking({ cpu: '500m', memory: '512Mi' })))
    await c.settle()
    expect(c.bound).toEqual(['web → big'])
    expect(c.events()).toEqual(['Normal Scheduled web: Successfully assigned default/web to big'])
  })

  it('spreads equal pods over equal nodes, counting those it has only just assigned', async () => {
    const c = await cluster([node('a'), node('b'), node('c')])
    await c.create(...Array.from({ length: 9 }, (_, i) => pod(`p${i}`)))
    await c.settle()
    const count = (name: string) => c.bound.filter((b) => b.endsWith(name)).length
    expect(['a', 'b', 'c'].map(count)).toEqual([3, 3, 3])
  })

  it('takes higher priorities first', async () => {
    const c = await cluster([])
    await c.create(pod('low', { priority: 1 }), pod('high', { priority: 100 }), pod('mid', { priority: 10 }))
    await c.settle()
    await c.client.create(core.nodes, node('a') as never)
    await c.settle(20_000)
    expect(c.bound.map((b) => b.split(' ')[0])).toEqual(['high', 'mid', 'low'])
  })

  it('explains as Kubernetes does why a pod has no node, and retries when there is room', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(pod('big', asking({ cpu: '800m' })))
    await c.settle()
    await c.create(pod('second', asking({ cpu: '800m' })))
    await c.settle()
    const message = '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'
    expect(c.condition('second')).toMatchObject({ status: 'False', reason: 'Unschedulable', message, lastTransitionTime: '2026-01-01T00:00:00Z' })
    expect(c.events()).toContain(`Warning FailedScheduling second: ${message}`)
    await c.client.delete(core.pods, 'big', { namespace: 'default' })
    await c.settle(2_000)
    expect(c.bound).toEqual(['big → a', 'second → a'])
  })

  it('counts nodes per reason, sorted, and knows when preemption cannot help', async () => {
    const taint = { key: 'dedicated', value: 'x', effect: 'NoSchedule' }
    const c = await cluster([
      node('a', { spec: { taints: [taint] } }), node('b', { spec: { unschedulable: true } }), node('c', { allocatable: { memory: '1Gi', cpu: '1' } }), node('d', { allocatable: { cpu: '1' } }),
    ])
    await c.create(pod('web', { ...asking({ cpu: '2', memory: '4Gi' }) }))
    await c.settle()
    expect(c.condition('web')?.message).toBe('0/4 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu. '
      + 'preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.')
  })

  it('says when there are no nodes at all, and schedules once there is one', async () => {
    const c = await cluster([])
    await c.create(pod('web'))
    await c.settle()
    expect(c.condition('web')?.message).toBe('no nodes available to schedule pods')
    await c.client.create(core.nodes, node('a') as never)
    await c.settle(1_500)
    expect(c.bound).toEqual(['web → a'])
  })

  it('writes the condition once, however often it tries in vain', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(pod('big', asking({ cpu: '2' })))
    for (let i = 0; i < 5; i++) {
      await c.settle(11_000)
      c.client.edit(core.nodes, 'a', (n) => ({ ...n, status: { ...n.status, allocatable: { ...n.status.allocatable, memory: `${i + 1}Gi` } } }))
    }
    const patches = c.client.calls.filter((call: Call) => call.verb === 'patch' && call.resource === 'pods')
    expect(patches).toHaveLength(1)
    expect(c.events()).toHaveLength(1)
  })

  it('leaves alone pods that name another scheduler, are gated, finished or assigned', async () => {
    const c = await cluster([node('a')])
    await c.create(
      pod('other', { schedulerName: 'mine' }), pod('gated', { schedulingGates: [{ name: 'wait' }] }),
      { ...pod('done'), status: { phase: 'Succeeded' } }, pod('there', { nodeName: 'a' }),
    )
    await c.settle()
    expect(c.bound).toEqual([])
    c.client.edit(core.pods, 'default/gated', (p) => ({ ...p, spec: { ...p.spec, schedulingGates: [] } }))
    await c.settle()
    expect(c.bound).toEqual(['gated → a'])
  })

  it('tries again after a binding was refused, with the room given back meanwhile', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    c.refuseBindings(new ApiError(500, 'InternalError', 'no'))
    await c.create({ ...pod('web', asking({ cpu: '1' })), status: { phase: 'Pending', nominatedNodeName: 'a' } as never })
    await c.settle()
    expect(c.get('web')?.status.nominatedNodeName ?? '').toBe('')
    expect(c.condition('web')).toMatchObject({ reason: 'SchedulerError', message: 'running Bind plugin "DefaultBinder": no' })
    c.refuseBindings(undefined)
    await c.settle(1_100)
    expect(c.bound).toEqual(['web → a'])
  })

  it('looks again after five minutes although nothing happened', async () => {
    const c = await cluster([node('a', { spec: { unschedulable: true } })])
    await c.create(pod('web'))
    await c.settle(1_000)
    const tries = () => c.client.stored(core.events).values().next().value?.count
    expect(tries()).toBe(1)
    await c.settle(340_000)
    expect(tries()).toBe(2)
  })

  it('wakes pods that must be spread when the node of an empty domain goes', async () => {
    const c = await cluster([node('a', { labels: { zone: 'x' } }), node('b', { labels: { zone: 'y' }, spec: { unschedulable: true } })])
    const spread = { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }] }
    const labels = { labels: { app: 'web' } }
    await c.create(pod('there', { nodeName: 'a' }, labels), pod('web', spread, labels))
    await c.settle(2_000)
    expect(c.bound).toEqual([])
    await c.client.delete(core.nodes, 'b')
    await c.settle(2_000)
    expect(c.bound).toEqual(['web → a'])
  })

  it('does not wake pods for a heartbeat', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(pod('big', asking({ cpu: '2' })))
    await c.settle(11_000)
    for (let i = 0; i < 5; i++) {
      c.client.edit(core.nodes, 'a', (n) => ({ ...n, status: { ...n.status, conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: `2026-01-01T00:0${i}:00Z` }] } }))
      await c.settle(11_000)
    }
    expect([...c.client.stored(core.events).values()][0]?.count).toBe(1)
  })
})

describe('scheduler: preemption', () => {
  const low = (name: string, cpu: string, priority: number, over: Json = {}) => pod(name, { ...asking({ cpu }), priority, ...over })

  it('ends the pods that matter least where it costs least, and takes their place', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '2' } }), node('b', { allocatable: { cpu: '2' } })])
    await c.create(low('a1', '1', 5, { nodeName: 'a' }), low('a2', '1', 5, { nodeName: 'a' }), low('b1', '1', 1, { nodeName: 'b' }), low('b2', '1', 5, { nodeName: 'b' }))
    await c.create(pod('vip', { ...asking({ cpu: '1' }), priority: 100 }))
    await c.settle()
    expect([...c.client.stored(core.pods).keys()].sort()).toEqual(['default/a1', 'default/a2', 'default/b2', 'default/vip'])
    expect(c.get('vip')?.status.nominatedNodeName).toBe('b')
    expect(c.events().some((e) => e.startsWith('Normal Preempted b1: Preempted by pod ') && e.endsWith(' on node b'))).toBe(true)
    await c.settle(2_000)
    expect(c.bound).toEqual(['vip → b'])
  })

  it('says in the status of a victim why it goes, and of which generation that is true', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(pod('victim', { ...asking({ cpu: '1' }), priority: 0, nodeName: 'a' }))
    await c.create(pod('vip', { ...asking({ cpu: '1' }), priority: 100 }))
    await c.settle()
    const said = c.client.calls.find((call: Call) => call.verb === 'patch' && call.name === 'victim')?.object
    expect(JSON.stringify(said)).toContain('"reason":"PreemptionByScheduler"')
    expect(JSON.stringify(said)).toContain('"observedGeneration":1')
  })

  it('keeps the room it made from lesser pods', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(low('victim', '1', 0, { nodeName: 'a' }))
    await c.settle()
    await c.create(pod('vip', { ...asking({ cpu: '1' }), priority: 100 }))
    await c.settle()
    await c.create(low('sneaky', '1', 1))
    await c.settle(20_000)
    expect(c.bound).toEqual(['vip → a'])
  })

  const promised = (name: string, spec: Json) => ({ ...pod(name, { preemptionPolicy: 'Never', ...spec }), status: { phase: 'Pending', nominatedNodeName: 'a' } as never })

  it('takes back what it promised lesser pods on the node', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(low('victim', '1', 50, { nodeName: 'a' }), promised('mid', { ...asking({ cpu: '1' }), priority: 10 }))
    await c.settle()
    expect(c.get('mid')?.status.nominatedNodeName).toBe('a')
    await c.create(pod('vip', { ...asking({ cpu: '1' }), priority: 100 }))
    await c.settle()
    expect(c.get('vip')?.status.nominatedNodeName).toBe('a')
    expect(c.get('mid')?.status.nominatedNodeName ?? '').toBe('')
  })

  it('keeps no room for a pod whose promise was taken back', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(promised('vip', { ...asking({ cpu: '2' }), priority: 100 }), low('web', '1', 1))
    await c.settle()
    expect(c.bound).toEqual([])
    c.client.edit(core.pods, 'default/vip', (p) => ({ ...p, status: { ...p.status, nominatedNodeName: '' } }))
    await c.settle(2_000)
    c.client.edit(core.nodes, 'a', (n) => ({ ...n, status: { ...n.status, allocatable: { ...n.status.allocatable, memory: '9Gi' } } }))
    await c.settle(2_000)
    expect(c.bound).toEqual(['web → a'])
  })

  it('leaves victims alone that are on their way out', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(pod('leaving', { ...asking({ cpu: '1' }), priority: 0, nodeName: 'a' }, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.com/hold'] }))
    await c.create(pod('vip', { ...asking({ cpu: '1' }), priority: 100 }))
    await c.settle()
    expect(c.get('vip')?.status.nominatedNodeName).toBe('a')
    expect(c.client.calls.filter((call: Call) => call.resource === 'pods' && call.verb === 'delete')).toEqual([])
    expect(c.events().filter((e) => e.includes('Preempted'))).toEqual([])
  })

  it('does nothing for pods that must not preempt, and says so', async () => {
    const c = await cluster([node('a', { allocatable: { cpu: '1' } })])
    await c.create(low('there', '1', 0, { nodeName: 'a' }))
    await c.create(pod('meek', { ...asking({ cpu: '1' }), priority: 100, preemptionPolicy: 'Never' }))
    await c.settle()
    expect(c.condition('meek')?.message).toBe('0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.')
    expect(c.get('there')).toBeDefined()
  })
})

describe('scheduler: volumes that wait for their first pod', () => {
  const claim = (name: string) => ({ metadata: { name, namespace: 'default' }, spec: { storageClassName: 'lazy', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }, status: { phase: 'Pending' } })
  const volume = (name: string, storageSize: string, nodeName: string) => ({
    metadata: { name },
    spec: {
      storageClassName: 'lazy', accessModes: ['ReadWriteOnce'], capacity: { storage: storageSize }, local: { path: '/data' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] }] } },
    },
  })
  const mounting = (...names: string[]) => pod('db', { ...asking({ cpu: '1' }), volumes: names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })) })
  const lazy = (provisioner: string) => ({ metadata: { name: 'lazy' }, provisioner, volumeBindingMode: 'WaitForFirstConsumer' })
  type Cluster = Awaited<ReturnType<typeof cluster>>
  const bindClaim = (c: Cluster, name: string, volumeName: string) =>
    c.client.edit(core.persistentvolumeclaims, `default/${name}`, (p) => ({ ...p, spec: { ...p.spec, volumeName }, status: { ...p.status, phase: 'Bound' } }))

  it('sets the smallest volumes aside that the node reaches, each once, and binds the pod when they are bound', async () => {
    const c = await cluster([node('a'), node('b')])
    await c.client.create(storage.storageclasses, lazy('kubernetes.io/no-provisioner') as never)
    for (const v of [volume('big', '9Gi', 'b'), volume('small', '1Gi', 'b'), volume('mid', '3Gi', 'b'), volume('far', '1Gi', 'a')]) await c.client.create(core.persistentvolumes, v as never)
    for (const name of ['x', 'y']) await c.client.create(core.persistentvolumeclaims, claim(name) as never)
    await c.create(mounting('x', 'y'))
    await c.settle()
    const owners = [...c.client.stored(core.persistentvolumes).values()].filter((v) => v.spec.claimRef).map((v) => `${v.metadata.name} ${v.spec.claimRef?.name}`)
    expect(owners).toEqual(['small x', 'mid y'])
    expect(c.bound).toEqual([])
    bindClaim(c, 'x', 'small')
    await c.settle()
    expect(c.bound).toEqual([])
    bindClaim(c, 'y', 'mid')
    await c.settle()
    expect(c.bound).toEqual(['db → b'])
  })

  it('tells a provisioner the node, and starts over when it gives it back', async () => {
    const c = await cluster([node('a')])
    await c.client.create(storage.storageclasses, lazy('example.com/disk') as never)
    await c.client.create(core.persistentvolumeclaims, claim('x') as never)
    await c.create(mounting('x'))
    await c.settle()
    const told = () => c.client.stored(core.persistentvolumeclaims).get('default/x')?.metadata.annotations?.['volume.kubernetes.io/selected-node']
    expect(told()).toBe('a')
    expect(c.get('db')?.status.nominatedNodeName).toBe('a')
    c.client.edit(core.persistentvolumeclaims, 'default/x', (p) => ({ ...p, metadata: { ...p.metadata, annotations: {} } }))
    await c.settle()
    expect(c.get('db')?.status.nominatedNodeName ?? '').toBe('')
    expect(c.condition('db')).toMatchObject({ reason: 'SchedulerError', message: 'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC' })
    await c.settle(1_500)
    expect(told()).toBe('a')
    await c.client.create(core.persistentvolumes, volume('made', '1Gi', 'a') as never)
    bindClaim(c, 'x', 'made')
    await c.settle()
    expect(c.bound).toEqual(['db → a'])
  })

  it('gives the node up when nothing happens for ten minutes', async () => {
    const c = await cluster([node('a')])
    await c.client.create(storage.storageclasses, lazy('example.com/disk') as never)
    await c.client.create(core.persistentvolumeclaims, claim('x') as never)
    await c.create(mounting('x'))
    await c.settle(601_000)
    expect(c.condition('db')?.message).toBe('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded')
  })
})
