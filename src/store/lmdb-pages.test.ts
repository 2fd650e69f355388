/** Whether a file of lmdb's has all it needs, held against files that lmdb wrote, whole, shorter and damaged. */
import { cpSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLmdbStore } from './lmdb.ts'
import { StoreOpenError, checkDataFile } from './lmdb-open.ts'
import { missingPage, newestMeta } from './lmdb-pages.ts'
import { openTables } from './lmdb-tables.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-lmdb-pages-test-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const short = join(base, 'short')
const data = (path: string) => join(path, 'data.mdb')

/** What the store of a directory holds: key, revision and bytes of the value. */
async function content(path: string): Promise<string[]> {
  const store = await openLmdbStore({ path })
  try {
    return (await store.range('')).entries.map((e) => `${e.key}@${e.modRevision} ${e.value.length}`)
  } finally {
    await store.close()
  }
}

/** Takes more pages than there are free ones, so at the end of the file too, and gives them back in one transaction: they are free then, and were never written. */
async function takeAndReturn(path: string): Promise<void> {
  const tables = openTables(path, true)
  const keys = Array.from({ length: 2000 }, (_, i) => `zz${String(i).padStart(4, '0')}${'y'.repeat(1000)}`)
  await tables.root.transaction(() => {
    for (const key of keys) void tables.tombs.put(key, Buffer.alloc(8))
    for (const key of keys.toReversed()) void tables.tombs.remove(key)
  })
  await tables.root.close()
}

let expected: string[]
let pages: number
beforeAll(async () => {
  const store = await openLmdbStore({ path: short, journalBytes: 64 * 1024 })
  for (let i = 0; i < 300; i++) await store.commit({ writes: [{ op: 'put', key: `k${i % 50}`, value: Buffer.alloc(500 + (i * 97) % 9000) }] })
  await store.close()
  await takeAndReturn(short)
  const fd = openSync(data(short), 'r')
  const meta = newestMeta(fd)!
  closeSync(fd)
  pages = statSync(data(short)).size / meta.pageSize
  expect(pages).toBeLessThan(meta.pages)
  const copy = join(base, 'read')
  cpSync(short, copy, { recursive: true })
  expected = await content(copy)
  expect(expected).toHaveLength(50)
})

describe('a data file that is shorter than its meta page says', () => {
  it('is whole when only free pages that were never written are not there: it is opened, written to, and opened again', async () => {
    const path = join(base, 'open')
    cpSync(short, path, { recursive: true })
    expect(await content(path)).toEqual(expected)
    const store = await openLmdbStore({ path })
    for (let i = 0; i < 100; i++) await store.commit({ writes: [{ op: 'put', key: `after${i}`, value: Buffer.alloc(5000) }] })
    await store.close()
    const after = await content(path)
    expect(after.filter((row) => !row.startsWith('after'))).toEqual(expected)
    expect(after).toHaveLength(150)
  })

  it('is refused when it was cut off before a page in use, wherever that was', async () => {
    const path = join(base, 'cut')
    let opened = 0
    for (let left = pages - 1; left >= 0; left--) {
      cpSync(short, path, { recursive: true })
      truncateSync(data(path), left * 4096 + left % 3)
      try {
        checkDataFile(path)
      } catch (error) {
        expect(error).toBeInstanceOf(StoreOpenError)
        expect((error as Error).message).toMatch(/data\.mdb is damaged \((page \d+ of \d+ is in use, and \d+ are left|it does not begin as an lmdb file does)\)/)
        continue
      }
      if (statSync(data(path)).size === 0) continue
      // Taken for whole: then it is.
      expect(await content(path)).toEqual(expected)
      opened++
    }
    // The pages at the end may be free, but not all of them.
    expect(opened).toBeLessThan(pages / 2)
  })

  it('with anything in its pages is judged, in one sentence and soon', () => {
    const whole = readFileSync(data(short))
    const file = join(base, 'damaged')
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 200 }), (changes) => {
      const damaged = Buffer.from(whole)
      // The meta pages as they were: of these lmdb makes sure itself.
      for (const [at, value] of changes) if (at >= 2 * 4096) damaged[at] = value
      writeFileSync(file, damaged)
      const fd = openSync(file, 'r')
      try {
        const wrong = missingPage(fd, newestMeta(fd)!)
        if (wrong !== undefined) expect(wrong).toMatch(/^(page \d+ (of \d+ is in use, and \d+ are left|cannot be read: .+)|its pages refer to each other in a circle)$/)
      } finally {
        closeSync(fd)
      }
    }))
  })
})
