import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FakeClock } from '../machinery/clock.ts'
import { inTurn, shareLoop } from '../machinery/loop-sharing.ts'
import { storeContract } from './contract.ts'
import { openTables } from './lmdb-tables.ts'
import { openLmdbStore } from './lmdb.ts'
import { StoreOpenError } from './lmdb-open.ts'
import { CompactedError } from './store.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-lmdb-test-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let directories = 0
const directory = () => join(base, String(directories++))

storeContract('lmdb store', (clock) => openLmdbStore({ path: directory(), clock }))

const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString())
const put = (key: string, value: string, lease?: number) => ({ op: 'put', key, value: Buffer.from(value), ...(lease ? { lease } : {}) }) as const

describe('lmdb store: what is kept on disk', () => {
  it('comes back as it was: keys, revisions, history, deletions', async () => {
    const path = directory()
    const first = await openLmdbStore({ path })
    await first.commit({ writes: [put('a', '1'), put('b', '1')] })
    await first.commit({ writes: [put('a', '2'), { op: 'delete', key: 'b' }] })
    await first.close()
    const second = await openLmdbStore({ path })
    expect(await second.revision()).toBe(3)
    expect((await second.range('')).entries.map((e) => `${e.key}=${text(e.value)}@${e.createRevision}-${e.modRevision}`)).toEqual(['a=2@2-3'])
    expect((await second.range('', { revision: 2 })).count).toBe(2)
    const changes: string[] = []
    for await (const batch of second.watch('', { from: 2 })) {
      changes.push(...batch.changes.map((c) => `${c.type} ${c.key} ${text(c.previous?.value)}`))
      if (batch.revision === 3) break
    }
    expect(changes).toEqual(['put a undefined', 'put b undefined', 'put a 1', 'delete b 1'])
    expect(await second.commit({ conditions: [{ key: 'b', modRevision: 0 }], writes: [put('b', '3')] })).toEqual({ committed: true, revision: 4 })
    await second.close()
  })

  it('remembers what was compacted', async () => {
    const path = directory()
    const first = await openLmdbStore({ path })
    for (let i = 0; i < 10; i++) await first.commit({ writes: [put('a', String(i))] })
    await first.compact(8)
    await first.close()
    const second = await openLmdbStore({ path })
    expect(await second.compacted()).toBe(8)
    await expect(second.get('a', { revision: 7 })).rejects.toBeInstanceOf(CompactedError)
    expect(text((await second.get('a', { revision: 8 }))?.value)).toBe('6')
    await second.close()
  })

  it('ends leases whose time ran out while nobody was there, and keeps the others', async () => {
    const path = directory()
    const clock = new FakeClock()
    const first = await openLmdbStore({ path, clock })
    const [short, long] = [await first.grantLease(10), await first.grantLease(100)]
    await first.commit({ writes: [put('a', '1', short), put('b', '1', long)] })
    await first.close()
    await clock.advance(50_000)
    const second = await openLmdbStore({ path, clock })
    await clock.advance(1_000)
    await second.commit({ writes: [put('c', '1')] })
    expect((await second.range('')).entries.map((e) => e.key)).toEqual(['b', 'c'])
    expect(await second.grantLease(5)).toBe(3)
    await clock.advance(100_000)
    await second.commit({ writes: [put('d', '1')] })
    expect((await second.range('')).entries.map((e) => e.key)).toEqual(['c', 'd'])
    await second.close()
  })

  it('groups what is committed at the same time into few flushes', async () => {
    const store = await openLmdbStore({ path: directory() })
    const began = performance.now()
    await store.commit({ writes: [put('one', '1')] })
    const one = performance.now() - began
    const results = await Promise.all(Array.from({ length: 1000 }, (_, i) => store.commit({ writes: [put(`k${i}`, '1')] })))
    expect(performance.now() - began).toBeLessThan(Math.max(1000 * one, 500))
    expect(results.map((r) => r.revision)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 3))
    await store.close()
  })

  it('reads a range as of one revision although writes go on between its pages', async () => {
    const store = await openLmdbStore({ path: directory() })
    const name = (i: number) => `/r/${String(i).padStart(6, '0')}`
    const value = 'x'.repeat(2000)
    for (let b = 0; b < 10; b++) await store.commit({ writes: Array.from({ length: 1000 }, (_, i) => put(name(b * 1000 + i), value)) })
    const reading = store.range('/r/')
    const storm = Array.from({ length: 300 }, (_, i) => store.commit({
      writes: [{ op: 'delete', key: name(i * 33) }, put(name(i * 33 + 1), 'changed'), put(`/r/9${i}`, 'new')],
    }))
    const { entries, revision, count } = await reading
    expect(revision).toBe(11)
    expect(count).toBe(10_000)
    expect(entries).toHaveLength(10_000)
    expect(entries.every((e, i) => e.key === name(i) && e.value.length === 2000)).toBe(true)
    await Promise.all(storm)
    const old = await store.range('/r/', { revision: 11 })
    expect(old.entries.map((e) => e.key)).toEqual(entries.map((e) => e.key))
    expect(old.count).toBe(10_000)
    await store.close()
  })

  it('lets others run while it reads much', async () => {
    const store = await openLmdbStore({ path: directory() })
    const value = 'x'.repeat(3000)
    for (let b = 0; b < 10; b++) await store.commit({ writes: Array.from({ length: 1000 }, (_, i) => put(`/r/${b}/${i}`, value)) })
    await store.range('/r/')
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    await store.range('/r/')
    clearInterval(counting)
    expect(turns).toBeGreaterThan(2)
    await store.close()
  })

  it('serves a watcher that starts far back from disk, and one that keeps up from memory, alike', async () => {
    const store = await openLmdbStore({ path: directory() })
    const value = 'x'.repeat(20_000)
    for (let b = 0; b < 10; b++) await Promise.all(Array.from({ length: 100 }, (_, i) => store.commit({ writes: [put(`k${i % 7}`, `${b * 100 + i} ${value}`)] })))
    const seen: number[] = []
    for await (const batch of store.watch('', { from: 2 })) {
      for (const c of batch.changes) {
        expect(text(c.entry.value)!.split(' ')[0]).toBe(String(c.entry.modRevision - 2))
        if (seen.length >= 100) expect(c.previous?.key).toBe(c.key)
        seen.push(c.entry.modRevision)
      }
      if (batch.revision === 1001) break
    }
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => i + 2))
    await store.close()
  })

  it('gives space back to new writes after compaction', async () => {
    const store = await openLmdbStore({ path: directory() })
    const value = 'x'.repeat(3000)
    const rounds = async (n: number) => {
      for (let i = 0; i < n; i++) {
        await store.commit({ writes: Array.from({ length: 100 }, (_, k) => put(`k${k}`, value)) })
        if (i % 5 === 4) await store.compact(await store.revision())
      }
    }
    await rounds(20)
    const before = await store.size()
    await rounds(60)
    expect(await store.size()).toBeLessThan(before * 2)
    await store.close()
  })
})

describe('lmdb store: callers who wrote together', () => {
  /** The most callers that were answered in one iteration of the event loop. */
  async function mostTogether(): Promise<number> {
    const store = await openLmdbStore({ path: directory(), durable: false })
    await store.commit({ writes: [put('first', '1')] })
    const answered: number[] = []
    let iteration = 0
    const all = Promise.all(Array.from({ length: 12 }, (_, i) => store.commit({ writes: [put(`k${i}`, '1')] }).then(() => void answered.push(iteration))))
    while (answered.length < 12) {
      await new Promise((resolve) => setImmediate(resolve))
      iteration++
    }
    await all
    await store.close()
    return Math.max(...answered.map((at) => answered.filter((other) => other === at).length))
  }

  it('are answered in iterations that no other step has while several users have requests', async () => {
    shareLoop(60_000)
    try {
      const store = await openLmdbStore({ path: directory() })
      let iteration = 0
      const answered: number[] = []
      const steps: number[] = []
      const step = () => {
        steps.push(iteration)
        if (answered.length < 12) inTurn(step)
      }
      inTurn(step)
      const all = Promise.all(Array.from({ length: 12 }, (_, i) => store.commit({ writes: [put(`k${i}`, '1')] }).then(() => void answered.push(iteration))))
      while (answered.length < 12) {
        await new Promise((resolve) => setImmediate(resolve))
        iteration++
      }
      await all
      expect(new Set(answered).size).toBe(12)
      expect(steps.filter((at) => answered.includes(at))).toEqual([])
      await store.close()
    } finally {
      shareLoop(0)
    }
  })

  it('are answered a few at a time, and one at a time while several users have requests', async () => {
    expect(await mostTogether()).toBe(4)
    shareLoop(60_000)
    try {
      expect(await mostTogether()).toBe(1)
    } finally {
      shareLoop(0)
    }
  })
})

describe('lmdb store: directories that cannot be used', () => {
  it('refuses a second opener with the process that has it, and lets the next one in afterwards', async () => {
    const path = directory()
    const store = await openLmdbStore({ path })
    await expect(openLmdbStore({ path })).rejects.toThrow(`the data directory ${path} is in use by process ${process.pid}: stop that process`)
    await store.close()
    await (await openLmdbStore({ path })).close()
  })

  it('is not kept out by the lock of a process that is gone', async () => {
    const path = directory()
    mkdirSync(path)
    writeFileSync(join(path, 'pid'), `${process.pid} 1 some-other-boot\n`)
    await (await openLmdbStore({ path })).close()
    writeFileSync(join(path, 'pid'), '')
    await (await openLmdbStore({ path })).close()
  })

  it('says what is wrong with a damaged file, and leaves it as it is', async () => {
    for (const damage of ['garbage '.repeat(5000), 'short']) {
      const path = directory()
      mkdirSync(path)
      writeFileSync(join(path, 'data.mdb'), damage)
      await expect(openLmdbStore({ path })).rejects.toThrow(`${path}/data.mdb is damaged`)
      expect(readFileSync(join(path, 'data.mdb'), 'utf8')).toBe(damage)
    }
  })

  it('notices a file that was cut off', async () => {
    const path = directory()
    const store = await openLmdbStore({ path })
    await store.commit({ writes: [put('a', 'x'.repeat(500_000))] })
    await store.close()
    truncateSync(join(path, 'data.mdb'), 100_000)
    await expect(openLmdbStore({ path })).rejects.toThrow(/is damaged \(page \d+ of \d+ is in use, and 24 are left\)/)
  })

  it('says when the directory is a file, or cannot be made', async () => {
    const path = directory()
    writeFileSync(path, '')
    await expect(openLmdbStore({ path })).rejects.toThrow(`${path} is not a directory`)
    await expect(openLmdbStore({ path: join(path, 'below') })).rejects.toBeInstanceOf(StoreOpenError)
  })

  it('refuses data that a newer version wrote', async () => {
    const path = directory()
    await (await openLmdbStore({ path })).close()
    const tables = openTables(path, true)
    await tables.state.put('state', Buffer.from(new Float64Array([99, 5, 1, 1, 0]).buffer))
    await tables.root.close()
    await expect(openLmdbStore({ path })).rejects.toThrow('format 99 is not known to this version')
  })
})
