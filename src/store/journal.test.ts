import { closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { array, assert, asyncProperty, constant, constantFrom, integer, oneof, tuple, uniqueArray } from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { FakeClock } from '../machinery/clock.ts'
import { journalFiles } from './journal.ts'
import { pageBytes } from './journal-records.ts'
import { StoreOpenError } from './lmdb-open.ts'
import { encodeHead, encodeLogRow, openTables, placeOf, readStored } from './lmdb-tables.ts'
import { openLmdbStore } from './lmdb.ts'
import { createMemoryStore } from './memory.ts'
import { StoreClosedError } from './rules.ts'
import type { Store, Transaction, Write } from './store.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-journal-test-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let directories = 0
const directory = () => join(base, String(directories++))
const journalBytes = 16 * pageBytes
/** Unflushed: these tests look at what is in the files, not at when it gets to the disk. */
const open = (path: string, clock = new FakeClock()) => openLmdbStore({ path, clock, journalBytes, durable: false })

const put = (key: string, value: string | Uint8Array, lease?: number): Write => ({ op: 'put', key, value: Buffer.from(value as string), ...(lease ? { lease } : {}) })
const gone = (key: string): Write => ({ op: 'delete', key })
const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString())

/** What a crash at this moment would leave of a store that is open and has nothing under way: a copy of its files. */
function crash(path: string): string {
  const left = directory()
  mkdirSync(left)
  for (const file of ['data.mdb', ...journalFiles]) if (existsSync(join(path, file))) copyFileSync(join(path, file), join(left, file))
  return left
}

async function opened<T>(path: string, work: (store: Store) => Promise<T>, clock?: FakeClock): Promise<T> {
  const store = await open(path, clock)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Everything that can be read of a store: each revision that is kept, and the changes between them. */
async function everything(store: Store): Promise<unknown> {
  const [from, to] = [await store.compacted(), await store.revision()]
  const revisions: unknown[] = []
  for (let revision = from; revision <= to; revision++) {
    const { entries, count } = await store.range('', { revision })
    revisions.push([revision, count, entries.map((e) => `${e.key}=${text(e.value)}@${e.createRevision}-${e.modRevision}`)])
  }
  const changes: string[] = []
  if (to > from) {
    for await (const batch of store.watch('', { from: from + 1 })) {
      changes.push(...batch.changes.map((c) => `${c.type} ${c.key}=${text(c.entry.value)}@${c.entry.modRevision} ${c.previous?.modRevision}`))
      if (batch.revision >= to) break
    }
  }
  return { from, to, revisions, changes }
}

/** A store with some commits, each a record of its own, and what a crash leaves of it. Nothing of it is in lmdb. */
async function crashedAfter(transactions: readonly Transaction[]): Promise<string> {
  const path = directory()
  const store = await open(path)
  for (const transaction of transactions) await store.commit(transaction)
  const left = crash(path)
  await store.close()
  return left
}

const some: readonly Transaction[] = [
  { writes: [put('a', '1'), put('b', '1')] },
  { writes: [put('a', '2'), gone('b')] },
  { writes: [put('b', 'again'), put('c', 'x'.repeat(5000))] },
  { writes: [gone('a')] },
  { writes: [put('d', 'y'.repeat(700))] },
]

describe('what is in the journal alone', () => {
  it('is read as if it were in lmdb, and comes back after a crash: keys, history, changes', async () => {
    const memory = createMemoryStore()
    for (const transaction of some) await memory.commit(transaction)
    const path = directory()
    const store = await open(path)
    for (const transaction of some) await store.commit(transaction)
    expect(await everything(store)).toEqual(await everything(memory))
    const left = crash(path)
    await store.close()
    const tables = openTables(left, true)
    expect(readStored(tables)).toMatchObject({ revision: 1, applied: 0 })
    await tables.root.close()
    await opened(left, async (again) => {
      expect(await everything(again)).toEqual(await everything(memory))
      // Opened and read, and crashed again: nothing is there twice.
      await opened(crash(left), async (third) => expect(await everything(third)).toEqual(await everything(memory)))
      expect(await again.commit({ conditions: [{ key: 'a', modRevision: 0 }, { key: 'b', modRevision: 4 }], writes: [put('a', 'new')] })).toEqual({ committed: true, revision: 7 })
    })
    await opened(left, async (again) => expect(text((await again.get('a'))?.value)).toBe('new'))
  })

  it('is moved to lmdb by a close, after which the journal is not needed', async () => {
    const path = directory()
    await opened(path, async (store) => { for (const transaction of some) await store.commit(transaction) })
    for (const file of journalFiles) rmSync(join(path, file))
    await opened(path, async (store) => expect(await store.revision()).toBe(6))
  })

  it('is moved to lmdb after a while, once for all that came meanwhile', async () => {
    const path = directory()
    const clock = new FakeClock()
    const store = await openLmdbStore({ path, clock, durable: false })
    const lease = await store.grantLease(60)
    await store.commit({ writes: [put('node', 'x', lease)] })
    const before = readFileSync(join(path, 'data.mdb'))
    for (let i = 0; i < 100; i++) {
      await clock.advance(250)
      await store.renewLease(lease)
      await store.commit({ writes: [put('heartbeat', String(i))] })
    }
    expect(Buffer.compare(readFileSync(join(path, 'data.mdb')), before)).toBe(0)
    await clock.advance(10_000)
    await expect.poll(() => Buffer.compare(readFileSync(join(path, 'data.mdb')), before)).not.toBe(0)
    await store.close()
  })

  it('brings back leases: granted, renewed, ended, and what is tied to them', async () => {
    const path = directory()
    const clock = new FakeClock()
    const store = await open(path, clock)
    const [short, long, revoked] = [await store.grantLease(10), await store.grantLease(10), await store.grantLease(10)]
    await store.commit({ writes: [put('a', '1', short), put('b', '1', long), put('c', '1', long), put('d', '1', revoked), put('e', '1', short)] })
    await store.commit({ writes: [put('c', '2'), put('e', '2')] })
    await store.revokeLease(revoked)
    await clock.advance(8_000)
    await store.renewLease(long)
    const left = crash(path)
    await store.close()
    const later = new FakeClock(clock.now())
    await opened(left, async (again) => {
      expect((await again.range('')).entries.map((e) => e.key)).toEqual(['a', 'b', 'c', 'e'])
      await later.advance(4_000)
      await again.commit({ writes: [put('f', '1')] })
      expect((await again.range('')).entries.map((e) => e.key)).toEqual(['b', 'c', 'e', 'f'])
      expect(await again.grantLease(5)).toBe(4)
      await expect(again.renewLease(revoked)).rejects.toThrow('does not exist')
    }, later)
  })
})

describe('a crash while a record was being written', () => {
  /** Where the last record of a journal stands, and how long it is without what fills its pages. */
  const lastRecord = (left: string) => {
    const file = join(left, journalFiles[0])
    const bytes = readFileSync(file)
    let at = bytes.length - pageBytes
    while (bytes.readUInt32LE(at) !== bytes.readUInt32LE(0)) at -= pageBytes
    return { file, at, length: bytes.readUInt32LE(at + 8) }
  }

  it('leaves what was acknowledged, whatever part of it is on disk', { timeout: 60_000 }, async () => {
    const left = await crashedAfter(some)
    const { file, at, length } = lastRecord(left)
    const fd = openSync(file, 'r+')
    const whole = readFileSync(file).subarray(at, at + length)
    for (let torn = length - 1; torn >= 0; torn -= torn > 160 && torn < length - 40 ? 37 : 1) {
      // The byte may be a zero; then nothing is missing yet.
      writeSync(fd, Buffer.alloc(1), 0, 1, at + torn)
      const missing = whole.subarray(torn).some((byte) => byte !== 0)
      await opened(crash(left), async (store) => expect(await store.revision(), `torn at ${torn}`).toBe(missing ? 5 : 6))
    }
    closeSync(fd)
    await opened(left, async (store) => {
      expect(await store.commit({ writes: [put('e', '1')] })).toEqual({ committed: true, revision: 6 })
      expect(await store.get('d')).toBeUndefined()
      await opened(crash(left), async (again) => expect((await again.range('')).entries.map((e) => e.key)).toEqual(['b', 'c', 'e']))
    })
  })

  it('is told from damage to a record that was acknowledged, which is refused in one line', { timeout: 60_000 }, async () => {
    const left = await crashedAfter(some)
    const { file, at } = lastRecord(left)
    const before = readFileSync(file)
    // Every record but the last, without what fills its pages: nobody minds a change there.
    const earlier: number[] = []
    for (let i = 0; i < at; ) {
      const length = before.readUInt32LE(i + 8)
      for (let k = 0; k < length; k++) earlier.push(i + k)
      i += Math.ceil(length / pageBytes) * pageBytes
    }
    await assert(asyncProperty(constantFrom(...earlier), integer({ min: 0, max: 7 }), async (byte, bit) => {
      const damaged = Buffer.from(before)
      damaged[byte]! ^= 1 << bit
      const place = crash(left)
      writeFileSync(join(place, journalFiles[0]), damaged)
      const error = await open(place).then(() => undefined, (e: Error) => e)
      expect(error).toBeInstanceOf(StoreOpenError)
      expect(error!.message).toMatch(/^\S+journal\.0 is damaged \(the record before the one at byte \d+ is missing\), and has writes that are nowhere else: put a backup of all of \S+ in its place/)
      expect(Buffer.compare(readFileSync(join(place, journalFiles[0])), damaged)).toBe(0)
    }), { numRuns: 60 })
  })

  it('does not make a record of what somebody wrote into a value', async () => {
    const forged = readFileSync(join(await crashedAfter([{ writes: [put('/clusterrolebindings/mine', 'all')] }]), journalFiles[0])).subarray(0, pageBytes)
    for (let shift = 0; shift < 3; shift++) {
      const path = directory()
      const store = await open(path)
      // A record that is to begin where the next would, left by one that failed.
      await store.commit({ writes: [put('a', Buffer.concat([Buffer.alloc(shift * 8), forged, forged, forged, forged]))] })
      const left = crash(path)
      await store.close()
      const fd = openSync(join(left, journalFiles[0]), 'r+')
      writeSync(fd, Buffer.alloc(pageBytes), 0, pageBytes, 0)
      for (let at = pageBytes; at < 5 * pageBytes; at += pageBytes) writeSync(fd, forged, 0, pageBytes, at)
      closeSync(fd)
      await opened(left, async (again) => expect((await again.range('')).count).toBe(0))
    }
  })
})

describe('a journal that cannot be used', () => {
  it('is refused when it is not there, or cut off', async () => {
    const absent = await crashedAfter(some)
    rmSync(join(absent, journalFiles[1]))
    await expect(open(absent)).rejects.toThrow(`${absent}/journal.1 is damaged (it is not there), and has writes that are nowhere else: put a backup of all of ${absent} in its place`)
    const short = await crashedAfter(some)
    truncateSync(join(short, journalFiles[0]), 5000)
    await expect(open(short)).rejects.toThrow(`${short}/journal.0 is damaged (it has 5000 bytes instead of ${journalBytes})`)
  })

  it('is refused when it is of another store, or of another time', async () => {
    const other = await crashedAfter(some)
    copyFileSync(join(await crashedAfter(some), 'data.mdb'), join(other, 'data.mdb'))
    await expect(open(other)).rejects.toThrow(`${other}/journal.0 is damaged (it does not belong to the data.mdb beside it)`)
    const path = directory()
    const store = await open(path)
    await store.commit({ writes: [put('a', '1')] })
    const early = crash(path)
    for (let i = 0; i < 40; i++) await store.commit({ writes: [put('a', String(i))] })
    for (const file of journalFiles) copyFileSync(join(path, file), join(early, file))
    await store.close()
    await expect(open(early)).rejects.toThrow(/journal\.\d is damaged \(the record before the one at byte \d+ is missing\)/)
  })

  it('of an earlier time is of no account once the store was closed well', async () => {
    const path = directory()
    await opened(path, async (store) => { for (const transaction of some) await store.commit(transaction) })
    const backup = crash(path)
    await opened(path, async (store) => store.commit({ writes: [put('later', '1')] }))
    copyFileSync(join(backup, 'data.mdb'), join(path, 'data.mdb'))
    await opened(path, async (store) => {
      expect(await store.revision()).toBe(6)
      await store.commit({ writes: [put('other', '1')] })
      await opened(crash(path), async (again) => expect((await again.range('')).entries.map((e) => e.key)).toEqual(['b', 'c', 'd', 'other']))
    })
  })

  it('belongs to its owner alone', async () => {
    const path = directory()
    await opened(path, async (store) => store.commit({ writes: [put('a', '1')] }))
    for (const file of journalFiles) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600)
  })

  it('is not there before the first write, and as large as it will be from then on', async () => {
    const path = directory()
    const store = await open(path)
    await store.range('')
    expect(existsSync(join(path, journalFiles[0]))).toBe(false)
    const before = await store.size()
    await store.commit({ writes: [put('a', '1')] })
    expect(journalFiles.map((file) => statSync(join(path, file)).size)).toEqual([journalBytes, journalBytes])
    expect(await store.size()).toBeGreaterThanOrEqual(before + 2 * journalBytes)
    await store.close()
  })
})

describe('a journal that is written again and again', () => {
  it('agrees with a model, whenever it is crashed and opened', { timeout: 60_000 }, async () => {
    const key = constantFrom('a', 'b', '/c/1', '/c/2', '/c/3', 'd')
    const write = oneof(
      { weight: 5, arbitrary: tuple(key, integer({ min: 0, max: 9000 })).map(([k, n]) => put(k, `${n} ${'v'.repeat(n)}`)) },
      { weight: 2, arbitrary: key.map(gone) },
    )
    const step = oneof(
      { weight: 20, arbitrary: uniqueArray(write, { minLength: 1, maxLength: 4, selector: (w) => w.key }).map((writes) => ({ do: 'commit' as const, writes })) },
      { weight: 2, arbitrary: constant({ do: 'crash' as const }) },
      { weight: 1, arbitrary: constant({ do: 'compact' as const }) },
      { weight: 1, arbitrary: constant({ do: 'close' as const }) },
    )
    await assert(asyncProperty(array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const memory = createMemoryStore()
      let path = directory()
      let store = await open(path)
      for (const next of steps) {
        if (next.do === 'commit') expect(await store.commit(next)).toEqual(await memory.commit(next))
        if (next.do === 'compact') await Promise.all([store, memory].map(async (s) => s.compact(await memory.revision())))
        if (next.do === 'crash') {
          const left = crash(path)
          await store.close()
          path = left
        }
        if (next.do === 'close') await store.close()
        if (next.do === 'close' || next.do === 'crash') store = await open(path)
      }
      expect(await everything(store)).toEqual(await everything(memory))
      await store.close()
      await opened(path, async (again) => expect(await everything(again)).toEqual(await everything(memory)))
    }), { numRuns: 15 })
  })

  it('makes writers wait when both files are full, and loses nothing', async () => {
    const path = directory()
    const store = await openLmdbStore({ path, clock: new FakeClock(), journalBytes: 2 * pageBytes, durable: false })
    const results = []
    for (let i = 0; i < 200; i++) results.push(await store.commit({ writes: [put(`k${i % 9}`, `${i} ${'x'.repeat((i * 131) % 3000)}`)] }))
    expect(results.map((r) => r.revision)).toEqual(Array.from({ length: 200 }, (_, i) => i + 2))
    const before = await everything(store)
    await store.close()
    await opened(path, async (again) => expect(await everything(again)).toEqual(before))
  })

  it('takes a transaction that is larger than a file, between others', async () => {
    const path = directory()
    const store = await open(path)
    const large = Buffer.alloc(3 * journalBytes, 'large')
    await Promise.all([
      store.commit({ writes: [put('a', '1'), put('b', '1')] }),
      store.commit({ writes: [put('a', large), gone('b')] }),
      store.commit({ conditions: [{ key: 'a', modRevision: 3 }], writes: [put('a', '3')] }),
    ])
    await store.commit({ writes: [put('c', '1')] })
    const before = await everything(store)
    const left = crash(path)
    await store.close()
    await opened(left, async (again) => {
      expect(await everything(again)).toEqual(before)
      expect(Buffer.compare((await again.get('a', { revision: 3 }))!.value, large)).toBe(0)
    })
  })

  it('ends a lease with more keys than a transaction may have', { timeout: 60_000 }, async () => {
    const path = directory()
    const clock = new FakeClock()
    const store = await openLmdbStore({ path, clock, durable: false })
    const lease = await store.grantLease(10)
    for (let b = 0; b < 7; b++) await store.commit({ writes: Array.from({ length: 10_000 }, (_, i) => put(`/e/${b}/${i}`, 'x', lease)) })
    await store.commit({ writes: [put('kept', '1')] })
    await store.revokeLease(lease)
    expect(await store.revision()).toBe(11)
    expect((await store.range('')).count).toBe(1)
    await store.close()
    await opened(path, async (again) => expect((await again.range('')).count).toBe(1))
  })
})

describe('a store that is closed', () => {
  it('in the middle of a compaction and of writes, is whole', async () => {
    const path = directory()
    const store = await openLmdbStore({ path, clock: new FakeClock(), durable: false })
    for (let b = 0; b < 8; b++) await store.commit({ writes: Array.from({ length: 2000 }, (_, i) => put(`k${i}`, String(b))) })
    const compaction = store.compact(8).catch((error: Error) => error)
    const write = store.commit({ writes: [put('last', '1')] })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await store.close()
    const ended = await compaction
    expect(ended === undefined || (ended instanceof StoreClosedError)).toBe(true)
    expect(await write).toMatchObject({ committed: true })
    await opened(path, async (again) => {
      expect(await again.compacted()).toBe(8)
      expect((await again.range('')).count).toBe(2001)
      await again.compact(await again.revision())
      expect((await again.range('')).count).toBe(2001)
    })
  })
})

describe('a store without a journal, as older versions wrote it', () => {
  const old = async () => {
    const path = directory()
    mkdirSync(path)
    const tables = openTables(path, true)
    await tables.root.batch(() => {
      tables.log.put(placeOf(2, 0), encodeLogRow({ key: 'a', deleted: false, created: 2, replaced: 0, value: Buffer.from('old') }))
      tables.keys.put('a', encodeHead({ created: 2, place: placeOf(2, 0), lease: 0 }))
      tables.state.put('state', Buffer.from(new Float64Array([1, 2, 1, 1, 0]).buffer))
    })
    await tables.root.close()
    return path
  }
  const formatOf = async (path: string) => {
    const tables = openTables(path, true)
    const format = tables.state.getBinary('state')!.readDoubleLE(0)
    await tables.root.close()
    return format
  }

  it('is taken over with the first write, and can be read by older versions until then', async () => {
    const path = await old()
    await opened(path, async (store) => expect(text((await store.get('a'))?.value)).toBe('old'))
    expect(await formatOf(path)).toBe(1)
    await opened(path, async (store) => {
      expect(await store.commit({ conditions: [{ key: 'a', modRevision: 2 }], writes: [put('a', 'new')] })).toEqual({ committed: true, revision: 3 })
      expect(text((await store.get('a', { revision: 2 }))?.value)).toBe('old')
    })
    expect(await formatOf(path)).toBe(2)
    await opened(path, async (store) => expect(text((await store.get('a'))?.value)).toBe('new'))
  })
})
