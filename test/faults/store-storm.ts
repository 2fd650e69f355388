/** Storms of writes in another process that is killed, and what must be there afterwards. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { CompactedError } from '../../src/store/store.ts'
import type { Store } from '../../src/store/store.ts'

export const writer = join(import.meta.dirname, 'store-writer.ts')

export interface Storm {
  /** revision → key and value (undefined: deleted), for every acknowledged write. */
  readonly acknowledged: ReadonlyMap<number, { readonly key: string; readonly value: string | undefined }>
  readonly compacted: number
}

export interface StormOptions {
  readonly path: string
  /** How many write at the same time. */
  readonly width: number
  /** Bytes of each of the journal's files. */
  readonly journalBytes?: number
  /** Milliseconds from the first acknowledgement to its end. */
  readonly killAfter?: number
  /** Arguments for strace, which is then what ends it. */
  readonly strace?: readonly string[]
}

/** Runs the writer until it is killed. */
export function storm({ path, width, journalBytes, killAfter = 20_000, strace }: StormOptions): Promise<Storm> {
  const own = [process.execPath, writer, path, String(width), ...(journalBytes ? [String(journalBytes)] : [])]
  const [program, ...args] = strace ? ['strace', '-f', '-qq', '-o', '/dev/null', ...strace, ...own] : own
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged = new Map<number, { key: string; value: string | undefined }>()
  let compacted = 0
  let rest = ''
  let timer: NodeJS.Timeout | undefined
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
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
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve({ acknowledged, compacted })
      else reject(new Error(`the writer ended by itself: ${code} ${signal}`))
    })
  })
}

const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString())

/** Plays history from where it begins onto what was there then: must come out as what is there now. */
async function replayed(store: Store): Promise<{ readonly keys: Map<string, number>; readonly revisions: number[] }> {
  const from = await store.compacted()
  const to = await store.revision()
  const keys = new Map((await store.range('', { revision: from })).entries.map((e) => [e.key, e.modRevision]))
  const revisions: number[] = []
  // Killed before it wrote anything: nothing would ever come.
  if (from === to) return { keys, revisions }
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

/** Opens the store and holds it against what was acknowledged after revision `newest`; writes once more, and returns that revision. */
export async function expectWhole(path: string, { acknowledged, compacted }: Storm, newest: number): Promise<number> {
  const store = await openLmdbStore({ path })
  const revision = await store.revision()
  const oldest = await store.compacted()
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
  await store.close()
  return revision + 1
}
