import { array, assert, asyncProperty, constantFrom, integer, oneof, record, type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apps, core } from '../../api/index.ts'
import { scaledValue } from '../../machinery/intorstring.ts'
import { startReplicaSetController } from '../replicaset/replicaset.ts'
import { createBench, createKubelet, deployment, template, type Bench } from '../testing/bench.ts'
import { startDeploymentController } from './deployment.ts'

const bound = oneof(integer({ min: 0, max: 5 }), integer({ min: 0, max: 100 }).map((n) => `${n}%`))
const story = record({
  replicas: integer({ min: 1, max: 9 }),
  maxSurge: bound,
  maxUnavailable: bound,
  minReadySeconds: integer({ min: 0, max: 2 }),
  /** Milliseconds each pod takes to become ready. */
  readiness: integer({ min: 50, max: 2500 }),
  /** When, in milliseconds after the last, the template changes, and to which image. */
  changes: array(record({ after: integer({ min: 0, max: 6000 }), image: constantFrom('web:1', 'web:2', 'web:3') }), { minLength: 1, maxLength: 5 }),
}).filter(({ maxSurge, maxUnavailable }) => !(Number.parseInt(String(maxSurge), 10) === 0 && Number.parseInt(String(maxUnavailable), 10) === 0))

const isReady = (pod: core.Pod) => pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false

/** The limits as the documentation has them: surge rounds up, unavailable rounds down, and never both nothing. */
function limits({ replicas, maxSurge, maxUnavailable }: { replicas: number; maxSurge: number | string; maxUnavailable: number | string }) {
  const surge = scaledValue(maxSurge, replicas, true)
  const unavailable = scaledValue(maxUnavailable, replicas, false)
  return { most: replicas + surge, fewest: Math.max(0, replicas - (surge === 0 && unavailable === 0 ? 1 : unavailable)) }
}

function check(bench: Bench, { most, fewest }: ReturnType<typeof limits>): void {
  const pods = bench.pods()
  expect(pods.length, 'pods').toBeLessThanOrEqual(most)
  expect(pods.filter(isReady).length, 'ready pods').toBeGreaterThanOrEqual(fewest)
}

async function tell({ replicas, maxSurge, maxUnavailable, minReadySeconds, readiness, changes }: typeof story extends Arbitrary<infer T> ? T : never): Promise<void> {
  const bench = createBench()
  try {
    await bench.start(startDeploymentController, startReplicaSetController)
    createKubelet(bench, readiness)
    await bench.client.create(apps.deployments, deployment({ replicas, minReadySeconds, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } }))
    await bench.clock.advance(readiness + 5000)
    const promise = limits({ replicas, maxSurge, maxUnavailable })
    const live = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 250) {
        await bench.clock.advance(250)
        check(bench, promise)
      }
    }
    for (const { after, image } of changes) {
      await live(after)
      bench.client.edit(apps.deployments, 'default/web', (d) => ({ ...d, spec: { ...d.spec, template: template(image) as core.PodTemplateSpec } }))
    }
    await live((readiness + 3000) * (replicas + 3))
    expect(bench.pods().map((pod) => pod.spec.containers[0]?.image)).toEqual(Array.from({ length: replicas }, () => changes.at(-1)?.image))
    expect(bench.pods().every(isReady)).toBe(true)
  } finally {
    await bench.stop()
  }
}

describe('whatever a rolling update is told, and however often it changes its mind', () => {
  it('there are never more pods than desired and surge, never fewer ready than desired less unavailable, and it ends with the last template', async () => {
    await assert(asyncProperty(story, tell), { numRuns: 25 })
  }, 60_000)
})
