import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apps, core, type In } from '../../api/index.ts'
import { createBench, createKubelet, setReady, settle, type Bench } from '../testing/bench.ts'
import { startDaemonSetController } from './daemonset.ts'
import { nodeOf } from './nodes.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startDaemonSetController)
  for (const name of ['n1', 'n2', 'n3']) await bench.client.create(core.nodes, { metadata: { name, labels: { disk: name === 'n3' ? 'hdd' : 'ssd' } } })
})
afterEach(() => bench.stop())

const template = (image = 'agent:1', spec: Partial<In<typeof core.PodSpec>> = {}): In<typeof core.PodTemplateSpec> => ({ metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image }], ...spec } })
const create = (spec: Partial<In<typeof apps.DaemonSetSpec>> = {}, metadata: object = {}) => bench.client.create(apps.daemonsets, {
  metadata: { name: 'agent', namespace: 'default', ...metadata },
  spec: { selector: { matchLabels: { app: 'agent' } }, template: template(), updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }, revisionHistoryLimit: 10, ...spec },
})
const set = () => bench.client.stored(apps.daemonsets).get('default/agent') as apps.DaemonSet
const change = (spec: Partial<apps.DaemonSetSpec>) => bench.client.edit(apps.daemonsets, 'default/agent', (s) => ({ ...s, spec: { ...s.spec, ...spec } }))
const editNode = (name: string, spec: Partial<core.NodeSpec>) => bench.client.edit(core.nodes, name, (n) => ({ ...n, spec: { ...n.spec, ...spec } }))
const on = () => bench.pods().map(nodeOf).sort()
/** As the scheduler would: each pod to the node it is held to. */
function createScheduler(): void {
  bench.informers.for(core.pods).onChange(({ type, object }) => {
    if (type === 'deleted' || object.spec.nodeName) return
    bench.client.edit(core.pods, `default/${object.metadata.name}`, (p) => ({ ...p, spec: { ...p.spec, nodeName: nodeOf(p) } }))
  })
}
const ready = () => bench.pods().filter((p) => p.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))

describe('a daemon set', () => {
  it('has one pod for each node, held to it, that bears what nodes in trouble have', async () => {
    await create()
    await settle()
    expect(on()).toEqual(['n1', 'n2', 'n3'])
    expect(bench.pods()[0]?.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }])
    expect(bench.pods()[0]?.spec.tolerations).toContainEqual({ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' })
    expect(set().status).toMatchObject({ desiredNumberScheduled: 3, currentNumberScheduled: 3, numberReady: 0, numberUnavailable: 3, updatedNumberScheduled: 3, numberMisscheduled: 0 })
  })

  it('has its template in a revision, under the hash that its pods have, with the notes of its author', async () => {
    await create({}, { annotations: { 'kubernetes.io/change-cause': 'first' } })
    await settle()
    const [revision] = (await bench.client.list(apps.controllerrevisions, { namespace: 'default' })).items
    const hash = bench.pods()[0]?.metadata.labels?.['controller-revision-hash']
    expect(hash).toBeTruthy()
    expect(revision).toMatchObject({ revision: 1, metadata: { name: `agent-${hash}`, annotations: { 'kubernetes.io/change-cause': 'first' } } })
    expect(revision?.metadata.labels).toEqual({ app: 'agent', 'controller-revision-hash': hash })
  })

  it('follows nodes that come and go, and reports what is ready', async () => {
    createScheduler()
    createKubelet(bench, 100)
    await create()
    await bench.client.create(core.nodes, { metadata: { name: 'n4' } })
    await bench.clock.advance(2000)
    expect(on()).toEqual(['n1', 'n2', 'n3', 'n4'])
    expect(set().status).toMatchObject({ desiredNumberScheduled: 4, numberReady: 4, numberAvailable: 4 })
  })

  it('keeps to the nodes its selector and affinity fit', async () => {
    await create({ template: template('agent:1', { nodeSelector: { disk: 'ssd' } }) })
    await settle()
    expect(on()).toEqual(['n1', 'n2'])
    bench.client.edit(core.nodes, 'n2', (n) => ({ ...n, metadata: { ...n.metadata, labels: { disk: 'hdd' } } }))
    await settle()
    expect(on()).toEqual(['n1'])
  })

  it('makes no pod where a taint keeps it away, leaves those that are there, and removes those that must leave', async () => {
    editNode('n1', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] })
    await create()
    await settle()
    expect(on()).toEqual(['n2', 'n3'])
    editNode('n2', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] })
    editNode('n3', { taints: [{ key: 'gpu', effect: 'NoExecute' }] })
    await settle()
    expect(on()).toEqual(['n2'])
    expect(set().status.numberMisscheduled).toBe(1)
  })

  it('replaces a pod that failed', async () => {
    createScheduler()
    await create()
    await settle()
    const [first] = bench.pods() as [core.Pod]
    bench.client.edit(core.pods, `default/${first.metadata.name}`, (p) => ({ ...p, status: { ...p.status, phase: 'Failed' } }))
    await settle(40)
    expect(on()).toEqual(['n1', 'n2', 'n3'])
    expect(bench.pods().some((p) => p.status.phase === 'Failed')).toBe(false)
    expect(bench.events('FailedDaemonPod')).toHaveLength(1)
  })

  it('replaces a pod that fails again and again after ever longer waits', async () => {
    createScheduler()
    await create({ template: template('agent:1', { nodeSelector: { disk: 'hdd' } }) })
    await settle()
    const fail = (p: core.Pod) => { if (p.status.phase !== 'Failed') bench.client.edit(core.pods, `default/${p.metadata.name}`, (now) => ({ ...now, status: { ...now.status, phase: 'Failed' } })) }
    for (let i = 0; i < 1000; i++) {
      bench.pods().forEach(fail)
      await bench.clock.advance(100)
    }
    const count = bench.client.calls.filter((c) => c.verb === 'create' && c.resource === 'pods').length
    expect(count).toBeGreaterThan(4)
    expect(count).toBeLessThan(10)
  })

  it('does not wait for an ended pod that a finalizer holds', async () => {
    createScheduler()
    await create()
    await settle()
    const [first] = bench.pods() as [core.Pod]
    bench.client.edit(core.pods, `default/${first.metadata.name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['x/y'] }, status: { ...p.status, phase: 'Succeeded' } }))
    await settle(40)
    expect(on()).toEqual(['n1', 'n1', 'n2', 'n3'])
  })

  it('being deleted makes nothing any more, not even a revision', async () => {
    await create({}, { finalizers: ['foregroundDeletion'] })
    await settle()
    await bench.client.delete(apps.daemonsets, 'agent', { namespace: 'default' })
    const [revision] = (await bench.client.list(apps.controllerrevisions, { namespace: 'default' })).items
    await bench.client.delete(apps.controllerrevisions, revision?.metadata.name ?? '', { namespace: 'default' })
    for (const { metadata } of bench.pods()) await bench.client.delete(core.pods, metadata.name ?? '', { namespace: 'default' })
    await settle(40)
    expect(bench.pods()).toEqual([])
    expect((await bench.client.list(apps.controllerrevisions, { namespace: 'default' })).items).toEqual([])
  })

  it('has each toleration once, without a limit where daemons bear a taint for ever, and the count of its template', async () => {
    const key = 'node.kubernetes.io/not-ready'
    await create({ template: template('agent:1', { tolerations: [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] }) }, { annotations: { 'deprecated.daemonset.template.generation': '7' } })
    await settle()
    const [pod] = bench.pods() as [core.Pod]
    expect(pod.spec.tolerations?.filter((t) => t.key === key)).toEqual([{ key, operator: 'Exists', effect: 'NoExecute' }])
    expect(pod.metadata.labels?.['pod-template-generation']).toBe('7')
  })

  it('counts a pod on its way out as available while it is ready', async () => {
    createScheduler()
    createKubelet(bench, 100)
    await create()
    await bench.clock.advance(2000)
    const [first] = bench.pods() as [core.Pod]
    bench.client.edit(core.pods, `default/${first.metadata.name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['x/y'] } }))
    await bench.client.delete(core.pods, first.metadata.name ?? '', { namespace: 'default' })
    await settle(40)
    expect(set().status).toMatchObject({ numberReady: 3, numberAvailable: 3 })
  })

  it('updates one node after the other', async () => {
    createScheduler()
    createKubelet(bench, 1000)
    await create()
    await bench.clock.advance(5000)
    change({ template: template('agent:2') as core.PodTemplateSpec })
    for (let i = 0; i < 100; i++) {
      await bench.clock.advance(100)
      expect(ready().length).toBeGreaterThanOrEqual(2)
    }
    expect(bench.pods().map((p) => p.spec.containers[0]?.image)).toEqual(['agent:2', 'agent:2', 'agent:2'])
    expect(set().status.updatedNumberScheduled).toBe(3)
  })

  it('with surge has the new pod ready before the old one goes', async () => {
    createScheduler()
    createKubelet(bench, 1000)
    await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } })
    await bench.clock.advance(5000)
    change({ template: template('agent:2') as core.PodTemplateSpec })
    for (let i = 0; i < 150; i++) {
      await bench.clock.advance(100)
      expect(new Set(ready().map(nodeOf)).size).toBe(3)
      expect(bench.pods().length).toBeLessThanOrEqual(4)
    }
    expect(bench.pods().map((p) => p.spec.containers[0]?.image)).toEqual(['agent:2', 'agent:2', 'agent:2'])
  })

  it('with surge does not wait for the new pod where the old one is not ready', async () => {
    createScheduler()
    createKubelet(bench, 1000, (pod) => pod.spec.containers[0]?.image === 'agent:1')
    await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 3 } } })
    await bench.clock.advance(5000)
    change({ template: template('agent:2') as core.PodTemplateSpec })
    await bench.clock.advance(2000)
    const [old] = bench.pods().filter((p) => p.spec.containers[0]?.image === 'agent:1') as [core.Pod]
    setReady(bench, old, false)
    await bench.clock.advance(2000)
    expect(bench.pods().filter((p) => nodeOf(p) === nodeOf(old)).map((p) => p.spec.containers[0]?.image)).toEqual(['agent:2'])
    expect(bench.pods()).toHaveLength(5)
  })

  it('with OnDelete updates only what someone deletes', async () => {
    createScheduler()
    createKubelet(bench, 100)
    await create({ updateStrategy: { type: 'OnDelete' } })
    await bench.clock.advance(2000)
    change({ template: template('agent:2') as core.PodTemplateSpec })
    await bench.clock.advance(5000)
    await bench.client.delete(core.pods, bench.pods()[0]?.metadata.name ?? '', { namespace: 'default' })
    await bench.clock.advance(5000)
    expect(bench.pods().map((p) => p.spec.containers[0]?.image).sort()).toEqual(['agent:1', 'agent:1', 'agent:2'])
  })

  it('writes nothing at rest', async () => {
    createScheduler()
    createKubelet(bench, 100)
    await create()
    await bench.clock.advance(60_000)
    const before = bench.client.calls.length
    bench.client.edit(core.nodes, 'n1', (n) => ({ ...n, status: { ...n.status, conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null }] } }))
    await bench.clock.advance(600_000)
    expect(bench.client.calls.length).toBe(before)
  })
})
