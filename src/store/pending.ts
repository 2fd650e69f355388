/**
 * What is acknowledged and in the journal, but not in lmdb's tables yet: looked at first by everything that reads. Records come in at one end
 * when they are durable, and go out at the other when lmdb has them. Values are those that were committed, not copies.
 */
import { compareKeys } from './keys.ts'
import type { JournalRecord } from './journal-records.ts'
import type { WrittenRow } from './lmdb-tables.ts'

export interface Pending {
  /** Adds a record that takes so many bytes of the journal. */
  add(record: JournalRecord, bytes: number): void
  /** The newest write of a key. */
  newest(key: string): WrittenRow | undefined
  /** The write at a place. */
  at(place: number): WrittenRow | undefined
  /** The places of the writes from a place on, in order. */
  places(from: number): Generator<number, void>
  /** The keys with a prefix, in order. */
  keys(prefix: string): readonly string[]
  /** The oldest records, together about so many rows and bytes, at least one if there is any. */
  oldest(rows: number, bytes: number): readonly JournalRecord[]
  /** Lets go of so many of the oldest records. */
  drop(count: number): void
  /** The sequence of the newest record; undefined when nothing is pending. */
  sequence(): number | undefined
  /** Rows that lmdb has to take, and bytes of the journal that are kept for them. */
  readonly rows: number
  readonly bytes: number
  /** Another number whenever there is something else to read. */
  readonly version: number
}

interface Kept { readonly record: JournalRecord; readonly bytes: number }

/** One for the state, which every record has. */
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
