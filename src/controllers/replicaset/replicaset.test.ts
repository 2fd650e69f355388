import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apps, core, type In } from '../../api/index.ts'
import { ApiError } from '../../machinery/errors.ts'
import { controllerOf } from '../../machinery/meta.ts'
import { createBench, replicaSet, setReady, settle, readyAll, type Bench } from '../testing/bench.ts'
import { startReplicaSetController, startReplicationController } from './replicaset.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startReplicaSetController)
})
afterEach(() => bench.stop())

const set = () => bench.client.stored(apps.replicasets).get('default/web') as apps.ReplicaSet
const scale = (replicas: number) => bench.client.edit(apps.replicasets, 'default/web', (rs) => ({ ...rs, spec: { ...rs.spec, replicas } }))
const pod = (name: string, over: Partial<In<typeof core.Pod>['metadata']> = {}): In<typeof core.Pod> =>
  ({ metadata: { name, namespace: 'default', labels: { app: 'web' }, ...over }, spec: { containers: [{ name: 'web', image: 'web:1' }] } })

describe('a replica set', () => {
  it('makes as many pods as it wants, from its template, and owns them', async () => {
    await bench.client.create(apps.replicasets, replicaSet())
    await settle()
    expect(bench.pods()).toHaveLength(3)
    expect(bench.pods()[0]).toMatchObject({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ image: 'web:1' }] } })
    expect(bench.pods()[0]?.metadata.name).toMatch(/^web-.{5}$/)
    expect(controllerOf(bench.pods()[0] as core.Pod)).toMatchObject({ kind: 'ReplicaSet', name: 'web', uid: set().metadata.uid, blockOwnerDeletion: true })
    expect(bench.events('SuccessfulCreate')).toHaveLength(3)
    expect(bench.events()[0]).toBe(`Normal SuccessfulCreate Created pod: ${bench.pods()[0]?.metadata.name}`)
  })

  it('reports how many there are, ready and available', async () => {
    await bench.client.create(apps.replicasets, replicaSet())
    await settle()
    const [first] = bench.pods()
    setReady(bench, first as core.Pod)
    await settle()
    expect(set().status).toEqual({ replicas: 3, fullyLabeledReplicas: 3, readyReplicas: 1, availableReplicas: 1, terminatingReplicas: 0, observedGeneration: 1 })
  })

  it('counts a ready pod as available only after minReadySeconds', async () => {
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 1, minReadySeconds: 10 }))
    await settle()
    readyAll(bench)
    await bench.clock.advance(9000)
    expect([set().status.readyReplicas, set().status.availableReplicas]).toEqual([1, undefined])
    await bench.clock.advance(1500)
    expect(set().status.availableReplicas).toBe(1)
  })

  it('replaces a pod that was deleted, and one that failed', async () => {
    await bench.client.create(apps.replicasets, replicaSet())
    await settle()
    const [a, b] = bench.pods() as [core.Pod, core.Pod]
    await bench.client.delete(core.pods, a.metadata.name ?? '', { namespace: 'default' })
    bench.client.edit(core.pods, `default/${b.metadata.name}`, (p) => ({ ...p, status: { ...p.status, phase: 'Failed' } }))
    await settle(40)
    expect(bench.pods().filter((p) => p.status.phase !== 'Failed')).toHaveLength(3)
  })

  it('never makes more than it wants, however late the watch tells of the new pods', async () => {
    await bench.stop()
    bench = createBench()
    const watch = bench.client.watch.bind(bench.client)
    bench.client.watch = (async function* (r: { plural: string }, o: never) {
      for await (const event of watch(r as never, o)) {
        if (r.plural === 'pods') await bench.clock.sleep(3000)
        yield event
      }
    }) as typeof bench.client.watch
    await bench.start(startReplicaSetController)
    await bench.client.create(apps.replicasets, replicaSet())
    await settle()
    for (let i = 0; i < 10; i++) {
      bench.client.edit(apps.replicasets, 'default/web', (rs) => ({ ...rs, metadata: { ...rs.metadata, annotations: { touched: String(i) } } }))
      await bench.clock.advance(500)
    }
    await bench.clock.advance(20_000)
    expect(bench.pods()).toHaveLength(3)
    expect(bench.client.calls.filter((c) => c.verb === 'create' && c.resource === 'pods')).toHaveLength(3)
  })

  it('lets pods that are not ready go first when it shrinks', async () => {
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 4 }))
    await settle()
    const kept = bench.pods().slice(0, 2)
    for (const p of kept) setReady(bench, p)
    await settle()
    scale(2)
    await settle()
    expect(bench.pods().map((p) => p.metadata.name).sort()).toEqual(kept.map((p) => p.metadata.name).sort())
    expect(bench.events('SuccessfulDelete')).toHaveLength(2)
  })

  it('spares the pod that is dear to delete', async () => {
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 3 }))
    await settle()
    readyAll(bench)
    await settle()
    const dear = bench.pods()[1] as core.Pod
    bench.client.edit(core.pods, `default/${dear.metadata.name}`, (p) => ({ ...p, metadata: { ...p.metadata, annotations: { 'controller.kubernetes.io/pod-deletion-cost': '100' } } }))
    await settle()
    scale(1)
    await settle()
    expect(bench.pods().map((p) => p.metadata.name)).toEqual([dear.metadata.name])
  })

  it('adopts a pod nobody controls and lets go one whose labels no longer fit', async () => {
    await bench.client.create(core.pods, pod('lonely'))
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 2 }))
    await settle()
    expect(bench.pods()).toHaveLength(2)
    const lonely = () => bench.client.stored(core.pods).get('default/lonely') as core.Pod
    expect(controllerOf(lonely())?.uid).toBe(set().metadata.uid)
    bench.client.edit(core.pods, 'default/lonely', (p) => ({ ...p, metadata: { ...p.metadata, labels: { app: 'debug' } } }))
    await settle(40)
    expect(controllerOf(lonely())).toBeUndefined()
    expect(bench.pods()).toHaveLength(3)
  })

  it('leaves the pods of other controllers alone', async () => {
    await bench.client.create(core.pods, pod('theirs', { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'other', controller: true }] }))
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 1 }))
    await settle()
    expect(bench.pods()).toHaveLength(2)
  })

  it('makes no pods while it is being deleted', async () => {
    await bench.client.create(apps.replicasets, replicaSet())
    await settle()
    await bench.client.delete(apps.replicasets, 'web', { namespace: 'default', propagationPolicy: 'Foreground' })
    await bench.client.delete(core.pods, bench.pods()[0]?.metadata.name ?? '', { namespace: 'default' })
    await settle(40)
    expect(bench.pods()).toHaveLength(2)
  })

  it('asks once, not a thousand times, when every pod is refused, and says why', async () => {
    let asked = 0
    bench.client.onCall = ({ verb, resource }) => {
      if (verb !== 'create' || resource !== 'pods') return
      asked++
      throw new ApiError(403, 'Forbidden', 'pods "web-x" is forbidden: exceeded quota')
    }
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 1000 }))
    await settle()
    expect(asked).toBeLessThan(5)
    expect(set().status.conditions).toMatchObject([{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'pods "web-x" is forbidden: exceeded quota' }])
    expect(bench.events('FailedCreate')[0]).toBe('Warning FailedCreate Error creating: pods "web-x" is forbidden: exceeded quota')
    bench.client.onCall = undefined
    await bench.clock.advance(60_000)
    expect(bench.pods()).toHaveLength(1000)
    expect(set().status.conditions).toBeUndefined()
  })

  it('writes no status when nothing changed', async () => {
    await bench.client.create(apps.replicasets, replicaSet())
    await settle()
    const before = bench.client.calls.length
    bench.client.edit(apps.replicasets, 'default/web', (rs) => ({ ...rs, metadata: { ...rs.metadata, annotations: { a: 'b' } } }))
    await bench.clock.advance(60_000)
    expect(bench.client.calls.length).toBe(before)
  })
})

describe('a replication controller', () => {
  it('keeps its pods the same way', async () => {
    await bench.stop()
    bench = createBench()
    await bench.start(startReplicationController)
    await bench.client.create(core.replicationcontrollers, {
      metadata: { name: 'old', namespace: 'default' },
      spec: { replicas: 2, selector: { app: 'old' }, template: { metadata: { labels: { app: 'old' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
    })
    await settle()
    expect(bench.pods()).toHaveLength(2)
    expect(controllerOf(bench.pods()[0] as core.Pod)?.kind).toBe('ReplicationController')
    expect(bench.client.stored(core.replicationcontrollers).get('default/old')?.status).toEqual({ replicas: 2, fullyLabeledReplicas: 2, observedGeneration: 1 })
  })
})
