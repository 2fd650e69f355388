import { beforeEach, describe, expect, it } from 'vitest'
import { core } from '../api/index.ts'
import { FakeClock } from '../machinery/clock.ts'
import { modified } from '../machinery/errors.ts'
import { quiet, type Logger } from '../machinery/log.ts'
import { createInformers, keyOf } from './informer.ts'
import { runController, watch } from './run-controller.ts'
import type { Reconciler } from './controller.ts'
import { createMemoryClient, type MemoryClient } from './testing/memory-client.ts'
import { settle } from './testing/settle.ts'

let clock: FakeClock
let client: MemoryClient
const create = (name: string) => client.create(core.configmaps, { metadata: { name, namespace: 'default' } })

beforeEach(() => {
  clock = new FakeClock()
  client = createMemoryClient(clock)
})

function run(reconciler: Reconciler, log: Logger = quiet, concurrency = 5) {
  const stop = new AbortController()
  const informers = createInformers(client, { clock, log: quiet })
  const controller = runController({ name: 'test', reconciler, watches: [watch(informers.for(core.configmaps), (o) => [keyOf(o)])], clock, log, concurrency })
  informers.start(stop.signal)
  return { ...controller, stop: () => { stop.abort(); return controller.stop() } }
}

describe('runController', () => {
  it('reconciles what is there and what changes, by key', async () => {
    await create('a')
    const keys: string[] = []
    const controller = run({ reconcile: async (key) => void keys.push(key) })
    await settle()
    await create('b')
    await settle()
    await controller.stop()
    await create('c')
    await settle()
    expect(keys).toEqual(['default/a', 'default/b'])
  })

  it('does not begin before every informer has synced', async () => {
    await create('a')
    let let_go = () => {}
    const list = client.list.bind(client)
    client.list = (async (r: never, o: never) => {
      await new Promise<void>((resolve) => { let_go = resolve })
      return list(r, o)
    }) as typeof client.list
    const keys: string[] = []
    const controller = run({ reconcile: async (key) => void keys.push(key) })
    controller.enqueue('default/x')
    await settle()
    expect(keys).toEqual([])
    let_go()
    await settle()
    expect(keys).toContain('default/x')
    await controller.stop()
  })

  it('tries what failed again with back-off, and says so', async () => {
    await create('a')
    const at: number[] = []
    const warned: string[] = []
    const log: Logger = { ...quiet, warn: (_, message) => void warned.push(message ?? ''), child: () => log }
    const controller = run({
      reconcile: async () => {
        at.push(clock.now())
        if (at.length < 4) throw new Error('no')
      },
    }, log)
    await clock.advance(1000)
    await controller.stop()
    expect(at.map((t) => t - (at[0] as number))).toEqual([0, 5, 15, 35])
    expect(warned).toHaveLength(3)
  })

  it('is quiet about conflicts', async () => {
    await create('a')
    let tries = 0
    const warned: unknown[] = []
    const log: Logger = { ...quiet, warn: (fields) => void warned.push(fields), child: () => log }
    const controller = run({ reconcile: async () => { if (tries++ === 0) throw modified(core.configmaps, 'a') } }, log)
    await clock.advance(1000)
    await controller.stop()
    expect([tries, warned]).toEqual([2, []])
  })

  it('looks again after the time a reconcile asked for', async () => {
    await create('a')
    let count = 0
    const controller = run({ reconcile: async () => (count++ === 0 ? { requeueAfter: 60_000 } : undefined) })
    await clock.advance(59_000)
    expect(count).toBe(1)
    await clock.advance(1000)
    expect(count).toBe(2)
    await controller.stop()
  })

  it('never works on one key twice at once', async () => {
    await create('a')
    let now = 0
    let most = 0
    const controller = run({
      reconcile: async () => {
        most = Math.max(most, ++now)
        await settle(3)
        now--
      },
    })
    await settle(2)
    for (let i = 0; i < 5; i++) client.edit(core.configmaps, 'default/a', (o) => ({ ...o, data: { k: String(i) } }))
    await settle(60)
    await controller.stop()
    expect(most).toBe(1)
  })
})
