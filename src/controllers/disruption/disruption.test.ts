import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apps, core, policy, type In } from '../../api/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { startDeploymentController } from '../deployment/deployment.ts'
import { startReplicaSetController } from '../replicaset/replicaset.ts'
import { createBench, createKubelet, deployment, readyAll, replicaSet, setReady, settle, template, type Bench } from '../testing/bench.ts'
import { startDisruptionController } from './disruption.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startDisruptionController, startReplicaSetController, startDeploymentController)
})
afterEach(() => bench.stop())

const budget = (spec: In<typeof policy.PodDisruptionBudgetSpec>) =>
  bench.client.create(policy.poddisruptionbudgets, { metadata: { name: 'b', namespace: 'default' }, spec: { selector: { matchLabels: { app: 'web' } }, ...spec } })
const status = () => (bench.client.stored(policy.poddisruptionbudgets).get('default/b') as policy.PodDisruptionBudget).status

describe('a disruption budget', () => {
  it('allows as many evictions as leave enough healthy pods', async () => {
    await budget({ minAvailable: 2 })
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 3 }))
    await settle()
    expect(status()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 2, expectedPods: 3, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }] })
    readyAll(bench)
    await settle()
    expect(status()).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3, conditions: [{ status: 'True', reason: 'SufficientPods' }] })
    setReady(bench, bench.pods()[0] as core.Pod, false)
    await settle()
    expect(status().disruptionsAllowed).toBe(0)
  })

  it('takes percentages of what the controllers want', async () => {
    await budget({ maxUnavailable: '30%' })
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 5 }))
    await settle()
    readyAll(bench)
    await settle()
    expect(status()).toMatchObject({ expectedPods: 5, desiredHealthy: 3, disruptionsAllowed: 2 })
  })

  it('counts a deployment once in the middle of a rollout', async () => {
    createKubelet(bench, 100, (pod) => pod.spec.containers[0]?.image !== 'stuck')
    await budget({ maxUnavailable: 1 })
    await bench.client.create(apps.deployments, deployment({ replicas: 4 }))
    await bench.clock.advance(5000)
    bench.client.edit(apps.deployments, 'default/web', (d) => ({ ...d, spec: { ...d.spec, template: template('stuck') as core.PodTemplateSpec } }))
    await bench.clock.advance(5000)
    expect(status()).toMatchObject({ expectedPods: 4, desiredHealthy: 3, currentHealthy: 3, disruptionsAllowed: 0 })
  })

  it('does not count pods whose eviction is under way, for two minutes', async () => {
    await budget({ minAvailable: 1 })
    await bench.client.create(apps.replicasets, replicaSet({ replicas: 3 }))
    await settle()
    readyAll(bench)
    await settle()
    const name = bench.pods()[0]?.metadata.name ?? ''
    bench.client.edit(policy.poddisruptionbudgets, 'default/b', (b) => ({ ...b, status: { ...b.status, disruptedPods: { [name]: rfc3339(bench.clock.now()) } } }))
    await settle()
    expect(status()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 })
    await bench.clock.advance(125_000)
    expect(status()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 2 })
    expect(status().disruptedPods).toBeUndefined()
    expect(bench.events('NotDeleted')).toEqual(["Warning NotDeleted Pod was expected by PDB default/b to be deleted but it wasn't"])
  })

  const pod = (name: string, kind?: string, apiVersion = 'batch/v1') => bench.client.create(core.pods, {
    metadata: { name, namespace: 'default', labels: { app: 'web' }, ...(kind ? { ownerReferences: [{ apiVersion, kind, name: 'j', uid: 'u', controller: true }] } : {}) }, spec: { containers: [] },
  })

  it('allows nothing when it cannot count, and says why as it is now', async () => {
    await pod('p', 'Job')
    await budget({ maxUnavailable: 1 })
    await settle()
    expect(status()).toMatchObject({ disruptionsAllowed: 0, conditions: [{ status: 'False', reason: 'SyncFailed', message: 'jobs.batch does not implement the scale subresource' }] })
    await bench.client.delete(core.pods, 'p', { namespace: 'default' })
    await pod('q', 'ReplicaSet', 'apps/v1')
    await settle()
    expect(status().conditions?.[0]?.message).toBe('found no controllers for pod "q"')
  })

  it('goes by the scale of any other kind', async () => {
    bench.client.raw = async (path) => {
      expect(path).toBe('/apis/apps/v1/namespaces/default/deployments/j/scale')
      return JSON.stringify({ metadata: { name: 'j', uid: 'u' }, spec: { replicas: 4 } })
    }
    await pod('p', 'Deployment', 'apps/v1')
    await budget({ maxUnavailable: 1 })
    await settle()
    expect(status()).toMatchObject({ expectedPods: 4, desiredHealthy: 3 })
  })

  it('does not count pods that nobody controls, and warns of them', async () => {
    bench.client.raw = async () => JSON.stringify({ metadata: { name: 'j', uid: 'u' }, spec: { replicas: 3 } })
    await pod('bare')
    await pod('p', 'Deployment', 'apps/v1')
    await budget({ maxUnavailable: 1 })
    await settle()
    readyAll(bench)
    await settle()
    expect(status()).toMatchObject({ expectedPods: 3, desiredHealthy: 2, currentHealthy: 2, disruptionsAllowed: 0, conditions: [{ reason: 'InsufficientPods' }] })
    expect(bench.events('UnmanagedPods')[0]).toContain('(selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged.')
  })

  it('says of which generation its condition is', async () => {
    await budget({ minAvailable: 1 })
    await settle()
    bench.client.edit(policy.poddisruptionbudgets, 'default/b', (b) => ({ ...b, spec: { ...b.spec, minAvailable: 2 } }))
    await settle()
    expect(status()).toMatchObject({ observedGeneration: 2, conditions: [{ reason: 'InsufficientPods', observedGeneration: 2 }] })
  })
})

describe('a pod whose deletion was announced', () => {
  const announce = async (name: string, reason: string) => {
    await bench.client.create(core.pods, { metadata: { name, namespace: 'default' }, spec: { containers: [] }, status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason, message: 'm', lastProbeTime: null, lastTransitionTime: rfc3339(bench.clock.now()) }] } })
  }
  const condition = (name: string) => bench.client.stored(core.pods).get(`default/${name}`)?.status.conditions?.[0]

  it('and that is still there after two minutes no longer says so, unless its node does', async () => {
    await announce('p', 'EvictionByEvictionAPI')
    await announce('q', 'TerminationByKubelet')
    await bench.clock.advance(119_000)
    expect(condition('p')?.status).toBe('True')
    await bench.clock.advance(2000)
    expect(condition('p')).toEqual({ type: 'DisruptionTarget', status: 'False', lastProbeTime: null, lastTransitionTime: expect.any(String) })
    expect(condition('q')?.status).toBe('True')
  })
})
