import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryClient } from '../client/testing/memory-client.ts'
import { FakeClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import type { NodeContext } from './context.ts'
import { createImageGc } from './images/gc.ts'
import { rotateLogs } from './logs/rotate.ts'
import { removeAllPods } from './remove.ts'
import { createFakeRuntime, type FakeRuntime } from './testing/fake-runtime.ts'
import { startTestNode } from './testing/node.ts'

let clock: FakeClock
let runtime: FakeRuntime
let context: NodeContext
let directory: string
beforeEach(async () => {
  clock = new FakeClock()
  directory = await mkdtemp(join(tmpdir(), 'skiff-upkeep-'))
  runtime = createFakeRuntime(clock, ['app:1', 'old:1', 'skiff.local/pause:1'])
  context = {
    nodeName: 'node', owner: 'test', client: createMemoryClient(clock), clock, log: quiet, runtime, hostIPs: [], clusterDns: [], clusterDomain: '', node: () => undefined, services: () => [],
    recorder: { event: () => undefined, flush: async () => undefined }, directories: { data: directory, logs: directory, memory: directory },
  }
})
afterEach(() => rm(directory, { recursive: true }))

describe('image collection', () => {
  it('leaves everything alone while there is room', async () => {
    const gc = createImageGc(context, { highPercent: 101, lowPercent: 80, minimumAgeMs: 0 })
    await gc.collect()
    expect(runtime.calls).toEqual([])
  })

  it('removes what is unused and old enough when the disk fills up, never the sandbox image', async () => {
    const node = await startTestNode({ images: ['app:1', 'old:1', 'skiff.local/pause:1'] })
    await node.create('web', {})
    const gc = createImageGc({ ...context, clock: node.clock, runtime: node.runtime }, { highPercent: 0, lowPercent: 0, minimumAgeMs: 60_000 })
    await gc.collect()
    expect(node.runtime.calls.filter((c) => c.startsWith('remove'))).toEqual([])
    await node.pass(61_000)
    await gc.collect()
    expect(node.runtime.calls.filter((c) => c.startsWith('remove'))).toEqual(['remove image sha256:old:1'])
    node.close()
  })
})

describe('log rotation', () => {
  it('puts a log that has grown aside, tells the runtime, and keeps five', async () => {
    const node = await startTestNode()
    await node.create('web', {})
    const { uid } = node.pod('web').metadata
    const logs = join(directory, `default_web_${uid}`, 'main')
    await mkdir(logs, { recursive: true })
    let reopened = 0
    const running = { ...context, runtime: { ...node.runtime, reopenLog: async () => { reopened++ } } }
    for (let i = 0; i < 8; i++) {
      await writeFile(join(logs, '0.log'), 'x'.repeat(100))
      await rotateLogs({ ...running, clock: { ...clock, now: () => clock.now() + i * 1000 } as never }, node.workers.values(), { bytes: 100, files: 5 })
    }
    expect(reopened).toBe(8)
    expect(await readdir(logs)).toHaveLength(4)
    await writeFile(join(logs, '0.log'), 'small')
    await rotateLogs(running, node.workers.values(), { bytes: 100, files: 5 })
    expect(reopened).toBe(8)
    node.close()
  })
})

describe('removeAllPods', () => {
  it('takes the pods of its own cluster and nobody else\'s', async () => {
    const sandbox = { pod: { name: 'p', namespace: 'd', uid: 'u', attempt: 0 } } as never
    await runtime.runSandbox({ ...(sandbox as object), labels: { 'skiff.dev/owner': 'skiff-dev' } } as never)
    await runtime.runSandbox({ ...(sandbox as object), labels: {} } as never)
    await removeAllPods({ runtime, cluster: 'dev', log: quiet })
    expect((await runtime.listSandboxes()).map((s) => s.labels)).toEqual([{}])
  })
})
