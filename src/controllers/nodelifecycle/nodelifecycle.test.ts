import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { coordination, core, type In } from '../../api/index.ts'
import { rfc3339, rfc3339Micro } from '../../machinery/time.ts'
import { createBench, setReady, settle, type Bench } from '../testing/bench.ts'
import { podInformer } from '../shared/pods.ts'
import { quiet } from '../../machinery/log.ts'
import { createMonitor, startNodeLifecycleController } from './nodelifecycle.ts'
import { startTaintEvictionController } from './tainteviction.ts'
import { stay } from './taints.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startNodeLifecycleController, startTaintEvictionController)
})
afterEach(() => bench.stop())

const node = (name: string) => bench.client.stored(core.nodes).get(name) as core.Node
const taints = (name: string) => (node(name).spec.taints ?? []).map((t) => `${t.key.replace('node.kubernetes.io/', '')}:${t.effect}`).sort()
const ready = (name: string) => node(name).status.conditions?.find((c) => c.type === 'Ready')

async function join(name: string, status = 'True'): Promise<void> {
  const time = rfc3339(bench.clock.now())
  await bench.client.create(core.nodes, { metadata: { name }, status: { conditions: [{ type: 'Ready', status, reason: 'KubeletReady', message: '', lastHeartbeatTime: time, lastTransitionTime: time }] } })
  await bench.client.create(coordination.leases, { metadata: { name, namespace: 'kube-node-lease' }, spec: { holderIdentity: name, renewTime: rfc3339Micro(bench.clock.now()) } })
}
const renew = (name: string) => bench.client.edit(coordination.leases, `kube-node-lease/${name}`, (l) => ({ ...l, spec: { ...l.spec, renewTime: rfc3339Micro(bench.clock.now()) } }))
const setNodeReady = (name: string, status: string) => bench.client.edit(core.nodes, name, (n) => ({ ...n, status: { ...n.status, conditions: (n.status.conditions ?? []).map((c) => (c.type === 'Ready' ? { ...c, status, lastHeartbeatTime: rfc3339(bench.clock.now()) } : c)) } }))

/** Lets time pass while these nodes renew their leases. */
async function live(seconds: number, ...names: string[]): Promise<void> {
  for (let i = 0; i < seconds; i += 5) {
    for (const name of names) renew(name)
    await bench.clock.advance(5000)
  }
}

async function pod(name: string, nodeName: string, tolerations: In<typeof core.Toleration>[] = []): Promise<void> {
  await bench.client.create(core.pods, { metadata: { name, namespace: 'default' }, spec: { nodeName, containers: [{ name: 'c', image: 'i' }], tolerations } })
  setReady(bench, bench.client.stored(core.pods).get(`default/${name}`) as core.Pod)
}

describe('a node', () => {
  it('that renews its lease stays ready', async () => {
    await join('n1')
    await live(300, 'n1')
    expect(ready('n1')?.status).toBe('True')
    expect(taints('n1')).toEqual([])
  })

  it('that goes silent becomes Unknown after 40 s, is tainted, and its pods no longer serve', async () => {
    await join('n1')
    await join('n2')
    await pod('p', 'n1')
    await live(35, 'n2')
    expect(ready('n1')?.status).toBe('True')
    await live(15, 'n2')
    expect(ready('n1')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' })
    expect(node('n1').status.conditions?.map((c) => c.type).sort()).toEqual(['DiskPressure', 'MemoryPressure', 'PIDPressure', 'Ready'])
    expect(taints('n1')).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule'])
    expect(bench.pods()[0]?.status.conditions?.find((c) => c.type === 'Ready')?.status ?? 'gone').not.toBe('True')
    expect(ready('n2')?.status).toBe('True')
  })

  it('is not blamed for the time the machine slept', async () => {
    await bench.stop()
    bench = createBench()
    const { clock } = bench
    const look = createMonitor({
      client: bench.client, recorder: { event: () => undefined, flush: async () => undefined }, clock, log: quiet,
      nodes: bench.informers.for(core.nodes), leases: bench.informers.for(coordination.leases, { namespace: 'kube-node-lease' }), pods: podInformer(bench.informers),
    }, { gracePeriod: 40_000, startupGracePeriod: 60_000 })
    await bench.start()
    await join('n1')
    await settle()
    await look()
    await clock.advance(3_600_000)
    await look()
    expect(ready('n1')?.status).toBe('True')
    for (let i = 0; i < 9; i++) {
      await clock.advance(5000)
      await look()
    }
    expect(ready('n1')?.status).toBe('Unknown')
  })

  it('that comes back loses its taints', async () => {
    await join('n1')
    await join('n2')
    await live(60, 'n2')
    expect(taints('n1')).toHaveLength(2)
    setNodeReady('n1', 'True')
    await live(10, 'n1', 'n2')
    expect(taints('n1')).toEqual([])
  })

  it('that says it is not ready is tainted at once', async () => {
    await join('n2')
    await join('n1', 'False')
    await settle(40)
    expect(taints('n1')).toEqual(['not-ready:NoExecute', 'not-ready:NoSchedule'])
  })

  it('that says it is not ready leaves it to its node to say which pods are', async () => {
    await join('n1')
    await join('n2')
    await pod('p', 'n1', [{ operator: 'Exists' }])
    await settle(40)
    setNodeReady('n1', 'False')
    await live(10, 'n1', 'n2')
    expect(bench.pods()[0]?.status.conditions?.find((c) => c.type === 'Ready')?.status).toBe('True')
    expect(bench.events('NodeNotReady')).toEqual([])
  })

  it('is told of when it comes, goes silent and is removed', async () => {
    await join('n1')
    await join('n2')
    await live(60, 'n2')
    await bench.client.delete(core.nodes, 'n1')
    await live(10, 'n2')
    const told = (reason: string) => bench.events(reason).filter((e) => e.includes('n1'))
    expect(told('RegisteredNode')).toEqual(['Normal RegisteredNode Node n1 event: Registered Node n1 in Controller'])
    expect(told('NodeNotReady')).toEqual(['Normal NodeNotReady Node n1 status is now: NodeNotReady'])
    expect(told('RemovingNode')).toEqual(['Normal RemovingNode Node n1 event: Removing Node n1 from Controller'])
  })

  it('that may be away does not count among those that fail together', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await join(name)
    for (const name of ['b', 'c', 'd']) bench.client.edit(core.nodes, name, (n) => ({ ...n, metadata: { ...n.metadata, labels: { 'node.kubernetes.io/exclude-disruption': '' } } }))
    await live(120, 'a')
    expect(taints('e')).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule'])
  })

  it('that is cordoned takes no new pods, and keeps taints that others put on it', async () => {
    await join('n1')
    bench.client.edit(core.nodes, 'n1', (n) => ({ ...n, spec: { ...n.spec, unschedulable: true, taints: [{ key: 'mine', effect: 'NoSchedule' }] } }))
    await settle(40)
    expect(taints('n1')).toEqual(['mine:NoSchedule', 'unschedulable:NoSchedule'])
    bench.client.edit(core.nodes, 'n1', (n) => ({ ...n, spec: { ...n.spec, unschedulable: undefined } }))
    await settle(40)
    expect(taints('n1')).toEqual(['mine:NoSchedule'])
  })

  it('loses no pods when no node at all answers: then the fault is ours', async () => {
    await join('n1')
    await join('n2')
    await pod('p', 'n1')
    await live(600)
    expect(taints('n1')).toEqual(['unreachable:NoSchedule'])
    expect(bench.pods()).toHaveLength(1)
  })
})

describe('pods on a node that pods should leave', () => {
  const tolerates = (tolerationSeconds?: number) => [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists' as const, effect: 'NoExecute' as const, ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) }]

  it('go at once, after the time they bear it, or never', async () => {
    await join('n1')
    await join('n2')
    await pod('now', 'n1')
    await pod('later', 'n1', tolerates(300))
    await pod('never', 'n1', tolerates())
    await live(60, 'n2')
    expect(bench.pods().map((p) => p.metadata.name).sort()).toEqual(['later', 'never'])
    await live(240, 'n2')
    expect(bench.pods()).toHaveLength(2)
    await live(60, 'n2')
    expect(bench.pods().map((p) => p.metadata.name)).toEqual(['never'])
    expect(bench.events('TaintManagerEviction')).toContain('Normal TaintManagerEviction Marking for deletion Pod default/now')
  })

  it('stay when the node comes back in time', async () => {
    await join('n1')
    await join('n2')
    await pod('later', 'n1', tolerates(300))
    await live(120, 'n2')
    setNodeReady('n1', 'True')
    await live(600, 'n1', 'n2')
    expect(bench.pods()).toHaveLength(1)
  })
})

describe('how long a pod may stay', () => {
  const withTolerations = (...tolerations: core.Toleration[]) => ({ spec: { tolerations } }) as unknown as core.Pod
  const taint = { key: 'k', value: 'v', effect: 'NoExecute' as const }

  it('is the shortest time of the tolerations that bear the taints', () => {
    expect(stay(withTolerations(), [taint])).toBe(0)
    expect(stay(withTolerations({ operator: 'Exists' }), [taint])).toBeUndefined()
    expect(stay(withTolerations({ key: 'k', value: 'v' }), [taint])).toBeUndefined()
    expect(stay(withTolerations({ key: 'k', value: 'other' }), [taint])).toBe(0)
    expect(stay(withTolerations({ key: 'k', operator: 'Exists', tolerationSeconds: 5 }, { operator: 'Exists', tolerationSeconds: 9 }), [taint])).toBe(5000)
    expect(stay(withTolerations({ key: 'k', operator: 'Exists', effect: 'NoSchedule' }), [taint])).toBe(0)
  })

  it('is what the first toleration that bears a taint says', () => {
    expect(stay(withTolerations({ operator: 'Exists', tolerationSeconds: 9 }, { key: 'k', operator: 'Exists', tolerationSeconds: 5 }), [taint])).toBe(9000)
    expect(stay(withTolerations({ key: 'k', operator: 'Exists' }, { operator: 'Exists', tolerationSeconds: 9 }), [taint])).toBeUndefined()
  })
})
