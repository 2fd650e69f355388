import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core, storage, type In } from '../../api/index.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startEphemeralVolumeController } from './ephemeral.ts'
import { startVolumeBinder } from './persistentvolume.ts'
import { startClaimProtection, startVolumeProtection } from './protection.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startVolumeBinder, startClaimProtection, startVolumeProtection, startEphemeralVolumeController)
})
afterEach(() => bench.stop())

const volume = (name: string, size = '1Gi', over: Partial<In<typeof core.PersistentVolumeSpec>> = {}) => bench.client.create(core.persistentvolumes, {
  metadata: { name }, spec: { capacity: { storage: size }, accessModes: ['ReadWriteOnce'], storageClassName: 'manual', persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: `/data/${name}` }, ...over },
})
const claim = (name: string, size = '1Gi', over: Partial<In<typeof core.PersistentVolumeClaimSpec>> = {}) => bench.client.create(core.persistentvolumeclaims, {
  metadata: { name, namespace: 'default' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'manual', resources: { requests: { storage: size } }, ...over },
})
const pv = (name: string) => bench.client.stored(core.persistentvolumes).get(name) as core.PersistentVolume
const pvc = (name: string) => bench.client.stored(core.persistentvolumeclaims).get(`default/${name}`) as core.PersistentVolumeClaim
const pass = () => bench.clock.advance(2000)

describe('a claim', () => {
  it('is bound to the smallest volume that fits, whichever of them comes first', async () => {
    await claim('c', '2Gi')
    await pass()
    expect(pvc('c').status.phase).toBe('Pending')
    for (const [name, size] of [['small', '1Gi'], ['large', '10Gi'], ['right', '3Gi']] as const) await volume(name, size)
    await pass()
    expect(pvc('c')).toMatchObject({ spec: { volumeName: expect.stringMatching(/right|large/) as string }, status: { phase: 'Bound', accessModes: ['ReadWriteOnce'] }, metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' } } })
    await claim('d', '1Gi')
    await pass()
    expect(pvc('d').spec.volumeName).toBe('small')
    expect(pv('small')).toMatchObject({ spec: { claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'd', uid: pvc('d').metadata.uid } }, status: { phase: 'Bound' } })
    expect(pvc('d').status.capacity).toEqual({ storage: '1Gi' })
  })

  it('never shares its volume, however many claim at once', async () => {
    for (let i = 0; i < 5; i++) await volume(`v${i}`)
    await Promise.all(Array.from({ length: 8 }, (_, i) => claim(`c${i}`)))
    await bench.clock.advance(20_000)
    const bound = [...bench.client.stored(core.persistentvolumeclaims).values()].filter((c) => c.status.phase === 'Bound').map((c) => c.spec.volumeName)
    expect(bound).toHaveLength(5)
    expect(new Set(bound).size).toBe(5)
  })

  it('of another class, mode or selector is not bound', async () => {
    await volume('v')
    await claim('class', '1Gi', { storageClassName: 'other' })
    await claim('mode', '1Gi', { accessModes: ['ReadWriteMany'] })
    await claim('block', '1Gi', { volumeMode: 'Block' })
    await claim('picky', '1Gi', { selector: { matchLabels: { disk: 'fast' } } })
    await pass()
    expect(pv('v').status.phase).toBe('Available')
    await bench.client.delete(core.persistentvolumes, 'v')
    expect(['class', 'mode', 'block', 'picky'].map((name) => pvc(name).status.phase)).toEqual(['Pending', 'Pending', 'Pending', 'Pending'])
  })

  it('that names its volume gets that one, or is told why not', async () => {
    await volume('a')
    await volume('b')
    await claim('c', '1Gi', { volumeName: 'b' })
    await claim('d', '5Gi', { volumeName: 'a' })
    await pass()
    expect([pvc('c').status.phase, pvc('d').status.phase, pv('a').status.phase]).toEqual(['Bound', 'Pending', 'Available'])
    expect(bench.events('VolumeMismatch')[0]).toBe('Warning VolumeMismatch Cannot bind to requested volume "a": requested PV is too small')
  })

  it('gets the volume that somebody reserved for it, also one of another class', async () => {
    await volume('free')
    await volume('mine', '1Gi', { storageClassName: '', claimRef: { namespace: 'default', name: 'c' } })
    await claim('c')
    await pass()
    expect(pvc('c').spec.volumeName).toBe('mine')
  })

  it('waits for its first pod when its class says so, and takes what the scheduler reserved for it', async () => {
    await bench.client.create(storage.storageclasses, { metadata: { name: 'manual' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' })
    await volume('v')
    await claim('c')
    await pass()
    expect([pvc('c').status.phase, pv('v').status.phase]).toEqual(['Pending', 'Available'])
    expect(bench.events('WaitForFirstConsumer')).toHaveLength(1)
    const { uid } = pvc('c').metadata
    bench.client.edit(core.persistentvolumes, 'v', (v) => ({ ...v, spec: { ...v.spec, claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'c', uid } } }))
    await pass()
    expect([pvc('c').status.phase, pv('v').status.phase]).toEqual(['Bound', 'Bound'])
  })

  it('names the provisioner of its class, which makes the volume', async () => {
    await bench.client.create(storage.storageclasses, { metadata: { name: 'cloud' }, provisioner: 'example.com/disks' })
    await claim('c', '1Gi', { storageClassName: 'cloud' })
    await pass()
    expect(pvc('c').metadata.annotations?.['volume.kubernetes.io/storage-provisioner']).toBe('example.com/disks')
    await volume('made', '1Gi', { storageClassName: 'cloud', claimRef: { namespace: 'default', name: 'c', uid: pvc('c').metadata.uid } })
    await pass()
    expect(pvc('c')).toMatchObject({ spec: { volumeName: 'made' }, status: { phase: 'Bound' } })
  })

  it('that lost its volume says so', async () => {
    await volume('v')
    await claim('c')
    await pass()
    bench.client.edit(core.persistentvolumes, 'v', (v) => ({ ...v, metadata: { ...v.metadata, finalizers: [] }, status: { phase: 'Released' } }))
    await bench.client.delete(core.persistentvolumes, 'v')
    for (let i = 0; i < 3; i++) await pass()
    if (pv('v')) bench.client.edit(core.persistentvolumes, 'v', (v) => ({ ...v, metadata: { ...v.metadata, finalizers: [] } }))
    await pass()
    expect(pvc('c').status.phase).toBe('Lost')
  })
})

describe('a volume', () => {
  it('is released, not given away, when its claim goes', async () => {
    await volume('v')
    await claim('c')
    await pass()
    await bench.client.delete(core.persistentvolumeclaims, 'c', { namespace: 'default' })
    await pass()
    expect(pv('v').status.phase).toBe('Released')
    await claim('d')
    await pass()
    expect(pvc('d').status.phase).toBe('Pending')
  })

  it('that is to be deleted, which nobody here can do, fails and says so', async () => {
    await volume('v', '1Gi', { persistentVolumeReclaimPolicy: 'Delete' })
    await claim('c')
    await pass()
    await bench.client.delete(core.persistentvolumeclaims, 'c', { namespace: 'default' })
    await pass()
    expect(pv('v').status).toMatchObject({ phase: 'Failed', message: 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched' })
  })
})

describe('protection', () => {
  it('keeps a claim until no pod uses it, and a volume until no claim does', async () => {
    await volume('v')
    await claim('c')
    await bench.client.create(core.pods, { metadata: { name: 'p', namespace: 'default' }, spec: { nodeName: 'n', containers: [], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] } })
    await pass()
    await bench.client.delete(core.persistentvolumeclaims, 'c', { namespace: 'default' })
    await bench.client.delete(core.persistentvolumes, 'v')
    await pass()
    expect([pvc('c').metadata.deletionTimestamp, pv('v').metadata.deletionTimestamp]).toEqual([expect.any(String), expect.any(String)])
    bench.client.edit(core.pods, 'default/p', (p) => ({ ...p, status: { ...p.status, phase: 'Succeeded' } }))
    await pass()
    expect(pvc('c'), 'a pod that has ended holds it too').toBeDefined()
    await bench.client.delete(core.pods, 'p', { namespace: 'default' })
    await pass()
    expect([pvc('c'), pv('v')]).toEqual([undefined, undefined])
  })

  it('asks the server for pods before it lets a claim go', async () => {
    await claim('c')
    await pass()
    const { list } = bench.client
    const late = { metadata: { name: 'p', namespace: 'default' }, spec: { nodeName: 'n', volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] } }
    bench.client.list = (async (...args: Parameters<typeof list>) => (args[0] as unknown === core.pods ? { metadata: {}, items: [late] } : list(...args))) as typeof list
    await bench.client.delete(core.persistentvolumeclaims, 'c', { namespace: 'default' })
    await pass()
    expect(pvc('c')).toBeDefined()
    bench.client.list = list
  })
})

describe('an ephemeral volume', () => {
  const volumeClaimTemplate = { metadata: { labels: { a: 'b' } }, spec: { accessModes: ['ReadWriteOnce' as const], storageClassName: 'manual', resources: { requests: { storage: '1Gi' } } } }
  const pod = (name: string) => bench.client.create(core.pods, { metadata: { name, namespace: 'default' }, spec: { nodeName: 'n', containers: [], volumes: [{ name: 'd', ephemeral: { volumeClaimTemplate } }] } })

  it('gets a claim that belongs to its pod, and holds it as long as the pod runs', async () => {
    const { metadata: { uid } } = await pod('p')
    await pass()
    expect(pvc('p-d')).toMatchObject({ metadata: { labels: { a: 'b' }, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true, blockOwnerDeletion: true }] }, spec: { storageClassName: 'manual' } })
    await bench.client.delete(core.persistentvolumeclaims, 'p-d', { namespace: 'default' })
    await pass()
    expect(pvc('p-d')).toBeDefined()
    bench.client.edit(core.pods, 'default/p', (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['x/y'] } }))
    await bench.client.delete(core.pods, 'p', { namespace: 'default', gracePeriodSeconds: 0 })
    await pass()
    expect(pvc('p-d')).toBeUndefined()
  })

  it('does not take the claim of somebody else, and says so', async () => {
    await claim('p-d')
    await pass()
    await pod('p')
    await pass()
    expect(bench.events('FailedBinding').filter((e) => e.includes('ephemeral'))).toEqual(['Warning FailedBinding ephemeral volume d: PVC default/p-d was not created for pod default/p (pod is not owner)'])
  })
})

describe('at rest', () => {
  it('nothing is written', async () => {
    await volume('v')
    await claim('c')
    await claim('d')
    await pass()
    await settle()
    const before = bench.client.calls.length
    await bench.clock.advance(600_000)
    expect(bench.client.calls.length).toBe(before)
  })
})
