import { afterEach, describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { createBench, type Bench } from '../testing/bench.ts'
import { startPodGarbageCollector } from './podgc.ts'

let bench: Bench
afterEach(() => bench.stop())

const pod = (name: string, nodeName?: string, phase: core.PodPhase = 'Running', over = {}) =>
  bench.client.create(core.pods, { metadata: { name, namespace: 'default', ...over }, spec: { containers: [], ...(nodeName ? { nodeName } : {}) }, status: { phase } })
const names = () => bench.pods().map((p) => p.metadata.name).sort()

describe('the pod garbage collector', () => {
  it('removes pods of a node that is gone, but not before it has been gone for a while', async () => {
    bench = createBench()
    await bench.client.create(core.nodes, { metadata: { name: 'n1' } })
    await pod('a', 'n1')
    await pod('b', 'ghost')
    await bench.start(startPodGarbageCollector)
    await bench.clock.advance(30_000)
    expect(names()).toEqual(['a', 'b'])
    await bench.clock.advance(40_000)
    expect(names()).toEqual(['a'])
    const failed = bench.client.calls.find((c) => c.subresource === 'status')?.object as core.Pod
    expect(failed.status).toMatchObject({ phase: 'Failed', conditions: [{ type: 'DisruptionTarget', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' }] })
  })

  it('keeps the newest finished pods up to the threshold', async () => {
    bench = createBench({ terminatedPodThreshold: 2 })
    await bench.client.create(core.nodes, { metadata: { name: 'n1' } })
    for (const name of ['a', 'b', 'c', 'd']) {
      await pod(name, 'n1', name === 'd' ? 'Running' : 'Succeeded')
      await bench.clock.advance(1000)
    }
    await bench.start(startPodGarbageCollector)
    await bench.clock.advance(21_000)
    expect(names()).toEqual(['b', 'c', 'd'])
  })

  it('removes evicted pods before others that finished', async () => {
    bench = createBench({ terminatedPodThreshold: 2 })
    await bench.client.create(core.nodes, { metadata: { name: 'n1' } })
    for (const name of ['a', 'b', 'c']) {
      await pod(name, 'n1', name === 'c' ? 'Failed' : 'Succeeded')
      await bench.clock.advance(1000)
    }
    bench.client.edit(core.pods, 'default/c', (p) => ({ ...p, status: { ...p.status, reason: 'Evicted' } }))
    await bench.start(startPodGarbageCollector)
    await bench.clock.advance(21_000)
    expect(names()).toEqual(['a', 'b'])
  })
})
