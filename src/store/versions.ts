/** The key space of the memory store: every version of every key, in key order. */
import { compareKeys, position } from './keys.ts'
import type { Entry, Range, RangeOptions } from './store.ts'

/** One state of one key; `deleted` is a tombstone. */
interface Version { readonly entry: Entry; readonly deleted: boolean }

export interface Versions {
  /** The live entry of the key. */
  newest(key: string): Entry | undefined
  /** The entry of the key as of a revision. */
  at(key: string, revision: number): Entry | undefined
  add(entry: Entry, deleted: boolean): void
  range(prefix: string, revision: number, options: RangeOptions): Range
  /** Drops the versions that cannot be read once `revision` is the oldest. */
  forget(revision: number): void
}

const nothing = new Uint8Array(0)
const live = (v: Version | undefined) => (v && !v.deleted ? v.entry : undefined)

export function createVersions(): Versions {
  const versions = new Map<string, Version[]>()
  let keys: string[] = []
  const at = (key: string, revision: number) => live(versions.get(key)?.findLast((v) => v.entry.modRevision <= revision))

  return {
    newest: (key) => live(versions.get(key)?.at(-1)),
    at,
    add(entry, deleted) {
      const list = versions.get(entry.key)
      if (list) return void list.push({ entry, deleted })
      versions.set(entry.key, [{ entry, deleted }])
      keys.splice(position(keys, entry.key), 0, entry.key)
    },
    range(prefix, revision, { after, limit, keysOnly, uncounted }) {
      const entries: Entry[] = []
      let count = 0
      let more = false
      for (let i = position(keys, prefix); i < keys.length && keys[i]!.startsWith(prefix); i++) {
        const entry = at(keys[i]!, revision)
        if (!entry) continue
        count++
        if (after !== undefined && compareKeys(entry.key, after) <= 0) continue
        if (limit && entries.length >= limit) {
          more = true
          if (uncounted) break
        } else entries.push(keysOnly ? { ...entry, value: nothing } : entry)
      }
      return { entries, revision, more, count: uncounted ? entries.length : count }
    },
    forget(revision) {
      for (const [key, list] of versions) {
        const oldest = Math.max(0, list.findLastIndex((v) => v.entry.modRevision <= revision))
        const rest = list.slice(oldest).filter((v) => !(v.deleted && v.entry.modRevision < revision))
        if (rest.length) versions.set(key, rest)
        else versions.delete(key)
      }
      keys = keys.filter((key) => versions.has(key))
    },
  }
}
