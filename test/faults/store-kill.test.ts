import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { CompactedError } from '../../src/store/store.ts'
import { expectWhole, storm } from './store-storm.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-store-kill-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

describe('a store whose process is killed in a storm of writes', () => {
  it.each([1, 16, 256])('has every acknowledged write, with %i writers at once', async (width) => {
    const path = join(base, String(width))
    let newest = 1
    for (let round = 0; round < 6; round++) {
      const killed = await storm({ path, width, killAfter: 20 + Math.random() * 400 })
      expect(killed.acknowledged.size).toBeGreaterThan(0)
      newest = await expectWhole(path, killed, newest)
    }
  })

  it('lets a watch resume where it was, or says that history is gone', async () => {
    const path = join(base, 'resume')
    const { acknowledged } = await storm({ path, width: 16, killAfter: 300 })
    const store = await openLmdbStore({ path })
    const from = [...acknowledged.keys()].at(-20)!
    const first = await store.watch('/storm/', { from })[Symbol.asyncIterator]().next()
    expect(first.value!.changes[0]!.entry.modRevision).toBe(from)
    await store.compact(from + 5)
    await expect(store.watch('/storm/', { from })[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(CompactedError)
    await store.close()
  })
})
