/**
 * Reading: gets, ranges and the log, each as of one revision. Long reads go page by page and let others run in between;
 * no snapshot is held open meanwhile (lmdb could not reuse space behind it), because every page can be read as of the
 * revision the first one was: what changed since is found by walking its chain back.
 */
import { pause, stretch } from '../machinery/pausing.ts'
import { compareKeys } from './keys.ts'
import type { Change, ChangeBatch, Entry, Range, RangeOptions } from './store.ts'
import { decodeHead, placeOf, readLogRow, readNewestPlace, readRevision, readTomb, revisionOf, within } from './lmdb-tables.ts'
import type { Tables } from './lmdb-tables.ts'

const pageSize = 64
/** Milliseconds that reading the log may hold the event loop. */
const patience = 4

const nothing = new Uint8Array(0)

/** What a reader needs to know of the store: acknowledged, durable revisions. */
export interface Position {
  revision(): number
  /** The revision to read at: the one wanted, or the newest. Throws when it is compacted, not reached yet, or the store closed. */
  check(wanted: number | undefined): number
}

/** The place of the write that was the newest of its key at `revision`, walking back from `place`. */
function placeAt(tables: Tables, place: number | undefined, revision: number): number | undefined {
  let at = place
  while (at && revisionOf(at) > revision) at = readLogRow(tables, at)?.replaced
  return at || undefined
}

/** The live entry at a place; undefined for a deletion, and for what compaction has forgotten. */
export function entryAt(tables: Tables, place: number | undefined): Entry | undefined {
  const row = place ? readLogRow(tables, place) : undefined
  if (!place || !row || row.deleted) return undefined
  return { key: row.key, value: row.value, createRevision: row.created, modRevision: revisionOf(place) }
}

export const getAt = (tables: Tables, key: string, revision: number): Entry | undefined =>
  entryAt(tables, placeAt(tables, readNewestPlace(tables, key), revision))

interface Candidate { readonly key: string; readonly place: number; readonly created?: number }

/** Up to a page of keys after `after`, with where their newest writes stand; deleted ones among them when the snapshot is past `revision`. */
function candidates(tables: Tables, prefix: string, after: string | undefined, revision: number, wanted: number): { found: Candidate[]; last: boolean } {
  const from = after !== undefined && compareKeys(after, prefix) >= 0 ? { ...within(prefix), start: after, exclusiveStart: true } : within(prefix)
  const found: Candidate[] = []
  for (const { key, value } of tables.keys.getRange({ ...from, limit: wanted })) {
    const head = decodeHead(value)
    found.push({ key, place: head.place, created: head.created })
  }
  const last = found.length < wanted
  if (readRevision(tables) === revision) return { found, last }
  const to = last ? {} : { end: found.at(-1)!.key }
  const tombs: Candidate[] = []
  for (const key of tables.tombs.getKeys({ ...from, ...to })) tombs.push({ key, place: 0 })
  if (!tombs.length) return { found, last }
  const dead = tombs.map(({ key }) => ({ key, place: readTomb(tables, key)! }))
  return { found: [...found, ...dead].sort((a, b) => compareKeys(a.key, b.key)), last }
}

function entryOf(tables: Tables, c: Candidate, revision: number, keysOnly: boolean): Entry | undefined {
  if (keysOnly && c.created !== undefined && revisionOf(c.place) <= revision) {
    return { key: c.key, value: nothing, createRevision: c.created, modRevision: revisionOf(c.place) }
  }
  const entry = entryAt(tables, placeAt(tables, c.place, revision))
  return entry && keysOnly ? { ...entry, value: nothing } : entry
}

/** The entries under a prefix as of `revision`, in pages; lets others run between pages once it has held the event loop long enough. */
async function* pages(tables: Tables, position: Position, prefix: string, revision: number, options: { after?: string; size: number; keysOnly: boolean }): AsyncGenerator<Entry[], void> {
  let { after } = options
  let began = performance.now()
  for (;;) {
    const { found, last } = candidates(tables, prefix, after, revision, options.size)
    yield found.map((c) => entryOf(tables, c, revision, options.keysOnly)).filter((e) => e !== undefined)
    if (last) return
    after = found.at(-1)!.key
    if (performance.now() - began < stretch) continue
    await pause()
    position.check(revision)
    began = performance.now()
  }
}

async function countAt(tables: Tables, position: Position, prefix: string, revision: number): Promise<number> {
  if (readRevision(tables) === revision) return tables.keys.getKeysCount(within(prefix))
  let count = 0
  for await (const page of pages(tables, position, prefix, revision, { size: pageSize, keysOnly: true })) count += page.length
  return count
}

/** See `Store.range`. */
export async function rangeAt(tables: Tables, position: Position, prefix: string, options: RangeOptions): Promise<Range> {
  const revision = position.check(options.revision)
  const keysOnly = options.keysOnly === true
  const limit = options.limit || Infinity
  const count = options.uncounted ? undefined : await countAt(tables, position, prefix, revision)
  const entries: Entry[] = []
  for await (const page of pages(tables, position, prefix, revision, { after: options.after, size: Math.min(pageSize, limit + 1), keysOnly })) {
    entries.push(...page)
    if (entries.length > limit) return { entries: entries.slice(0, limit), revision, more: true, count: count ?? limit }
  }
  return { entries, revision, more: false, count: count ?? entries.length }
}

function changeAt(tables: Tables, place: number): Change | undefined {
  const row = readLogRow(tables, place)
  if (!row) return undefined
  const entry = { key: row.key, value: row.value, createRevision: row.created, modRevision: revisionOf(place) }
  return { type: row.deleted ? 'delete' : 'put', key: row.key, entry, previous: entryAt(tables, row.replaced) }
}

/** The changes in the log from a revision on, whole transactions, about `limit` of them and no more than one turn of the event loop may take. */
export function changesFrom(tables: Tables, position: Position, from: number, limit: number): ChangeBatch {
  const newest = position.revision()
  const began = performance.now()
  const changes: Change[] = []
  let revision = from
  for (const place of tables.log.getKeys({ start: placeOf(from, 0), end: placeOf(newest + 1, 0) })) {
    const at = revisionOf(place)
    if (at > revision && (changes.length >= limit || performance.now() - began > patience)) break
    revision = at
    const change = changeAt(tables, place)
    if (change) changes.push(change)
  }
  return { revision, changes }
}
