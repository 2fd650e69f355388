/** Resources that come while the cache runs: what is written meanwhile is neither lost nor undone. */
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ApiObject } from '../../client/client.ts'
import { systemClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { createMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { startCache, type Cache, type StoredKind } from './cache.ts'
import { list } from './list.ts'
import type { CacheEvent, ResourceCache } from './resource-cache.ts'
import { selectionOf } from './selection.ts'

const prefix = '/registry/stable.example.com/crontabs/'
const decode = (bytes: Uint8Array): ApiObject => JSON.parse(Buffer.from(bytes).toString()) as ApiObject
const kind: StoredKind = { prefix, decode }

let stopped: AbortController
let store: Store
/** What a range does before it reads, and before it answers. */
let before: () => Promise<void>
let after: () => Promise<void>
let cache: Cache
beforeEach(async () => {
  stopped = new AbortController()
  before = after = async () => undefined
  const memory = createMemoryStore()
  store = {
    ...memory,
    async range(path, options) {
      if (path !== prefix) return memory.range(path, options)
      await before()
      const range = await memory.range(path, options)
      await after()
      return range
    },
  }
  cache = await startCache({ store, clock: systemClock, log: quiet, kinds: [], signal: stopped.signal })
})
afterEach(async () => {
  stopped.abort()
  await store.close()
})

const put = async (name: string, value: string) => {
  const object = { kind: 'CronTab', apiVersion: 'stable.example.com/v1', metadata: { name }, value }
  return (await store.commit({ writes: [{ op: 'put', key: prefix + name, value: Buffer.from(JSON.stringify(object)) }] })).revision
}
const remove = async (name: string) => (await store.commit({ writes: [{ op: 'delete', key: prefix + name }] })).revision
const shown = (of: ResourceCache) => of.slice().map((item) => `${item.object.metadata.name}=${(item.object as unknown as { value: string }).value}@${item.revision}`)

describe('a resource that comes while the cache runs', () => {
  it('has everything that was stored before', async () => {
    const [a, b] = [await put('a', '1'), await put('b', '1')]
    await cache.reached(b)
    expect(shown(await cache.add(kind))).toEqual([`a=1@${a}`, `b=1@${b}`])
  })

  for (const [when, place] of [['before it is read', 'before'], ['between the reading and the filling', 'after']] as const) {
    it(`keeps what is written ${when}`, async () => {
      await cache.reached(await put('gone', 'old'))
      await cache.reached(await put('changed', 'old'))
      const kept = await put('kept', 'old')
      await cache.reached(kept)
      let last = 0
      let made = 0
      const meddle = async () => {
        await remove('gone')
        await put('changed', 'new')
        made = await put('made', 'new')
        await put('brief', 'new')
        await remove('brief')
        last = await put('changed', 'newest')
        // The feed brings them before the range is looked at.
        await cache.reached(last)
      }
      if (place === 'before') before = meddle
      else after = meddle
      expect(shown(await cache.add(kind))).toEqual([`changed=newest@${last}`, `kept=old@${kept}`, `made=new@${made}`])
    })
  }

  it('is complete up to what the range has seen, even when the feed is behind', async () => {
    const revision = await put('late', '1')
    expect(shown(await cache.add(kind))).toEqual([`late=1@${revision}`])
  })

  it('shows what the store has after a storm of writes', async () => {
    const names = Array.from({ length: 1200 }, (_, i) => `n${i}`)
    for (const name of names) await put(name, 'first')
    const over = new AbortController()
    const storm = (async () => {
      for (let i = 0; !over.signal.aborted; i++) {
        const name = names[(i * 733) % names.length]!
        if (i % 3 === 0) await remove(name)
        else await put(name, `round ${i}`)
        if (i % 5 === 0) await setImmediate()
      }
    })()
    const added = await cache.add(kind)
    await setImmediate()
    over.abort()
    await storm
    const { entries, revision } = await store.range(prefix)
    await cache.reached(revision)
    expect(added.slice().map((item) => [item.key, item.revision])).toEqual(entries.map((e) => [e.key, e.modRevision]))
  })

  it('tells watchers of every change after it was filled, and of none before', async () => {
    await cache.reached(await put('a', '1'))
    after = async () => cache.reached(await put('a', '2'))
    const added = await cache.add(kind)
    const events: CacheEvent[] = []
    added.watch({ push: (event) => void events.push(event), flush: () => undefined, reset: () => undefined, close: () => undefined })
    const revision = await remove('a')
    await cache.reached(revision)
    expect(events.map((e) => [e.type, e.revision])).toEqual([['delete', revision]])
  })
})

describe('a resource that is read in another way', () => {
  it('is fed twice until the first is taken away, whose watches end', async () => {
    await cache.reached(await put('a', '1'))
    const first = await cache.add(kind)
    let closed = 0
    first.watch({ push: () => undefined, flush: () => undefined, reset: () => undefined, close: () => closed++ })
    const second = await cache.add({ prefix, decode: (bytes) => ({ ...decode(bytes), value: 'read anew' }) as ApiObject })
    const revision = await put('b', '1')
    await cache.reached(revision)
    expect([first, second].map((c) => c.slice().map((i) => (i.object as unknown as { value: string }).value))).toEqual([['1', '1'], ['read anew', 'read anew']])
    cache.remove(first)
    expect(closed).toBe(1)
    const last = await put('c', '1')
    await cache.reached(last)
    expect([first.size, second.size]).toEqual([2, 3])
  })

  it('says of what it shows to those who still look at it how old it is, and keeps nobody waiting for changes', async () => {
    const first = await cache.add(kind)
    const seen = await put('a', '1')
    await cache.reached(seen)
    cache.remove(first)
    await cache.reached(await put('b', '1'))
    const source = { cache, store, clock: systemClock, objects: first, decode }
    const selection = selectionOf({ resource: { namespaced: false, kind: 'CronTab' }, fields: () => ({}), fieldPaths: () => new Set() }, { namespace: '' })
    const { items, resourceVersion } = await list(source, selection, { limit: 0, continue: '', resourceVersion: '', match: '' })
    expect([items.length, resourceVersion]).toEqual([1, String(seen)])
    let ended = false
    first.watch({ push: () => undefined, flush: () => undefined, reset: () => undefined, close: () => void (ended = true) })
    expect(ended).toBe(true)
  })

  it('leaves nothing behind when its objects cannot be read', async () => {
    after = async () => { throw new Error('the store is away') }
    await expect(cache.add(kind)).rejects.toThrow('the store is away')
    after = async () => undefined
    const revision = await put('a', '1')
    expect(shown(await cache.add(kind))).toEqual([`a=1@${revision}`])
  })
})
