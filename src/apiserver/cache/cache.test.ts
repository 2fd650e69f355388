import { afterEach, describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import type { Client, WatchEvent } from '../../client/client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { ApiError } from '../../machinery/errors.ts'
import { createMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '../testing.ts'

let started: TestServer | undefined
const stops = new Set<AbortController>()
afterEach(async () => {
  for (const stop of stops) stop.abort()
  stops.clear()
  await started?.server.close()
})

async function start(options: TestServerOptions = {}): Promise<{ client: Client; store: Store }> {
  started = await startTestServer(options)
  return started
}

const map = (name: string, labels: Record<string, string> = {}, namespace = 'default') => ({ metadata: { name, namespace, labels }, data: { a: '1' } })
const names = (list: { items: readonly { metadata: { name?: string } }[] }) => list.items.map((i) => i.metadata.name)

/** Reads a watch event by event. */
function follow(client: Client, options: Parameters<Client['watch']>[1] = {}) {
  const stop = new AbortController()
  stops.add(stop)
  const iterator = client.watch(core.configmaps, { signal: stop.signal, ...options })[Symbol.asyncIterator]()
  return {
    async next(): Promise<string> {
      const { value, done } = await iterator.next()
      if (done) return 'done'
      const event = value as WatchEvent<core.ConfigMap>
      return `${event.type} ${event.object.metadata.name ?? event.object.metadata.resourceVersion}`
    },
    raw: () => iterator.next(),
    stop: () => stop.abort(),
  }
}
const failure = async (promise: Promise<unknown>): Promise<ApiError> => (await promise.then(() => undefined, (e: unknown) => e)) as ApiError

describe('lists', () => {
  it('come in the order of namespace and name', async () => {
    const { client } = await start()
    for (const [namespace, name] of [['b', 'a'], ['a', 'c'], ['a', 'b'], ['a-b', 'z']] as const) await client.create(core.configmaps, map(name, {}, namespace))
    expect((await client.list(core.configmaps)).items.map((i) => `${i.metadata.namespace}/${i.metadata.name}`)).toEqual(['a-b/z', 'a/b', 'a/c', 'b/a'])
    expect(names(await client.list(core.configmaps, { namespace: 'a' }))).toEqual(['b', 'c'])
  })

  it('show every write that was answered', async () => {
    const { client } = await start()
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      await client.create(core.configmaps, map(`m${i}`))
      expect(names(await client.list(core.configmaps))).toContain(`m${i}`)
    }))
  })

  it('select by labels and fields', async () => {
    const { client } = await start()
    await client.create(core.configmaps, map('a', { tier: 'web' }))
    await client.create(core.configmaps, map('b', { tier: 'db' }))
    await client.create(core.configmaps, map('a', {}, 'other'))
    expect(names(await client.list(core.configmaps, { labelSelector: 'tier in (db, cache)' }))).toEqual(['b'])
    expect((await client.list(core.configmaps, { fieldSelector: 'metadata.name=a' })).items).toHaveLength(2)
    expect((await client.list(core.configmaps, { fieldSelector: 'metadata.name=a,metadata.namespace=other' })).items).toHaveLength(1)
    expect((await client.list(core.configmaps, { fieldSelector: 'metadata.name!=a' })).items).toHaveLength(1)
  })

  it('come in pages that show one moment, whatever changes between them', async () => {
    const { client } = await start()
    for (const name of ['a', 'b', 'c', 'd', 'e']) await client.create(core.configmaps, map(name))
    const first = await client.list(core.configmaps, { limit: 2 })
    expect([names(first), first.metadata.remainingItemCount]).toEqual([['a', 'b'], 3])
    await client.delete(core.configmaps, 'c', { namespace: 'default' })
    await client.create(core.configmaps, map('bb'))
    await client.patch(core.configmaps, 'd', { type: 'merge', body: { data: { a: '2' } } }, { namespace: 'default' })
    const second = await client.list(core.configmaps, { limit: 2, continue: first.metadata.continue! })
    expect(names(second)).toEqual(['c', 'd'])
    expect(second.items[1]!.data).toEqual({ a: '1' })
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    const third = await client.list(core.configmaps, { limit: 2, continue: second.metadata.continue! })
    expect([names(third), third.metadata.continue]).toEqual([['e'], undefined])
  })

  it('come in pages of what a selector takes', async () => {
    const { client } = await start()
    for (let i = 0; i < 9; i++) await client.create(core.configmaps, map(`m${i}`, { odd: String(i % 2) }))
    const seen: (string | undefined)[] = []
    let next: string | undefined
    do {
      const page = await client.list(core.configmaps, { limit: 2, labelSelector: 'odd=1', ...(next ? { continue: next } : {}) })
      seen.push(...names(page))
      next = page.metadata.continue
      await client.create(core.configmaps, map(`x${seen.length}`, { odd: '1' }))
    } while (next)
    expect(seen).toEqual(['m1', 'm3', 'm5', 'm7'])
  })

  it('answer 410 when the history that a page needs is gone', async () => {
    const { client, store } = await start()
    for (const name of ['a', 'b', 'c']) await client.create(core.configmaps, map(name))
    const first = await client.list(core.configmaps, { limit: 1 })
    await client.create(core.configmaps, map('d'))
    await store.compact(await store.revision())
    expect(await failure(client.list(core.configmaps, { limit: 1, continue: first.metadata.continue! }))).toMatchObject({ code: 410, reason: 'Expired' })
    expect((await failure(client.list(core.configmaps, { continue: 'nonsense' }))).code).toBe(400)
  })

  it('answer 410 to what is too old though nothing changed since, with a token that goes on', async () => {
    const { client, store } = await start()
    for (const name of ['a', 'b', 'c']) await client.create(core.configmaps, map(name))
    const { metadata } = await client.list(core.configmaps, { limit: 1 })
    await client.create(core.secrets, { metadata: { name: 's', namespace: 'default' } })
    await store.compact(await store.revision())
    const error = await failure(client.list(core.configmaps, { limit: 1, continue: metadata.continue! }))
    expect(error).toMatchObject({ code: 410, reason: 'Expired' })
    const next = (error.status as unknown as { metadata: { continue: string } }).metadata.continue
    const rest = await client.list(core.configmaps, { limit: 1, continue: next })
    expect([names(rest), rest.metadata.resourceVersion]).toEqual([['b'], String(await store.revision())])
    expect(await failure(client.list(core.configmaps, { resourceVersion: metadata.resourceVersion!, resourceVersionMatch: 'Exact' }))).toMatchObject({ code: 410, reason: 'Expired' })
  })

  it('show the past exactly when asked to, and what is newer when that will do', async () => {
    const { client } = await start()
    const made = await client.create(core.configmaps, map('a'))
    await client.create(core.configmaps, map('b'))
    const resourceVersion = made.metadata.resourceVersion!
    expect(names(await client.list(core.configmaps, { resourceVersion, resourceVersionMatch: 'Exact' }))).toEqual(['a'])
    expect(names(await client.list(core.configmaps, { resourceVersion, resourceVersionMatch: 'NotOlderThan' }))).toEqual(['a', 'b'])
    expect(names(await client.list(core.configmaps, { resourceVersion: '0' }))).toEqual(['a', 'b'])
    expect((await failure(client.list(core.configmaps, { resourceVersionMatch: 'Exact' }))).code).toBe(422)
    expect((await failure(client.list(core.configmaps, { resourceVersionMatch: 'Exact', resourceVersion: '0' }))).code).toBe(422)
  })

  it('answer 504 for a revision that does not come', async () => {
    const clock = new FakeClock()
    const { client } = await start({ clock })
    const late = failure(client.list(core.configmaps, { resourceVersion: '1000' }))
    await clock.advance(4000)
    expect(await late).toMatchObject({ code: 504, status: { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } } })
  })
})

describe('watches', () => {
  it('go on from a list without a gap', async () => {
    const { client } = await start()
    await client.create(core.configmaps, map('a'))
    const { metadata } = await client.list(core.configmaps)
    await client.create(core.configmaps, map('b'))
    const watch = follow(client, { resourceVersion: metadata.resourceVersion! })
    expect(await watch.next()).toBe('ADDED b')
    await client.delete(core.configmaps, 'a', { namespace: 'default' })
    expect(await watch.next()).toBe('DELETED a')
  })

  it('tell objects that enter and leave the selection', async () => {
    const { client } = await start()
    await client.create(core.configmaps, map('a', { on: 'no' }))
    const watch = follow(client, { labelSelector: 'on=yes', resourceVersion: (await client.list(core.configmaps)).metadata.resourceVersion! })
    const set = (on: string) => client.patch(core.configmaps, 'a', { type: 'merge', body: { metadata: { labels: { on } }, data: { on } } }, { namespace: 'default' })
    await set('yes')
    expect(await watch.next()).toBe('ADDED a')
    await client.patch(core.configmaps, 'a', { type: 'merge', body: { data: { x: 'y' } } }, { namespace: 'default' })
    expect(await watch.next()).toBe('MODIFIED a')
    const left = await set('no')
    const { value } = await watch.raw() as { value: WatchEvent<core.ConfigMap> }
    expect([value.type, value.object.metadata.labels, value.object.metadata.resourceVersion]).toEqual(['DELETED', { on: 'yes' }, left.metadata.resourceVersion])
  })

  it('see their own namespace only', async () => {
    const { client } = await start()
    const watch = follow(client, { namespace: 'n' })
    const first = watch.next()
    await client.create(core.configmaps, map('a', {}, 'm'))
    await client.create(core.configmaps, map('b', {}, 'n'))
    expect(await first).toBe('ADDED b')
  })

  it('give a deleted object the revision of its deletion', async () => {
    const { client } = await start()
    const made = await client.create(core.configmaps, map('a'))
    const watch = follow(client, { resourceVersion: made.metadata.resourceVersion! })
    await client.delete(core.configmaps, 'a', { namespace: 'default' })
    const { value } = await watch.raw() as { value: WatchEvent<core.ConfigMap> }
    expect(Number(value.object.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion))
    expect(value.object.metadata.uid).toBe(made.metadata.uid)
  })

  it('mark the end of the initial events', async () => {
    const { client } = await start()
    await client.create(core.configmaps, map('a'))
    const watch = follow(client, { sendInitialEvents: true, allowBookmarks: true })
    expect(await watch.next()).toBe('ADDED a')
    const { value } = await watch.raw() as { value: WatchEvent<core.ConfigMap> }
    expect([value.type, value.object.metadata.annotations]).toEqual(['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }])
  })

  it('move an idle watcher on with bookmarks', async () => {
    const clock = new FakeClock()
    const { client } = await start({ clock })
    const watch = follow(client, { allowBookmarks: true, resourceVersion: (await client.list(core.configmaps)).metadata.resourceVersion! })
    const first = watch.next()
    await client.create(core.namespaces, { metadata: { name: 'n' } })
    const { resourceVersion } = (await client.list(core.configmaps)).metadata
    await clock.advance(61_000)
    expect(await first).toBe(`BOOKMARK ${resourceVersion}`)
  })

  it('resume after a restart, from the history of the store', async () => {
    const store = createMemoryStore()
    const first = await startTestServer({ store })
    await first.client.create(core.configmaps, map('a', { on: 'yes' }))
    await first.client.create(core.configmaps, map('z', { on: 'yes' }))
    const { resourceVersion } = (await first.client.list(core.configmaps)).metadata
    await first.client.create(core.configmaps, map('b'))
    await first.client.patch(core.configmaps, 'a', { type: 'merge', body: { metadata: { labels: { on: 'no' } } } }, { namespace: 'default' })
    await first.client.delete(core.configmaps, 'z', { namespace: 'default' })
    await first.server.close()
    const { client } = await start({ store })
    const all = follow(client, { resourceVersion: resourceVersion! })
    expect([await all.next(), await all.next(), await all.next()]).toEqual(['ADDED b', 'MODIFIED a', 'DELETED z'])
    const some = follow(client, { resourceVersion: resourceVersion!, labelSelector: 'on=yes' })
    expect([await some.next(), await some.next()]).toEqual(['DELETED a', 'DELETED z'])
    const next = all.next()
    await client.create(core.configmaps, map('c'))
    expect(await next).toBe('ADDED c')
  })

  it('answer 410 to a revision whose history is compacted', async () => {
    const store = createMemoryStore()
    const first = await startTestServer({ store })
    const { resourceVersion } = (await first.client.list(core.configmaps)).metadata
    for (const name of ['a', 'b', 'c']) await first.client.create(core.configmaps, map(name))
    await first.server.close()
    await store.compact(await store.revision())
    const { client } = await start({ store })
    expect(await failure(follow(client, { resourceVersion: resourceVersion! }).raw())).toMatchObject({ code: 410, reason: 'Expired' })
  })

  it('resume from old changes that only the store remembers', async () => {
    const clock = new FakeClock()
    const { client } = await start({ clock })
    const made = await client.create(core.configmaps, map('a'))
    const write = (i: number) => client.patch(core.configmaps, 'a', { type: 'merge', body: { data: { i: String(i) } } }, { namespace: 'default' })
    for (let i = 0; i < 150; i++) await write(i)
    await clock.advance(200_000)
    await write(1000)
    const watch = follow(client, { resourceVersion: made.metadata.resourceVersion! })
    for (let i = 0; i < 151; i++) expect(await watch.next()).toBe('MODIFIED a')
  })

  it('end when their signal aborts', async () => {
    const { client } = await start()
    const watch = follow(client)
    const next = watch.next()
    watch.stop()
    expect(await next).toBe('done')
  })

  it('see the objects of many writers once each and in the order of their revisions', async () => {
    const { client } = await start()
    const watch = follow(client, { resourceVersion: (await client.list(core.configmaps)).metadata.resourceVersion! })
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.create(core.configmaps, map(`m${i}`))))
    const revisions: number[] = []
    for (let i = 0; i < 100; i++) revisions.push(Number((await watch.raw() as { value: WatchEvent<core.ConfigMap> }).value.object.metadata.resourceVersion))
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
    expect(new Set(revisions).size).toBe(100)
  })

  it('let a watcher keep the same picture as a list, whatever many writers do', async () => {
    const { client } = await start()
    const { metadata } = await client.list(core.configmaps)
    const pictures = [{}, { labelSelector: 'on=yes' }, { namespace: 'n1' }, { namespace: 'n0', labelSelector: 'on=yes' }]
    const watches = pictures.map((options) => ({ options, watch: follow(client, { ...options, resourceVersion: metadata.resourceVersion! }), seen: new Map<string, string>() }))
    const random = mulberry(7)
    const write = async () => {
      for (let i = 0; i < 60; i++) {
        const [namespace, name] = [`n${Math.floor(random() * 2)}`, `m${Math.floor(random() * 8)}`]
        const labels = { on: random() < 0.5 ? 'yes' : 'no', n: String(i) }
        const act = random()
        const change = act < 0.4 ? client.create(core.configmaps, { metadata: { name, namespace, labels } })
          : act < 0.8 ? client.patch(core.configmaps, name, { type: 'merge', body: { metadata: { labels } } }, { namespace }) : client.delete(core.configmaps, name, { namespace })
        await change.catch((error: unknown) => expect((error as ApiError).code).toBeLessThan(500))
      }
    }
    await Promise.all(Array.from({ length: 8 }, write))
    const last = await client.create(core.configmaps, { metadata: { name: 'last', namespace: 'n0', labels: { on: 'yes' } } })
    const final = await client.create(core.configmaps, { metadata: { name: 'last', namespace: 'n1', labels: { on: 'yes' } } })
    for (const { options, watch, seen } of watches) {
      const end = options.namespace === 'n0' ? last : final
      for (;;) {
        const { value } = await watch.raw() as { value: WatchEvent<core.ConfigMap> }
        const { namespace, name, resourceVersion } = value.object.metadata
        const key = `${namespace}/${name}`
        expect(seen.has(key), `${value.type} ${key}`).toBe(value.type !== 'ADDED')
        if (value.type === 'DELETED') seen.delete(key)
        else seen.set(key, resourceVersion!)
        if (resourceVersion === end.metadata.resourceVersion) break
      }
      const listed = (await client.list(core.configmaps, options)).items.map((o) => [`${o.metadata.namespace}/${o.metadata.name}`, o.metadata.resourceVersion])
      expect([...seen].toSorted()).toEqual(listed.toSorted())
    }
  })
})

/** Numbers that are random and the same each time. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
