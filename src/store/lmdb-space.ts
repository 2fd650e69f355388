/** The key space as it is acknowledged: lmdb's tables, and over them what is only in the journal yet. */
import { decodeHead, readLogRow, readNewestPlace, readTomb, revisionOf } from './lmdb-tables.ts'
import type { Head, LogRow, Tables } from './lmdb-tables.ts'
import type { Pending } from './pending.ts'
import type { Entry } from './store.ts'

export interface Space { readonly tables: Tables; readonly pending: Pending }

/** What lives under a key, without its value. */
export function headOf({ tables, pending }: Space, key: string): Head | undefined {
  const write = pending.newest(key)
  if (write) return write.deleted ? undefined : write
  const row = tables.keys.getBinaryFast(key)
  return row && decodeHead(row)
}

/** Where the deletion of a key stands that is not there, while history remembers it. */
export const tombOf = ({ tables, pending }: Space, key: string): number | undefined => pending.newest(key)?.place ?? readTomb(tables, key)

/** Where the newest write of a key stands, be it a deletion. */
export const newestPlaceOf = ({ tables, pending }: Space, key: string): number | undefined => pending.newest(key)?.place ?? readNewestPlace(tables, key)

/** A write, by its place; undefined when compaction has forgotten it. */
export const logRowOf = ({ tables, pending }: Space, place: number): LogRow | undefined => pending.at(place) ?? readLogRow(tables, place)

/** The live entry at a place; undefined for a deletion, and for what compaction has forgotten. */
export function entryAt(space: Space, place: number | undefined): Entry | undefined {
  const row = place ? logRowOf(space, place) : undefined
  if (!place || !row || row.deleted) return undefined
  return { key: row.key, value: row.value, createRevision: row.created, modRevision: revisionOf(place) }
}
