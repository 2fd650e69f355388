/** Compaction: deletes from the log what can no longer be read. Costs as much as was written since the last one, however much is live. */
import { placeOf, readLogLink, readLogRow, readTomb, revisionOf } from './lmdb-tables.ts'
import type { Tables } from './lmdb-tables.ts'

const most = { rows: 1000, milliseconds: 4 }

/**
 * Removes a part of the history, in the environment's current batch: what each write up to revision `to` replaced, and deletions before it.
 * All of these must be in lmdb already. Starts at the place `from`; returns where to continue, or undefined when all is swept.
 */
export function sweep(tables: Tables, from: number, to: number): number | undefined {
  const began = performance.now()
  let rows = 0
  for (const place of tables.log.getKeys({ start: from, end: placeOf(to + 1, 0) })) {
    if (++rows > most.rows || performance.now() - began > most.milliseconds) return place
    const link = readLogLink(tables, place)
    if (link?.replaced) tables.log.remove(link.replaced)
    if (!link?.deleted || revisionOf(place) >= to) continue
    const { key } = readLogRow(tables, place)!
    tables.log.remove(place)
    if (readTomb(tables, key) === place) tables.tombs.remove(key)
  }
  return undefined
}
