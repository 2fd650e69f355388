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
  })

  it('allows nothing when it cannot count, and says why', async () => {
    await bench.client.create(core.pods, { metadata: { name: 'bare', namespace: 'default', labels: { app: 'web' } }, spec: { containers: [] } })
    await budget({ maxUnavailable: 1 })
    await settle()
    expect(status()).toMatchObject({ disruptionsAllowed: 0, conditions: [{ status: 'False', reason: 'SyncFailed', message: 'found no controller ref for pod "bare"' }] })
  })
})
