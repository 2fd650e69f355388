/** What every store is held to. Each implementation's test file runs this suite against itself. */
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../machinery/clock.ts'
import { CompactedError, FutureRevisionError } from './store.ts'
import type { Change, ChangeBatch, Store } from './store.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value))
const put = (key: string, value: string, lease?: number) => ({ op: 'put', key, value: bytes(value), ...(lease ? { lease } : {}) }) as const
const remove = (key: string) => ({ op: 'delete', key }) as const
const shown = (changes: readonly Change[]) => changes.map((c) => `${c.type} ${c.key}=${text(c.entry.value)}@${c.entry.modRevision}`)

/** Reads a watch until `wanted` changes arrived. */
async function take(watch: AsyncIterable<ChangeBatch>, wanted: number): Promise<Change[]> {
  const changes: Change[] = []
  for await (const batch of watch) {
    changes.push(...batch.changes)
    if (changes.length >= wanted) break
  }
  return changes
}

/** `open` gives a fresh, empty store, living by the clock it is handed. */
export function storeContract(name: string, open: (clock: FakeClock) => Promise<Store>): void {
  const withStore = (work: (store: Store, clock: FakeClock) => Promise<void>) => async () => {
    const clock = new FakeClock()
    const store = await open(clock)
    try {
      await work(store, clock)
    } finally {
      await store.close()
    }
  }
  describe(`${name}: keys and transactions`, () => transactions(withStore))
  describe(`${name}: ranges and history`, () => ranges(withStore))
  describe(`${name}: watches`, () => watches(withStore))
  describe(`${name}: compaction`, () => compaction(withStore))
  describe(`${name}: leases`, () => leases(withStore))
}

type WithStore = (work: (store: Store, clock: FakeClock) => Promise<void>) => () => Promise<void>

function transactions(withStore: WithStore): void {
  it('starts at revision 1 and counts each transaction once', withStore(async (store) => {
    expect(await store.revision()).toBe(1)
    expect(await store.commit({ writes: [put('a', '1'), put('b', '1')] })).toEqual({ committed: true, revision: 2 })
    expect(await store.commit({ writes: [put('a', '2')] })).toEqual({ committed: true, revision: 3 })
    expect(await store.revision()).toBe(3)
    expect(await store.get('a')).toMatchObject({ key: 'a', createRevision: 2, modRevision: 3 })
    expect(text((await store.get('b'))?.value)).toBe('1')
    expect(await store.get('c')).toBeUndefined()
  }))

  it('refuses the whole transaction when one condition fails, and says what is there', withStore(async (store) => {
    await store.commit({ writes: [put('a', '1')] })
    const refused = await store.commit({ conditions: [{ key: 'a', modRevision: 2 }, { key: 'b', modRevision: 7 }], writes: [put('a', '2'), put('c', '1')] })
    expect(refused).toMatchObject({ committed: false, revision: 2, current: [{ key: 'a', modRevision: 2 }, undefined] })
    expect(text((await store.get('a'))?.value)).toBe('1')
    expect(await store.get('c')).toBeUndefined()
    expect(await store.revision()).toBe(2)
  }))

  it('creates only once when many try at the same time', withStore(async (store) => {
    const tries = await Promise.all(Array.from({ length: 20 }, (_, i) =>
      store.commit({ conditions: [{ key: 'a', modRevision: 0 }], writes: [put('a', String(i))] })))
    expect(tries.filter((t) => t.committed)).toHaveLength(1)
    expect(text((await store.get('a'))?.value)).toBe('0')
    expect(await store.revision()).toBe(2)
  }))

  it('sees the writes of earlier commits in the conditions of later ones, also before those are answered', withStore(async (store) => {
    const [first, second, third] = await Promise.all([
      store.commit({ conditions: [{ key: 'a', modRevision: 0 }], writes: [put('a', '1')] }),
      store.commit({ conditions: [{ key: 'a', modRevision: 2 }], writes: [remove('a')] }),
      store.commit({ conditions: [{ key: 'a', modRevision: 0 }], writes: [put('a', '3')] }),
    ])
    expect([first, second, third]).toEqual([2, 3, 4].map((revision) => ({ committed: true, revision })))
    expect(await store.get('a')).toMatchObject({ createRevision: 4, modRevision: 4 })
  }))

  it('deletes, and starts a key anew when it comes back', withStore(async (store) => {
    await store.commit({ writes: [put('a', '1')] })
    await store.commit({ writes: [remove('a')] })
    expect(await store.get('a')).toBeUndefined()
    await store.commit({ writes: [put('a', '2')] })
    expect(await store.get('a')).toMatchObject({ createRevision: 4, modRevision: 4 })
  }))

  it('leaves the revision alone when there was nothing to do', withStore(async (store) => {
    expect(await store.commit({ writes: [remove('a')] })).toEqual({ committed: true, revision: 1 })
    expect(await store.commit({ writes: [] })).toEqual({ committed: true, revision: 1 })
  }))

  it('refuses transactions that mean nothing', withStore(async (store) => {
    await expect(store.commit({ writes: [put('a', '1'), remove('a')] })).rejects.toThrow('only once')
    await expect(store.commit({ writes: [put('', '1')] })).rejects.toThrow('empty')
    expect(await store.revision()).toBe(1)
  }))

  it('keeps values of any size and content', withStore(async (store) => {
    const large = new Uint8Array(1_500_000).map((_, i) => (i * 7) % 256)
    await store.commit({ writes: [{ op: 'put', key: 'large', value: large }, { op: 'put', key: 'empty', value: new Uint8Array(0) }] })
    expect(Buffer.compare((await store.get('large'))!.value, large)).toBe(0)
    expect((await store.get('empty'))!.value).toHaveLength(0)
  }))

  it('refuses work once it is closed', withStore(async (store) => {
    await store.close()
    await expect(store.commit({ writes: [put('a', '1')] })).rejects.toThrow('closed')
    await expect(store.get('a')).rejects.toThrow('closed')
  }))
}

function ranges(withStore: WithStore): void {
  const keysOf = async (store: Store, prefix: string, options = {}) => (await store.range(prefix, options)).entries.map((e) => e.key)

  it('lists keys with the prefix in the order of their bytes', withStore(async (store) => {
    const keys = ['/a/z', '/a/b', '/a/ü', '/a/\u{1f600}', '/a/\uffee', '/b/a', '/a', '/a0']
    await store.commit({ writes: keys.map((key) => put(key, key)) })
    expect(await keysOf(store, '/a/')).toEqual(['/a/b', '/a/z', '/a/ü', '/a/\uffee', '/a/\u{1f600}'])
    expect(await keysOf(store, '/a')).toEqual(['/a', '/a/b', '/a/z', '/a/ü', '/a/\uffee', '/a/\u{1f600}', '/a0'])
    expect(await keysOf(store, '')).toHaveLength(8)
    expect(await keysOf(store, '/c')).toEqual([])
  }))

  it('pages with limit and after, and counts all the same', withStore(async (store) => {
    await store.commit({ writes: Array.from({ length: 25 }, (_, i) => put(`/p/${String(i).padStart(2, '0')}`, 'x')) })
    await store.commit({ writes: [put('/q', 'x')] })
    const first = await store.range('/p/', { limit: 10 })
    expect(first).toMatchObject({ revision: 3, more: true, count: 25 })
    expect(first.entries.map((e) => e.key).at(-1)).toBe('/p/09')
    const last = await store.range('/p/', { limit: 10, after: '/p/19' })
    expect(last.entries.map((e) => e.key)).toEqual(['/p/20', '/p/21', '/p/22', '/p/23', '/p/24'])
    expect(last).toMatchObject({ more: false, count: 25 })
    expect(await store.range('/p/', { limit: 5, after: '/p/19' })).toMatchObject({ more: false })
    expect(await store.range('/p/', { limit: 5, after: '/p/09', uncounted: true })).toMatchObject({ revision: 3, more: true, count: 5 })
    expect(await store.range('/p/', { limit: 5, after: '/p/19', uncounted: true })).toMatchObject({ more: false, count: 5 })
    expect((await store.range('/p/', { keysOnly: true })).entries[0]).toMatchObject({ key: '/p/00', modRevision: 2, value: new Uint8Array(0) })
  }))

  it('reads keys and ranges as they were at an older revision', withStore(async (store) => {
    await store.commit({ writes: [put('/k/a', 'a1'), put('/k/b', 'b1')] })
    await store.commit({ writes: [put('/k/a', 'a2'), remove('/k/b'), put('/k/c', 'c1')] })
    await store.commit({ writes: [put('/k/b', 'b3'), remove('/k/c')] })
    const at = async (revision: number) => (await store.range('/k/', { revision })).entries.map((e) => `${text(e.value)}@${e.createRevision}-${e.modRevision}`)
    expect(await at(1)).toEqual([])
    expect(await at(2)).toEqual(['a1@2-2', 'b1@2-2'])
    expect(await at(3)).toEqual(['a2@2-3', 'c1@3-3'])
    expect(await at(4)).toEqual(['a2@2-3', 'b3@4-4'])
    expect(text((await store.get('/k/b', { revision: 2 }))?.value)).toBe('b1')
    expect(await store.get('/k/b', { revision: 3 })).toBeUndefined()
    expect(text((await store.get('/k/c', { revision: 3 }))?.value)).toBe('c1')
    expect(await store.range('/k/', { revision: 3, limit: 1 })).toMatchObject({ revision: 3, more: true, count: 2 })
    expect((await store.range('/k/', { revision: 3, limit: 1, after: '/k/a' })).entries.map((e) => e.key)).toEqual(['/k/c'])
  }))

  it('reads old revisions in step with a model, whatever happened', withStore(async (store) => {
    const model: Map<string, string>[] = [new Map(), new Map()]
    let seed = 7
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n
    for (let i = 0; i < 200; i++) {
      const keys = [...new Set(Array.from({ length: 1 + random(3) }, () => `/m/${random(12)}`))]
      const state = new Map(model.at(-1))
      const writes = keys.map((key) => (random(3) === 0 ? remove(key) : put(key, `${i}`)))
      const changed = writes.some((w) => w.op === 'put' || state.has(w.key))
      for (const w of writes) if (w.op === 'put') state.set(w.key, text(w.value)!)
      else state.delete(w.key)
      const { revision } = await store.commit({ writes })
      if (changed) model.push(state)
      expect(revision).toBe(model.length - 1)
    }
    await store.compact(60)
    for (let revision = 60; revision < model.length; revision += 7) {
      const { entries, count } = await store.range('/m/', { revision })
      expect(Object.fromEntries(entries.map((e) => [e.key, text(e.value)]))).toEqual(Object.fromEntries(model[revision]!))
      expect(count).toBe(model[revision]!.size)
      expect(text((await store.get('/m/3', { revision }))?.value)).toBe(model[revision]!.get('/m/3'))
    }
  }))

  it('says so when a revision is not reached yet', withStore(async (store) => {
    await expect(store.range('', { revision: 2 })).rejects.toBeInstanceOf(FutureRevisionError)
    await expect(store.get('a', { revision: 9 })).rejects.toMatchObject({ current: 1 })
  }))

  it('lists ten thousand keys whole', withStore(async (store) => {
    for (let block = 0; block < 10; block++) {
      await store.commit({ writes: Array.from({ length: 1000 }, (_, i) => put(`/big/${block}/${i}`, 'x'.repeat(200))) })
    }
    const all = await store.range('/big/')
    expect(all).toMatchObject({ count: 10_000, more: false })
    expect(all.entries).toHaveLength(10_000)
    expect((await store.range('/big/3/')).count).toBe(1000)
    expect((await store.range('/big/', { limit: 500 })).count).toBe(10_000)
  }))
}

function watches(withStore: WithStore): void {
  it('replays history from a revision and then follows live, without gaps or duplicates', withStore(async (store) => {
    await store.commit({ writes: [put('/w/a', '1')] })
    await store.commit({ writes: [put('/w/a', '2'), put('/x', '1')] })
    const reading = take(store.watch('/w/', { from: 3 }), 4)
    await store.commit({ writes: [remove('/w/a')] })
    await store.commit({ writes: [put('/w/b', '1'), put('/w/c', '1')] })
    expect(shown(await reading)).toEqual(['put /w/a=2@3', 'delete /w/a=@4', 'put /w/b=1@5', 'put /w/c=1@5'])
  }))

  it('gives the entry that was there before', withStore(async (store) => {
    await store.commit({ writes: [put('a', '1')] })
    await store.commit({ writes: [put('a', '2')] })
    await store.commit({ writes: [remove('a')] })
    const changes = await take(store.watch('', { from: 2 }), 3)
    expect(changes.map((c) => text(c.previous?.value))).toEqual([undefined, '1', '2'])
    expect(changes[2]).toMatchObject({ type: 'delete', entry: { key: 'a', modRevision: 4 }, previous: { createRevision: 2, modRevision: 3 } })
  }))

  it('begins with what comes after the call when no revision is named', withStore(async (store) => {
    await store.commit({ writes: [put('a', '1')] })
    const watch = store.watch('')
    await store.commit({ writes: [put('a', '2')] })
    expect(shown(await take(watch, 1))).toEqual(['put a=2@3'])
  }))

  it('loses nothing when a storm of writes meets many slow readers', withStore(async (store) => {
    const total = 3000
    const signal = new AbortController()
    const read = async (prefix: string, pause: number) => {
      const seen: string[] = []
      for await (const batch of store.watch(prefix, { from: 2, signal: signal.signal })) {
        seen.push(...batch.changes.map((c) => `${c.key}@${c.entry.modRevision}`))
        if (batch.revision === total + 1) return seen
        for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve))
      }
      return seen
    }
    const readers = [read('', 0), read('', 3), read('/s/1', 1), read('/none', 0)]
    await Promise.all(Array.from({ length: total }, (_, i) => store.commit({ writes: [put(`/s/${i % 10}`, String(i))] })))
    const [all, slow, some, none] = await Promise.all(readers)
    const expected = Array.from({ length: total }, (_, i) => `/s/${i % 10}@${i + 2}`)
    expect(all).toEqual(expected)
    expect(slow).toEqual(expected)
    expect(some).toEqual(expected.filter((e) => e.startsWith('/s/1')))
    expect(none).toEqual([])
  }))

  it('reports progress when only other keys change', withStore(async (store) => {
    const watch = store.watch('/mine/', { from: 2 })[Symbol.asyncIterator]()
    const next = watch.next()
    await store.commit({ writes: [put('/other', '1')] })
    expect(await next).toEqual({ done: false, value: { revision: 2, changes: [] } })
  }))

  it('shows a change only once it can be read', withStore(async (store) => {
    const watch = take(store.watch('', { from: 2 }), 1).then(() => store.revision())
    const committed = store.commit({ writes: [put('a', '1')] })
    expect(await watch).toBe(2)
    expect(await committed).toEqual({ committed: true, revision: 2 })
  }))

  it('ends when the signal aborts and when the store closes', withStore(async (store) => {
    const stop = new AbortController()
    const first = take(store.watch('', { signal: stop.signal }), 1)
    const second = take(store.watch(''), 1)
    stop.abort()
    expect(await first).toEqual([])
    await store.close()
    expect(await second).toEqual([])
  }))

  it('ends with the others of its signal, whichever of them has ended before', withStore(async (store) => {
    const stop = new AbortController()
    const [first, second] = [take(store.watch('', { signal: stop.signal }), 1), take(store.watch('', { signal: stop.signal }), 2)]
    await store.commit({ writes: [put('a', '1')] })
    expect(await first).toHaveLength(1)
    stop.abort()
    expect(await second).toHaveLength(1)
  }))
}

function compaction(withStore: WithStore): void {
  it('forgets history before the revision and keeps what is live', withStore(async (store) => {
    await store.commit({ writes: [put('a', '1'), put('b', '1'), put('c', '1')] })
    await store.commit({ writes: [put('a', '2')] })
    await store.commit({ writes: [remove('b')] })
    await store.commit({ writes: [put('a', '3')] })
    expect(await store.compacted()).toBe(1)
    await store.compact(4)
    expect(await store.compacted()).toBe(4)
    await expect(store.range('', { revision: 3 })).rejects.toMatchObject({ name: 'CompactedError', compacted: 4 })
    await expect(store.get('a', { revision: 2 })).rejects.toBeInstanceOf(CompactedError)
    const at4 = await store.range('', { revision: 4 })
    expect(at4.entries.map((e) => `${e.key}=${text(e.value)}`)).toEqual(['a=2', 'c=1'])
    expect((await store.range('')).entries.map((e) => `${e.key}=${text(e.value)}`)).toEqual(['a=3', 'c=1'])
    expect(shown(await take(store.watch('', { from: 4 }), 2))).toEqual(['delete b=@4', 'put a=3@5'])
    await expect(take(store.watch('', { from: 3 }), 1)).rejects.toBeInstanceOf(CompactedError)
  }))

  it('can be repeated, and refuses to go back or ahead', withStore(async (store) => {
    for (let i = 0; i < 20; i++) await store.commit({ writes: [i % 4 === 3 ? remove('a') : put('a', String(i)), put(`k${i}`, 'x')] })
    await store.compact(8)
    await store.compact(8)
    await store.compact(15)
    await expect(store.compact(14)).rejects.toBeInstanceOf(CompactedError)
    await expect(store.compact(99)).rejects.toBeInstanceOf(FutureRevisionError)
    expect((await store.range('k')).count).toBe(20)
    expect(await store.get('a')).toBeUndefined()
    expect(text((await store.get('a', { revision: 16 }))?.value)).toBe('14')
    await store.compact(await store.revision())
    expect((await store.range('')).count).toBe(20)
    await store.commit({ writes: [put('a', 'back'), remove('k3')] })
    expect((await store.range('')).count).toBe(20)
  }))

  it('ends a reader that compaction overtakes, rather than skip anything', withStore(async (store) => {
    const watch = store.watch('', { from: 2 })[Symbol.asyncIterator]()
    for (let i = 0; i < 5; i++) await store.commit({ writes: [put('a', String(i))] })
    await store.compact(5)
    await expect(watch.next()).rejects.toBeInstanceOf(CompactedError)
  }))
}

function leases(withStore: WithStore): void {
  it('removes the keys of a lease that ends, in one transaction that watchers see', withStore(async (store, clock) => {
    const lease = await store.grantLease(10)
    await store.commit({ writes: [put('a', '1', lease), put('b', '1', lease), put('c', '1')] })
    const watch = take(store.watch('', { from: 3 }), 2)
    await clock.advance(9_000)
    expect(await store.get('a')).toBeDefined()
    await clock.advance(2_000)
    const changes = await watch
    expect(changes.map((c) => `${c.type} ${c.key} ${c.entry.modRevision}`).sort()).toEqual(['delete a 3', 'delete b 3'])
    expect((await store.range('')).entries.map((e) => e.key)).toEqual(['c'])
    await expect(store.commit({ writes: [put('d', '1', lease)] })).rejects.toThrow(`lease ${lease} does not exist`)
  }))

  it('lives on while renewed', withStore(async (store, clock) => {
    const lease = await store.grantLease(10)
    await store.commit({ writes: [put('a', '1', lease)] })
    for (let i = 0; i < 5; i++) {
      await clock.advance(8_000)
      await store.renewLease(lease)
    }
    expect(await store.get('a')).toBeDefined()
  }))

  it('lets go of a key that is written without it or with another', withStore(async (store) => {
    const [one, two] = [await store.grantLease(100), await store.grantLease(100)]
    await store.commit({ writes: [put('a', '1', one), put('b', '1', one), put('c', '1', one)] })
    await store.commit({ writes: [put('a', '2'), put('b', '2', two), put('c', '2', one)] })
    await store.revokeLease(one)
    expect((await store.range('')).entries.map((e) => e.key)).toEqual(['a', 'b'])
    await store.revokeLease(two)
    expect((await store.range('')).entries.map((e) => e.key)).toEqual(['a'])
    await expect(store.revokeLease(two)).rejects.toThrow('does not exist')
    await expect(store.renewLease(one)).rejects.toThrow('does not exist')
  }))
}
