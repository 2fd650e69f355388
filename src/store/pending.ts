/**
 * What is acknowledged and in the journal, but not in lmdb's tables yet: all reads look here first. Records are added when they are durable,
 * and dropped, oldest first, when lmdb has them. Values are the committed ones, not copies.
 */
import { compareKeys } from './keys.ts'
import type { JournalRecord } from './journal-records.ts'
import type { WrittenRow } from './lmdb-tables.ts'

export interface Pending {
  /** Adds a record; `bytes`: its size in the journal. */
  add(record: JournalRecord, bytes: number): void
  /** The newest write of a key. */
  newest(key: string): WrittenRow | undefined
  /** The write at a place. */
  at(place: number): WrittenRow | undefined
  /** The places of the writes from a place on, in order. */
  places(from: number): Generator<number, void>
  /** The keys with a prefix, in order. */
  keys(prefix: string): readonly string[]
  /** The oldest records, up to about so many rows and bytes; at least one if there is any. */
  oldest(rows: number, bytes: number): readonly JournalRecord[]
  /** Drops the `count` oldest records. */
  drop(count: number): void
  /** The sequence of the newest record; undefined when nothing is pending. */
  sequence(): number | undefined
  /** Rows that lmdb still has to take, and their size in the journal. */
  readonly rows: number
  readonly bytes: number
  /** Changes whenever the content does. */
  readonly version: number
}

interface Kept { readonly record: JournalRecord; readonly bytes: number }

/** Plus one for the state, which every record has. */
const rowsOf = ({ writes, leases }: JournalRecord): number => writes.length + leases.length + 1

export function createPending(): Pending {
  let kept: Kept[] = []
  const byKey = new Map<string, WrittenRow>()
  const byPlace = new Map<number, WrittenRow>()
  let rows = 0
  let bytes = 0
  let version = 0

  return {
    add(record, size) {
      kept.push({ record, bytes: size })
      rows += rowsOf(record)
      bytes += size
      version++
      for (const write of record.writes) {
        byKey.set(write.key, write)
        byPlace.set(write.place, write)
      }
    },
    newest: (key) => byKey.get(key),
    at: (place) => byPlace.get(place),
    *places(from) {
      for (const place of byPlace.keys()) if (place >= from) yield place
    },
    keys: (prefix) => [...byKey.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys),
    oldest(mostRows, mostBytes) {
      let [count, takenRows, takenBytes] = [0, 0, 0]
      while (count < kept.length && takenRows < mostRows && takenBytes < mostBytes) {
        takenRows += rowsOf(kept[count]!.record)
        takenBytes += kept[count++]!.bytes
      }
      return kept.slice(0, count).map(({ record }) => record)
    },
    drop(count) {
      for (const { record, bytes: size } of kept.slice(0, count)) {
        rows -= rowsOf(record)
        bytes -= size
        for (const write of record.writes) {
          byPlace.delete(write.place)
          if (byKey.get(write.key) === write) byKey.delete(write.key)
        }
      }
      kept = kept.slice(count)
      version++
    },
    sequence: () => kept.at(-1)?.record.sequence,
    get rows() { return rows },
    get bytes() { return bytes },
    get version() { return version },
  }
}
