/** The acknowledged key space: lmdb's tables, overlaid with what is only in the journal yet. */
import { decodeHead, readLogRow, readNewestPlace, readTomb, revisionOf } from './lmdb-tables.ts'
import type { Head, LogRow, Tables } from './lmdb-tables.ts'
import type { Pending } from './pending.ts'
import type { Entry } from './store.ts'

export interface Space { readonly tables: Tables; readonly pending: Pending }

/** The live entry of a key, without its value. */
export function headOf({ tables, pending }: Space, key: string): Head | undefined {
  const write = pending.newest(key)
  if (write) return write.deleted ? undefined : write
  const row = tables.keys.getBinaryFast(key)
  return row && decodeHead(row)
}

/** The place of a deleted key's deletion, until it is compacted. */
export const tombOf = ({ tables, pending }: Space, key: string): number | undefined => pending.newest(key)?.place ?? readTomb(tables, key)

/** The place of a key's newest write, which may be a deletion. */
export const newestPlaceOf = ({ tables, pending }: Space, key: string): number | undefined => pending.newest(key)?.place ?? readNewestPlace(tables, key)

/** The write at a place; undefined when it is compacted. */
export const logRowOf = ({ tables, pending }: Space, place: number): LogRow | undefined => pending.at(place) ?? readLogRow(tables, place)

/** The live entry at a place; undefined when it is a deletion, or compacted. */
export function entryAt(space: Space, place: number | undefined): Entry | undefined {
  const row = place ? logRowOf(space, place) : undefined
  if (!place || !row || row.deleted) return undefined
  return { key: row.key, value: row.value, createRevision: row.created, modRevision: revisionOf(place) }
}
