import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { CompactedError } from '../../src/store/store.ts'
import type { Store } from '../../src/store/store.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-store-kill-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const writer = join(import.meta.dirname, 'store-writer.ts')

interface Storm {
  /** revision → key and value (undefined: deleted), for every acknowledged write. */
  readonly acknowledged: ReadonlyMap<number, { readonly key: string; readonly value: string | undefined }>
  readonly compacted: number
}

/** Runs the writer and kills it so many milliseconds after its first acknowledgement. */
function storm(path: string, width: number, killAfter: number): Promise<Storm> {
  const child = spawn(process.execPath, [writer, path, String(width)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged = new Map<number, { key: string; value: string | undefined }>()
  let compacted = 0
  let rest = ''
  let timer: NodeJS.Timeout | undefined
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const [what, revision, key = '', value] = line.split(' ')
      if (what === 'compacted') compacted = Number(revision)
      if (what !== 'ack') continue
      acknowledged.set(Number(revision), { key, value: value === '-' ? undefined : value })
      timer ??= setTimeout(() => child.kill('SIGKILL'), killAfter)
    }
  })
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => (signal === 'SIGKILL' ? resolve({ acknowledged, compacted }) : reject(new Error(`the writer ended by itself: ${code} ${signal}`))))
  })
}

const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString())

/** Plays history from where it begins onto what was there then: must come out as what is there now. */
async function replayed(store: Store): Promise<{ readonly keys: Map<string, number>; readonly revisions: number[] }> {
  const from = await store.compacted()
  const to = await store.revision()
  const keys = new Map((await store.range('', { revision: from })).entries.map((e) => [e.key, e.modRevision]))
  const revisions: number[] = []
  for await (const batch of store.watch('', { from: from + 1 })) {
    for (const change of batch.changes) {
      if (change.entry.modRevision !== revisions.at(-1)) revisions.push(change.entry.modRevision)
      if (change.type === 'put') keys.set(change.key, change.entry.modRevision)
      else keys.delete(change.key)
    }
    if (batch.revision >= to) break
  }
  return { keys, revisions }
}

describe('a store whose process is killed in a storm of writes', () => {
  it.each([1, 16, 256])('has every acknowledged write, with %i writers at once', async (width) => {
    const path = join(base, String(width))
    let newest = 1
    for (let round = 0; round < 6; round++) {
      const { acknowledged, compacted } = await storm(path, width, 20 + Math.random() * 400)
      const store = await openLmdbStore({ path })
      const revision = await store.revision()
      const oldest = await store.compacted()
      expect(acknowledged.size).toBeGreaterThan(0)
      expect(oldest).toBeGreaterThanOrEqual(compacted)
      expect(revision).toBeGreaterThanOrEqual(Math.max(newest, ...acknowledged.keys()))
      expect(Math.min(...acknowledged.keys())).toBeGreaterThan(newest)
      for (const [at, { key, value }] of acknowledged) {
        if (at < oldest) await expect(store.get(key, { revision: at })).rejects.toBeInstanceOf(CompactedError)
        else expect(text((await store.get(key, { revision: at }))?.value)).toBe(value)
      }
      const { keys, revisions } = await replayed(store)
      expect(revisions).toEqual(Array.from({ length: revision - oldest }, (_, i) => oldest + 1 + i))
      expect(Object.fromEntries((await store.range('')).entries.map((e) => [e.key, e.modRevision]))).toEqual(Object.fromEntries(keys))
      expect(await store.commit({ writes: [{ op: 'put', key: '/after', value: Buffer.from('x') }] })).toEqual({ committed: true, revision: revision + 1 })
      newest = revision + 1
      await store.close()
    }
  })

  it('lets a watch resume where it was, or says that history is gone', async () => {
    const path = join(base, 'resume')
    const { acknowledged } = await storm(path, 16, 300)
    const store = await openLmdbStore({ path })
    const from = [...acknowledged.keys()].at(-20)!
    const first = await store.watch('/storm/', { from })[Symbol.asyncIterator]().next()
    expect(first.value!.changes[0]!.entry.modRevision).toBe(from)
    await store.compact(from + 5)
    await expect(store.watch('/storm/', { from })[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(CompactedError)
    await store.close()
  })
})
