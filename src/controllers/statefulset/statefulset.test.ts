import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apps, core, type In } from '../../api/index.ts'
import { createBench, createKubelet, setReady, settle, type Bench } from '../testing/bench.ts'
import { startStatefulSetController } from './statefulset.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startStatefulSetController)
})
afterEach(() => bench.stop())

const template = (image = 'db:1'): In<typeof core.PodTemplateSpec> => ({ metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image }] } })
const create = (spec: Partial<In<typeof apps.StatefulSetSpec>> = {}) => bench.client.create(apps.statefulsets, {
  metadata: { name: 'db', namespace: 'default' },
  spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template: template(), updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }, podManagementPolicy: 'OrderedReady', ...spec },
})
const set = () => bench.client.stored(apps.statefulsets).get('default/db') as apps.StatefulSet
const change = (spec: Partial<apps.StatefulSetSpec>) => bench.client.edit(apps.statefulsets, 'default/db', (s) => ({ ...s, spec: { ...s.spec, ...spec } }))
const names = () => bench.pods().map((p) => p.metadata.name).sort()
const images = () => [...bench.pods()].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)).map((p) => p.spec.containers[0]?.image)
const pod = (name: string) => bench.client.stored(core.pods).get(`default/${name}`) as core.Pod

describe('a stateful set', () => {
  it('makes its pods one after the other, each when the one before is ready', async () => {
    await create()
    await settle()
    expect(names()).toEqual(['db-0'])
    setReady(bench, pod('db-0'))
    await settle()
    expect(names()).toEqual(['db-0', 'db-1'])
    await bench.clock.advance(60_000)
    expect(names()).toEqual(['db-0', 'db-1'])
    setReady(bench, pod('db-1'))
    await settle()
    expect(names()).toEqual(['db-0', 'db-1', 'db-2'])
    expect(pod('db-0')).toMatchObject({ metadata: { labels: { 'statefulset.kubernetes.io/pod-name': 'db-0', 'apps.kubernetes.io/pod-index': '0', 'controller-revision-hash': set().status.updateRevision } }, spec: { hostname: 'db-0', subdomain: 'db' } })
    expect(bench.events('SuccessfulCreate')[0]).toBe('Normal SuccessfulCreate create Pod db-0 in StatefulSet db successful')
  })

  it('makes all at once when it is parallel', async () => {
    await create({ podManagementPolicy: 'Parallel' })
    await settle()
    expect(names()).toEqual(['db-0', 'db-1', 'db-2'])
  })

  it('starts counting where its ordinals say', async () => {
    await create({ podManagementPolicy: 'Parallel', ordinals: { start: 5 }, replicas: 2 })
    await settle()
    expect(names()).toEqual(['db-5', 'db-6'])
  })

  it('gives each pod claims that outlive it', async () => {
    await create({ replicas: 1, volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] })
    await settle()
    const claim = bench.client.stored(core.persistentvolumeclaims).get('default/data-db-0')
    expect(claim?.metadata.labels).toEqual({ app: 'db' })
    expect(claim?.metadata.ownerReferences).toBeUndefined()
    expect(pod('db-0').spec.volumes).toEqual([{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }])
    change({ replicas: 0 })
    await settle()
    expect([names(), bench.client.stored(core.persistentvolumeclaims).size]).toEqual([[], 1])
  })

  describe('with claims', () => {
    const claims: Partial<In<typeof apps.StatefulSetSpec>> = { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] }
    const owners = (ordinal: number) => (bench.client.stored(core.persistentvolumeclaims).get(`default/data-db-${ordinal}`)?.metadata.ownerReferences ?? []).map((o) => `${o.kind} ${o.name}`)
    const policy = (whenDeleted: 'Delete' | 'Retain', whenScaled: 'Delete' | 'Retain') => ({ persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } })

    it('lets them go with it, or stay, as its policy says at last', async () => {
      createKubelet(bench, 100)
      await create({ replicas: 1, ...claims, ...policy('Delete', 'Retain') })
      await bench.clock.advance(5000)
      expect(owners(0)).toEqual(['StatefulSet db'])
      change(policy('Retain', 'Retain'))
      await bench.clock.advance(5000)
      expect(owners(0)).toEqual([])
      change(policy('Delete', 'Delete'))
      await bench.clock.advance(5000)
      expect(owners(0)).toEqual(['StatefulSet db'])
    })

    it('that go when it shrinks belong to the pod alone, and a new pod waits until they are gone', async () => {
      createKubelet(bench, 100)
      await create({ replicas: 2, ...claims, ...policy('Delete', 'Delete') })
      await bench.clock.advance(5000)
      change({ replicas: 1 })
      await bench.clock.advance(5000)
      expect([names(), owners(0), owners(1)]).toEqual([['db-0'], ['StatefulSet db'], ['Pod db-1']])
      change({ replicas: 2 })
      await bench.clock.advance(5000)
      expect(names()).toEqual(['db-0'])
      await bench.client.delete(core.persistentvolumeclaims, 'data-db-1', { namespace: 'default' })
      await bench.clock.advance(5000)
      expect([names(), owners(1)]).toEqual([['db-0', 'db-1'], ['StatefulSet db']])
    })

    it('leaves those alone that belong to a set of its name that is no more', async () => {
      createKubelet(bench, 100)
      await create({ replicas: 1, ...claims })
      await bench.clock.advance(5000)
      bench.client.edit(core.persistentvolumeclaims, 'default/data-db-0', (c) => ({ ...c, metadata: { ...c.metadata, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'old', controller: true }] } }))
      change(policy('Delete', 'Delete'))
      await bench.clock.advance(5000)
      expect(owners(0)).toEqual(['StatefulSet db'])
      expect(bench.client.stored(core.persistentvolumeclaims).get('default/data-db-0')?.metadata.ownerReferences?.[0]?.uid).toBe('old')
    })
  })

  it('shrinks from the top, one at a time', async () => {
    createKubelet(bench, 100)
    await create()
    await bench.clock.advance(5000)
    for (const p of bench.pods()) bench.client.edit(core.pods, `default/${p.metadata.name}`, (x) => ({ ...x, metadata: { ...x.metadata, finalizers: ['test/hold'] } }))
    change({ replicas: 1 })
    await bench.clock.advance(10_000)
    expect(bench.pods().filter((p) => p.metadata.deletionTimestamp).map((p) => p.metadata.name)).toEqual(['db-2'])
    bench.client.edit(core.pods, 'default/db-2', (x) => ({ ...x, metadata: { ...x.metadata, finalizers: [] } }))
    await bench.clock.advance(10_000)
    expect(bench.pods().filter((p) => p.metadata.deletionTimestamp).map((p) => p.metadata.name)).toEqual(['db-1'])
  })

  it('rolls a new template out from the top, waiting for each pod to be ready', async () => {
    createKubelet(bench, 1000)
    await create()
    await bench.clock.advance(10_000)
    const old = set().status.currentRevision
    change({ template: template('db:2') as core.PodTemplateSpec })
    await bench.clock.advance(500)
    expect(images()).toEqual(['db:1', 'db:1', 'db:2'])
    expect(set().status).toMatchObject({ currentRevision: old, currentReplicas: 2, updatedReplicas: 1 })
    await bench.clock.advance(10_000)
    expect(images()).toEqual(['db:2', 'db:2', 'db:2'])
    expect(set().status).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3, currentReplicas: 3, updatedReplicas: 3, currentRevision: set().status.updateRevision })
    expect(set().status.currentRevision).not.toBe(old)
    expect(bench.client.stored(apps.controllerrevisions).size).toBe(2)
  })

  it('leaves pods below the partition at the old template, also when they are made again', async () => {
    createKubelet(bench, 100)
    await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } })
    await bench.clock.advance(10_000)
    change({ template: template('db:2') as core.PodTemplateSpec })
    await bench.clock.advance(10_000)
    expect(images()).toEqual(['db:1', 'db:1', 'db:2'])
    await bench.client.delete(core.pods, 'db-0', { namespace: 'default' })
    await bench.clock.advance(10_000)
    expect(images()).toEqual(['db:1', 'db:1', 'db:2'])
  })

  it('with OnDelete replaces only what someone deletes', async () => {
    createKubelet(bench, 100)
    await create({ updateStrategy: { type: 'OnDelete' } })
    await bench.clock.advance(10_000)
    change({ template: template('db:2') as core.PodTemplateSpec })
    await bench.clock.advance(10_000)
    expect(images()).toEqual(['db:1', 'db:1', 'db:1'])
    await bench.client.delete(core.pods, 'db-1', { namespace: 'default' })
    await bench.clock.advance(10_000)
    expect(images()).toEqual(['db:1', 'db:2', 'db:1'])
  })

  it('gives a pod the label of its name back, and counts one on its way out as available while it is ready', async () => {
    createKubelet(bench, 100)
    await create({ replicas: 1 })
    await bench.clock.advance(10_000)
    bench.client.edit(core.pods, 'default/db-0', (p) => ({ ...p, metadata: { ...p.metadata, labels: { app: 'db' }, finalizers: ['test/hold'] } }))
    await bench.clock.advance(10_000)
    expect(pod('db-0').metadata.labels).toMatchObject({ 'statefulset.kubernetes.io/pod-name': 'db-0', 'apps.kubernetes.io/pod-index': '0' })
    expect(bench.events('SuccessfulUpdate')).toEqual(['Normal SuccessfulUpdate update Pod db-0 in StatefulSet db successful'])
    await bench.client.delete(core.pods, 'db-0', { namespace: 'default' })
    await settle()
    expect(set().status).toMatchObject({ readyReplicas: 1, availableReplicas: 1 })
  })

  it('makes a pod that failed again under its name', async () => {
    createKubelet(bench, 100)
    await create()
    await bench.clock.advance(10_000)
    const uid = pod('db-1').metadata.uid
    bench.client.edit(core.pods, 'default/db-1', (p) => ({ ...p, status: { ...p.status, phase: 'Failed' } }))
    await bench.clock.advance(10_000)
    expect(names()).toEqual(['db-0', 'db-1', 'db-2'])
    expect(pod('db-1').metadata.uid).not.toBe(uid)
  })

  it('goes back to a former template with its revision, and keeps no more than its history', async () => {
    createKubelet(bench, 50)
    await create({ replicas: 1, revisionHistoryLimit: 1 })
    for (const image of ['db:2', 'db:3', 'db:1']) {
      await bench.clock.advance(5000)
      change({ template: template(image) as core.PodTemplateSpec })
    }
    await bench.clock.advance(5000)
    const revisions = [...bench.client.stored(apps.controllerrevisions).values()]
    expect(revisions).toHaveLength(2)
    expect(images()).toEqual(['db:1'])
  })

  it('keeps all revisions when it has no limit', async () => {
    createKubelet(bench, 50)
    await create({ replicas: 1, revisionHistoryLimit: -1 })
    for (const image of ['db:2', 'db:3']) {
      await bench.clock.advance(5000)
      change({ template: template(image) as core.PodTemplateSpec })
    }
    await bench.clock.advance(5000)
    expect(bench.client.stored(apps.controllerrevisions).size).toBe(3)
  })

  it('writes nothing at rest', async () => {
    createKubelet(bench, 50)
    await create()
    await bench.clock.advance(60_000)
    const before = bench.client.calls.length
    await bench.clock.advance(600_000)
    expect(bench.client.calls.length).toBe(before)
  })
})
