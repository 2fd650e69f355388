/** Compaction: deleting from the log what nobody may read any more. Costs what was written since the last time, not what is live. */
import type { Draft } from './lmdb-draft.ts'
import { placeOf, readLogLink, readLogRow, readTomb, revisionOf } from './lmdb-tables.ts'
import type { Tables } from './lmdb-tables.ts'

const most = { rows: 1000, milliseconds: 4 }

/**
 * Adds to a draft the removal of a stretch of history: of what each write up to revision `to` replaced, and of deletions
 * before it. Starts at the place `from`; returns where to go on, or undefined when all is swept.
 */
export function sweep(tables: Tables, draft: Draft, from: number, to: number): number | undefined {
  const began = performance.now()
  let rows = 0
  for (const place of tables.log.getKeys({ start: from, end: placeOf(to + 1, 0) })) {
    if (++rows > most.rows || performance.now() - began > most.milliseconds) return place
    const link = readLogLink(tables, place)
    if (link?.replaced) draft.also(() => void tables.log.remove(link.replaced), {})
    if (link?.deleted && revisionOf(place) < to) forgetDeletion(tables, draft, place)
  }
  draft.also(() => {}, { swept: to })
  return undefined
}

function forgetDeletion(tables: Tables, draft: Draft, place: number): void {
  const key = readLogRow(tables, place)!.key
  const current = readTomb(tables, key) === place && !draft.touches(key)
  draft.also(() => {
    tables.log.remove(place)
    if (current) tables.tombs.remove(key)
  }, {})
}
