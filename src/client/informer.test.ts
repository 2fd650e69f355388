import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core } from '../api/index.ts'
import { FakeClock } from '../machinery/clock.ts'
import { expired, unavailable } from '../machinery/errors.ts'
import { quiet } from '../machinery/log.ts'
import type { WatchOptions } from './client.ts'
import { createInformers, type Change, type Informers } from './informer.ts'
import { createMemoryClient, type MemoryClient } from './testing/memory-client.ts'
import { settle } from './testing/settle.ts'

let clock: FakeClock
let client: MemoryClient
let informers: Informers
let stop: AbortController

beforeEach(() => {
  clock = new FakeClock()
  client = createMemoryClient(clock)
  informers = createInformers(client, { clock, log: quiet })
  stop = new AbortController()
})
afterEach(() => stop.abort())

const configMap = (name: string, namespace = 'default', labels: Record<string, string> = {}) =>
  client.create(core.configmaps, { metadata: { name, namespace, labels } })

describe('an informer', () => {
  it('knows what was there before it started and what changes after', async () => {
    await configMap('a')
    const informer = informers.for(core.configmaps)
    informers.start(stop.signal)
    await informers.synced()
    expect(informer.get('default/a')?.metadata.name).toBe('a')
    await configMap('b', 'other')
    await client.delete(core.configmaps, 'a', { namespace: 'default' })
    await settle()
    expect(informer.list().map((o) => o.metadata.name)).toEqual(['b'])
    expect(informer.list('default')).toEqual([])
    expect(informer.list('other')).toHaveLength(1)
  })

  it('is the same for the same question, and another for another', () => {
    expect(informers.for(core.pods)).toBe(informers.for(core.pods))
    expect(informers.for(core.pods)).not.toBe(informers.for(core.pods, { fieldSelector: 'spec.nodeName=n1' }))
  })

  it('tells its listeners of additions, updates with what was before, and deletions', async () => {
    const informer = informers.for(core.configmaps)
    const seen: string[] = []
    informer.onChange((c: Change<core.ConfigMap>) => seen.push(`${c.type} ${c.object.metadata.name} ${c.old?.data?.k ?? '-'} ${c.object.data?.k ?? '-'}`))
    informers.start(stop.signal)
    await informers.synced()
    await configMap('a')
    client.edit(core.configmaps, 'default/a', (o) => ({ ...o, data: { k: '1' } }))
    client.edit(core.configmaps, 'default/a', (o) => ({ ...o, data: { k: '2' } }))
    await client.delete(core.configmaps, 'a', { namespace: 'default' })
    await settle()
    expect(seen).toEqual(['added a - -', 'updated a - 1', 'updated a 1 2', 'deleted a - 2'])
  })

  it('tells a listener that comes late of what is already there', async () => {
    await configMap('a')
    const informer = informers.for(core.configmaps)
    informers.start(stop.signal)
    await informer.synced()
    const seen: string[] = []
    informer.onChange((c) => seen.push(c.type))
    expect(seen).toEqual(['added'])
  })

  it('keeps indexes current, also those declared after it started', async () => {
    const informer = informers.for(core.configmaps, { indexes: { team: (o) => [o.metadata.labels?.team ?? 'none'] } })
    informers.start(stop.signal)
    await configMap('a', 'default', { team: 'red' })
    await settle()
    expect(informer.byIndex('team', 'red')).toHaveLength(1)
    client.edit(core.configmaps, 'default/a', (o) => ({ ...o, metadata: { ...o.metadata, labels: { team: 'blue' } } }))
    await settle()
    expect([informer.byIndex('team', 'red').length, informer.byIndex('team', 'blue').length]).toEqual([0, 1])
    informers.for(core.configmaps, { indexes: { name: (o) => [o.metadata.name ?? ''] } })
    expect(informer.byIndex('name', 'a')).toHaveLength(1)
    expect(() => informer.byIndex('nothing', 'a')).toThrow('no index nothing')
  })

  it('sees an object that was deleted and made again while nobody watched as two objects', async () => {
    await configMap('a')
    const watch = client.watch.bind(client)
    let broken = true
    client.watch = ((r: never, o: WatchOptions) => (broken ? replaced() : watch(r, o))) as typeof client.watch
    async function* replaced() {
      broken = false
      await client.delete(core.configmaps, 'a', { namespace: 'default' })
      await configMap('a')
      if (!broken) throw expired('too old')
      yield undefined as never
    }
    const seen: string[] = []
    informers.for(core.configmaps).onChange((c) => seen.push(`${c.type} ${c.object.metadata.uid}`))
    informers.start(stop.signal)
    await clock.advance(1000)
    expect(seen).toEqual(['added uid-1', 'deleted uid-1', 'added uid-2'])
  })
})

describe('when the server fails', () => {
  it('tries the list again with growing pauses', async () => {
    let lists = 0
    client.list = (() => { lists++; return Promise.reject(unavailable('starting')) }) as typeof client.list
    const informer = informers.for(core.configmaps)
    informers.start(stop.signal)
    await clock.advance(1000)
    const early = lists
    await clock.advance(60_000)
    expect(early).toBeGreaterThan(2)
    expect(lists - early).toBeLessThan(10)
    expect(informer.hasSynced).toBe(false)
  })

  it('resumes a broken watch where it ended, without listing again', async () => {
    let lists = 0
    const list = client.list.bind(client)
    client.list = ((r: never, o: never) => { lists++; return list(r, o) }) as typeof client.list
    const watch = client.watch.bind(client)
    const from: (string | undefined)[] = []
    client.watch = (async function* (r: never, o: WatchOptions) {
      from.push(o.resourceVersion)
      for await (const event of watch(r, o)) {
        yield event
        throw new Error('connection reset')
      }
    }) as typeof client.watch
    const informer = informers.for(core.configmaps)
    informers.start(stop.signal)
    await informer.synced()
    const a = await configMap('a')
    await clock.advance(1000)
    await configMap('b')
    await clock.advance(1000)
    expect(informer.list()).toHaveLength(2)
    expect(lists).toBe(1)
    expect(from[1]).toBe(a.metadata.resourceVersion)
  })

  it('lists again when the history is gone, and tells only what differs', async () => {
    await configMap('stays')
    await configMap('goes')
    const watch = client.watch.bind(client)
    let broken = true
    client.watch = ((r: never, o: WatchOptions) => {
      if (!broken) return watch(r, o)
      broken = false
      // While nobody watched, one object went and one came.
      return (async function* () {
        await client.delete(core.configmaps, 'goes', { namespace: 'default' })
        await configMap('comes')
        if (broken !== undefined) throw expired('too old resource version')
        yield undefined as never
      })()
    }) as typeof client.watch
    const seen: string[] = []
    const informer = informers.for(core.configmaps)
    informer.onChange((c) => seen.push(`${c.type} ${c.object.metadata.name}`))
    informers.start(stop.signal)
    await clock.advance(1000)
    expect(seen).toEqual(['added stays', 'added goes', 'deleted goes', 'added comes'])
  })

  it('does not ask without end when it lists but never lets anyone watch', async () => {
    let lists = 0
    const list = client.list.bind(client)
    client.list = ((r: never, o: never) => { lists++; return list(r, o) }) as typeof client.list
    client.watch = (() => { throw expired('too old') }) as typeof client.watch
    informers.for(core.configmaps)
    informers.start(stop.signal)
    await clock.advance(60_000)
    expect(lists).toBeLessThan(15)
  })
})
