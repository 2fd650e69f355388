import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apps, core } from '../../api/index.ts'
import { controllerOf } from '../../machinery/meta.ts'
import { startReplicaSetController } from '../replicaset/replicaset.ts'
import { createBench, createKubelet, deployment, settle, template, type Bench } from '../testing/bench.ts'
import { startDeploymentController } from './deployment.ts'
import { desiredReplicasAnnotation, revisionAnnotation } from './replica-sets.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startDeploymentController, startReplicaSetController)
})
afterEach(() => bench.stop())

const current = () => bench.client.stored(apps.deployments).get('default/web') as apps.Deployment
const sets = () => [...bench.client.stored(apps.replicasets).values()]
const change = (spec: Partial<apps.DeploymentSpec>) => bench.client.edit(apps.deployments, 'default/web', (d) => ({ ...d, spec: { ...d.spec, ...spec } }))
const setImage = (image: string) => change({ template: template(image) as core.PodTemplateSpec })
const imageOf = (rs: apps.ReplicaSet) => rs.spec.template.spec.containers[0]?.image
const setWith = (image: string) => sets().find((rs) => imageOf(rs) === image) as apps.ReplicaSet
const condition = (type: string) => current().status.conditions?.find((c) => c.type === type)
const revision = (object: { metadata: { annotations?: { readonly [k: string]: string } | undefined } }) => object.metadata.annotations?.[revisionAnnotation]
const ready = () => bench.pods().filter((p) => p.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))

/** Rolls out until nothing changes any more, checking the promise of the strategy at every step. */
async function watchRollout(limits: { max: number; min: number }, seconds = 120): Promise<void> {
  for (let i = 0; i < seconds * 10; i++) {
    await bench.clock.advance(100)
    expect(bench.pods().length).toBeLessThanOrEqual(limits.max)
    expect(ready().length).toBeGreaterThanOrEqual(limits.min)
  }
}

describe('a new deployment', () => {
  it('makes one replica set named by the hash of its template, which makes the pods', async () => {
    createKubelet(bench, 1000)
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(5000)
    const [rs] = sets()
    const hash = rs?.metadata.labels?.['pod-template-hash'] ?? ''
    expect(rs).toMatchObject({
      metadata: { name: `web-${hash}`, labels: { app: 'web' }, annotations: { [revisionAnnotation]: '1', [desiredReplicasAnnotation]: '3', 'deployment.kubernetes.io/max-replicas': '4' } },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } }, template: { metadata: { labels: { app: 'web', 'pod-template-hash': hash } } } },
    })
    expect(controllerOf(rs as apps.ReplicaSet)).toMatchObject({ kind: 'Deployment', name: 'web', uid: current().metadata.uid })
    expect(bench.pods()).toHaveLength(3)
    expect(revision(current())).toBe('1')
    expect(bench.events('ScalingReplicaSet')).toEqual([`Normal ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`])
  })

  it('reports its progress and its end as kubectl rollout status reads it', async () => {
    await bench.client.create(apps.deployments, deployment())
    await settle()
    expect(current().status).toMatchObject({ observedGeneration: 1, replicas: 3, updatedReplicas: 3, unavailableReplicas: 3 })
    expect(condition('Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' })
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' })
    createKubelet(bench, 1000)
    await bench.clock.advance(5000)
    expect(current().status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 })
    expect(current().status.unavailableReplicas).toBeUndefined()
    expect(condition('Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' })
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable', message: `ReplicaSet "${sets()[0]?.metadata.name}" has successfully progressed.` })
  })

  it('writes nothing more once everything is there', async () => {
    createKubelet(bench, 100)
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(30_000)
    const before = bench.client.calls.length
    await bench.clock.advance(3_600_000)
    expect(bench.client.calls.length).toBe(before)
  })
})

describe('a rolling update', () => {
  for (const { replicas, maxSurge, maxUnavailable, max, min } of [
    { replicas: 3, maxSurge: '25%', maxUnavailable: '25%', max: 4, min: 3 },
    { replicas: 10, maxSurge: '30%', maxUnavailable: '20%', max: 13, min: 8 },
    { replicas: 4, maxSurge: 0, maxUnavailable: 1, max: 4, min: 3 },
    { replicas: 5, maxSurge: 2, maxUnavailable: 0, max: 7, min: 5 },
    { replicas: 1, maxSurge: '25%', maxUnavailable: '25%', max: 2, min: 1 },
    { replicas: 6, maxSurge: '100%', maxUnavailable: '50%', max: 12, min: 3 },
  ]) {
    it(`of ${replicas} with surge ${maxSurge} and unavailable ${maxUnavailable} never has more than ${max} pods or fewer than ${min} available`, async () => {
      createKubelet(bench, 700)
      await bench.client.create(apps.deployments, deployment({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } }))
      await bench.clock.advance(5000)
      expect(ready()).toHaveLength(replicas)
      setImage('web:2')
      await watchRollout({ max, min }, 30)
      expect(bench.pods()).toHaveLength(replicas)
      expect(bench.pods().every((p) => p.spec.containers[0]?.image === 'web:2')).toBe(true)
      expect(sets().map((rs) => [imageOf(rs), rs.spec.replicas, revision(rs)])).toEqual([['web:1', 0, '1'], ['web:2', replicas, '2']])
      expect(revision(current())).toBe('2')
      expect(condition('Progressing')?.reason).toBe('NewReplicaSetAvailable')
    })
  }

  it('that never gets ready keeps the old pods serving and says when it took too long', async () => {
    createKubelet(bench, 500, (pod) => pod.spec.containers[0]?.image !== 'broken')
    await bench.client.create(apps.deployments, deployment({ replicas: 4, progressDeadlineSeconds: 60 }))
    await bench.clock.advance(5000)
    setImage('broken')
    await bench.clock.advance(50_000)
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' })
    await bench.clock.advance(15_000)
    expect(ready()).toHaveLength(3)
    expect(condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded', message: `ReplicaSet "${setWith('broken').metadata.name}" has timed out progressing.` })
    const before = bench.client.calls.length
    await bench.clock.advance(600_000)
    expect(bench.client.calls.length).toBe(before)
  })

  it('goes back to a former template with its replica set, which gets the next revision', async () => {
    createKubelet(bench, 500)
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(5000)
    setImage('web:2')
    await bench.clock.advance(20_000)
    setImage('web:1')
    await watchRollout({ max: 4, min: 3 }, 20)
    expect(sets()).toHaveLength(2)
    expect(revision(setWith('web:1'))).toBe('3')
    expect(setWith('web:1').metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')
    expect(setWith('web:1').spec.replicas).toBe(3)
    expect(revision(current())).toBe('3')
  })

  it('goes back when the annotation of old clients asks for it, or says why not', async () => {
    createKubelet(bench, 100)
    const ask = (revision: string) => bench.client.edit(apps.deployments, 'default/web', (d) => ({ ...d, metadata: { ...d.metadata, annotations: { ...d.metadata.annotations, 'deprecated.deployment.rollback.to': revision } } }))
    await bench.client.create(apps.deployments, { ...deployment(), metadata: { name: 'web', namespace: 'default', annotations: { note: 'first' } } })
    await bench.clock.advance(5000)
    ask('0')
    await bench.clock.advance(5000)
    expect(bench.events('DeploymentRollbackRevisionNotFound')).toEqual(['Warning DeploymentRollbackRevisionNotFound Unable to find last revision.'])
    bench.client.edit(apps.deployments, 'default/web', (d) => ({ ...d, metadata: { ...d.metadata, annotations: { ...d.metadata.annotations, note: 'second' } }, spec: { ...d.spec, template: template('web:2') as core.PodTemplateSpec } }))
    await bench.clock.advance(20_000)
    ask('9')
    await bench.clock.advance(5000)
    expect(bench.events('DeploymentRollbackRevisionNotFound')).toContain('Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to.')
    ask('2')
    await bench.clock.advance(5000)
    expect(bench.events('DeploymentRollbackTemplateUnchanged')).toEqual(['Warning DeploymentRollbackTemplateUnchanged The rollback revision contains the same template as current deployment "web"'])
    ask('0')
    await bench.clock.advance(20_000)
    expect(bench.events('DeploymentRollback')).toEqual(['Normal DeploymentRollback Rolled back deployment "web" to revision 1'])
    expect(current().spec.template.spec.containers[0]?.image).toBe('web:1')
    expect(current().spec.template.metadata.labels).toEqual({ app: 'web' })
    expect(current().metadata.annotations).toEqual({ note: 'first', [revisionAnnotation]: '3' })
    expect(bench.pods().map((p) => p.spec.containers[0]?.image)).toEqual(['web:1', 'web:1', 'web:1'])
  })

  it('counts revisions beyond what a double can hold', async () => {
    createKubelet(bench, 500)
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(5000)
    const [first] = sets()
    await bench.client.update(apps.replicasets, { ...first!, metadata: { ...first!.metadata, annotations: { ...first!.metadata.annotations, [revisionAnnotation]: '3546343826724305832' } } })
    setImage('web:2')
    await bench.clock.advance(20_000)
    expect(revision(setWith('web:2'))).toBe('3546343826724305833')
    expect(revision(current())).toBe('3546343826724305833')
  })

  it('that is changed again in the middle leaves only the last template', async () => {
    createKubelet(bench, 2000)
    await bench.client.create(apps.deployments, deployment({ replicas: 6 }))
    await bench.clock.advance(5000)
    setImage('web:2')
    await bench.clock.advance(2500)
    setImage('web:3')
    await watchRollout({ max: 8, min: 5 }, 40)
    expect(bench.pods().map((p) => p.spec.containers[0]?.image)).toEqual(Array.from({ length: 6 }, () => 'web:3'))
  })

  it('keeps no more old replica sets than its history limit', async () => {
    createKubelet(bench, 100)
    await bench.client.create(apps.deployments, deployment({ revisionHistoryLimit: 2 }))
    for (const version of [2, 3, 4, 5]) {
      await bench.clock.advance(20_000)
      setImage(`web:${version}`)
    }
    await bench.clock.advance(20_000)
    expect(sets().map(imageOf).sort()).toEqual(['web:3', 'web:4', 'web:5'])
  })

  it('carries the deployment\'s annotations to the replica set, but not those of kubectl', async () => {
    await bench.client.create(apps.deployments, { ...deployment(), metadata: { name: 'web', namespace: 'default', annotations: { 'kubernetes.io/change-cause': 'first', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } } })
    await settle()
    expect(sets()[0]?.metadata.annotations).toMatchObject({ 'kubernetes.io/change-cause': 'first' })
    expect(sets()[0]?.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration')
  })

  it('takes another name when one is taken by someone else\'s replica set', async () => {
    await bench.client.create(apps.deployments, deployment({ replicas: 1 }))
    await settle()
    const name = sets()[0]?.metadata.name ?? ''
    await bench.stop()
    bench = createBench()
    const { namespace } = { namespace: 'default' }
    await bench.client.create(apps.replicasets, { metadata: { name, namespace }, spec: { replicas: 0, selector: { matchLabels: { x: 'y' } }, template: { metadata: { labels: { x: 'y' } }, spec: { containers: [] } } } })
    await bench.start(startDeploymentController, startReplicaSetController)
    await bench.client.create(apps.deployments, deployment({ replicas: 1 }))
    await bench.clock.advance(5000)
    expect(current().status.collisionCount).toBe(1)
    expect(sets()).toHaveLength(2)
    expect(bench.pods()).toHaveLength(1)
  })
})

describe('Recreate', () => {
  it('starts no new pod before the last old one is gone', async () => {
    createKubelet(bench, 500)
    await bench.client.create(apps.deployments, deployment({ strategy: { type: 'Recreate' } }))
    await bench.clock.advance(5000)
    // Old pods take their time: a finalizer stands for the node that has not stopped them yet.
    for (const pod of bench.pods()) bench.client.edit(core.pods, `default/${pod.metadata.name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['test/hold'] } }))
    setImage('web:2')
    await bench.clock.advance(10_000)
    expect(bench.pods().every((p) => p.metadata.deletionTimestamp && p.spec.containers[0]?.image === 'web:1')).toBe(true)
    const [last, ...rest] = bench.pods() as [core.Pod, core.Pod, core.Pod]
    for (const pod of rest) bench.client.edit(core.pods, `default/${pod.metadata.name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: [] } }))
    await bench.clock.advance(5000)
    expect(bench.pods()).toHaveLength(1)
    bench.client.edit(core.pods, `default/${last.metadata.name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: [] } }))
    await bench.clock.advance(5000)
    expect(bench.pods().map((p) => p.spec.containers[0]?.image)).toEqual(['web:2', 'web:2', 'web:2'])
    expect(condition('Progressing')?.reason).toBe('NewReplicaSetAvailable')
  })
})

describe('scaling', () => {
  it('changes the only replica set that has pods, with an event', async () => {
    createKubelet(bench, 100)
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(5000)
    change({ replicas: 5 })
    await bench.clock.advance(5000)
    expect(bench.pods()).toHaveLength(5)
    change({ replicas: 2 })
    await bench.clock.advance(5000)
    expect(bench.pods()).toHaveLength(2)
    const name = sets()[0]?.metadata.name
    expect(bench.events('ScalingReplicaSet').slice(1)).toEqual([`Normal ScalingReplicaSet Scaled up replica set ${name} from 3 to 5`, `Normal ScalingReplicaSet Scaled down replica set ${name} from 5 to 2`])
    expect(current().status).toMatchObject({ replicas: 2, availableReplicas: 2, observedGeneration: 3 })
  })

  it('to nothing and back keeps the replica set', async () => {
    createKubelet(bench, 100)
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(5000)
    change({ replicas: 0 })
    await bench.clock.advance(5000)
    expect([bench.pods().length, sets().length]).toEqual([0, 1])
    change({ replicas: 3 })
    await bench.clock.advance(5000)
    expect([bench.pods().length, sets().length]).toEqual([3, 1])
  })

  it('in the middle of a rollout gives each replica set its share', async () => {
    createKubelet(bench, 100, (pod) => pod.spec.containers[0]?.image !== 'stuck')
    await bench.client.create(apps.deployments, deployment({ replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }))
    await bench.clock.advance(5000)
    setImage('stuck')
    await bench.clock.advance(5000)
    expect([setWith('web:1').spec.replicas, setWith('stuck').spec.replicas]).toEqual([8, 5])
    change({ replicas: 15 })
    await bench.clock.advance(5000)
    expect([setWith('web:1').spec.replicas, setWith('stuck').spec.replicas]).toEqual([11, 7])
  })
})

describe('a paused deployment', () => {
  it('rolls nothing out until it is resumed, but scales', async () => {
    createKubelet(bench, 100)
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(5000)
    change({ paused: true })
    await settle()
    setImage('web:2')
    change({ replicas: 4 })
    await bench.clock.advance(5000)
    expect(sets()).toHaveLength(1)
    expect(bench.pods()).toHaveLength(4)
    expect(condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' })
    change({ paused: false })
    await bench.clock.advance(10_000)
    expect(bench.pods().map((p) => p.spec.containers[0]?.image)).toEqual(['web:2', 'web:2', 'web:2', 'web:2'])
    expect(condition('Progressing')?.reason).toBe('NewReplicaSetAvailable')
  })
})

describe('when pods cannot be made', () => {
  it('says so in its conditions', async () => {
    bench.client.onCall = ({ verb, resource }) => { if (verb === 'create' && resource === 'pods') throw new Error('quota') }
    await bench.client.create(apps.deployments, deployment())
    await bench.clock.advance(2000)
    expect(condition('ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate', message: 'quota' })
    bench.client.onCall = undefined
    createKubelet(bench, 100)
    await bench.clock.advance(60_000)
    expect(condition('ReplicaFailure')).toBeUndefined()
    expect(current().status.availableReplicas).toBe(3)
  })
})
