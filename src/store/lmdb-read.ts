/**
 * Reads: gets, ranges and the log, each as of one revision. Long reads go page by page and let others run in between. No snapshot
 * is held open meanwhile (lmdb could not reuse space behind it), because every page can be read as of the first one's revision:
 * for keys that changed since, the chain of their writes is walked back.
 */
import { pause, stretch } from '../machinery/pausing.ts'
import { compareKeys, position as positionIn } from './keys.ts'
import { entryAt, logRowOf, newestPlaceOf } from './lmdb-space.ts'
import type { Space } from './lmdb-space.ts'
import { decodeHead, placeOf, readRevision, readTomb, revisionOf, within } from './lmdb-tables.ts'
import type { Change, ChangeBatch, Entry, Range, RangeOptions } from './store.ts'

const pageSize = 64
/** Milliseconds that reading the log may hold the event loop. */
const patience = 4

const nothing = new Uint8Array(0)

/** What a reader needs to know of the store: acknowledged, durable revisions. */
export interface Position {
  revision(): number
  /** The revision to read at: the one wanted, or the newest. Throws when it is compacted or not reached yet, or the store is closed. */
  check(wanted: number | undefined): number
}

/** The place of the key's newest write at `revision`, found by walking back from `place`. */
function placeAt(space: Space, place: number | undefined, revision: number): number | undefined {
  let at = place
  while (at && revisionOf(at) > revision) at = logRowOf(space, at)?.replaced
  return at || undefined
}

/** A key's entry as of a revision. */
export const getAt = (space: Space, key: string, revision: number): Entry | undefined =>
  entryAt(space, placeAt(space, newestPlaceOf(space, key), revision))

interface Candidate { readonly key: string; readonly place: number; readonly created?: number }

interface Page {
  readonly prefix: string
  readonly after: string | undefined
  /** How many keys to take from lmdb. */
  readonly size: number
  /** Whether the newest revision is read: then deletions in lmdb do not matter. */
  readonly newest: boolean
  /** The keys with the prefix that the journal writes, in order. */
  readonly written: readonly string[]
}

/** Where the keys after `key` begin. */
function behind(sorted: readonly string[], key: string): number {
  const at = positionIn(sorted, key)
  return sorted[at] === key ? at + 1 : at
}

/** Whether the newest writes, in lmdb and in the journal, are those of the revision. */
const isNewest = ({ tables }: Space, position: Position, revision: number): boolean => position.revision() === revision && readRevision(tables) <= revision

/** About a page of keys after `after`, with the places of their newest writes; deleted keys may be among them. */
function candidates({ tables, pending }: Space, { prefix, after, size, newest, written }: Page): { found: Candidate[]; last: boolean } {
  const from = after !== undefined && compareKeys(after, prefix) >= 0 ? { ...within(prefix), start: after, exclusiveStart: true } : within(prefix)
  const found: Candidate[] = []
  for (const { key, value } of tables.keys.getRange({ ...from, limit: size })) {
    const head = decodeHead(value)
    found.push({ key, place: head.place, created: head.created })
  }
  const last = found.length < size
  const end = last ? undefined : found.at(-1)!.key
  const dead = newest ? [] : [...tables.tombs.getKeys({ ...from, ...(end === undefined ? {} : { end }) })]
  const over = written.slice(after === undefined ? 0 : behind(written, after), end === undefined ? undefined : behind(written, end))
  if (!dead.length && !over.length) return { found, last }
  const all = new Map(found.map((c) => [c.key, c]))
  for (const key of dead) all.set(key, { key, place: readTomb(tables, key)! })
  for (const key of over) {
    const { place, deleted, created } = pending.newest(key)!
    all.set(key, deleted ? { key, place } : { key, place, created })
  }
  return { found: [...all.values()].sort((a, b) => compareKeys(a.key, b.key)), last }
}

function entryOf(space: Space, c: Candidate, revision: number, keysOnly: boolean): Entry | undefined {
  if (keysOnly && c.created !== undefined && revisionOf(c.place) <= revision) {
    return { key: c.key, value: nothing, createRevision: c.created, modRevision: revisionOf(c.place) }
  }
  const entry = entryAt(space, placeAt(space, c.place, revision))
  return entry && keysOnly ? { ...entry, value: nothing } : entry
}

/** The entries under a prefix as of `revision`, in pages; yields to others between pages once it has held the event loop long enough. */
async function* pages(space: Space, position: Position, prefix: string, revision: number, options: { after?: string; size: number; keysOnly: boolean }): AsyncGenerator<Entry[], void> {
  const { pending } = space
  let { after } = options
  let began = performance.now()
  let written = pending.keys(prefix)
  for (let { version } = pending; ; ) {
    if (version !== pending.version) {
      written = pending.keys(prefix)
      version = pending.version
    }
    const { found, last } = candidates(space, { prefix, after, size: options.size, newest: isNewest(space, position, revision), written })
    yield found.map((c) => entryOf(space, c, revision, options.keysOnly)).filter((e) => e !== undefined)
    if (last) return
    after = found.at(-1)!.key
    if (performance.now() - began < stretch) continue
    await pause()
    position.check(revision)
    began = performance.now()
  }
}

async function countAt(space: Space, position: Position, prefix: string, revision: number): Promise<number> {
  const { tables, pending } = space
  let count = 0
  if (isNewest(space, position, revision)) {
    count = tables.keys.getKeysCount(within(prefix))
    for (const key of pending.keys(prefix)) count += (pending.newest(key)!.deleted ? 0 : 1) - (tables.keys.doesExist(key) ? 1 : 0)
    return count
  }
  for await (const page of pages(space, position, prefix, revision, { size: pageSize, keysOnly: true })) count += page.length
  return count
}

/** See `Store.range`. */
export async function rangeAt(space: Space, position: Position, prefix: string, options: RangeOptions): Promise<Range> {
  const revision = position.check(options.revision)
  const keysOnly = options.keysOnly === true
  const limit = options.limit || Infinity
  const count = options.uncounted ? undefined : await countAt(space, position, prefix, revision)
  const entries: Entry[] = []
  for await (const page of pages(space, position, prefix, revision, { after: options.after, size: Math.min(pageSize, limit + 1), keysOnly })) {
    entries.push(...page)
    if (entries.length > limit) return { entries: entries.slice(0, limit), revision, more: true, count: count ?? limit }
  }
  return { entries, revision, more: false, count: count ?? entries.length }
}

function changeAt(space: Space, place: number): Change | undefined {
  const row = logRowOf(space, place)
  if (!row) return undefined
  const entry = { key: row.key, value: row.value, createRevision: row.created, modRevision: revisionOf(place) }
  return { type: row.deleted ? 'delete' : 'put', key: row.key, entry, previous: entryAt(space, row.replaced) }
}

/** The places of the log from a revision on, in order: those in lmdb, then those only in the journal. */
function* placesFrom({ tables, pending }: Space, from: number, to: number): Generator<number, void> {
  let last = placeOf(from, 0) - 1
  for (const place of tables.log.getKeys({ start: last + 1, end: placeOf(to + 1, 0) })) yield (last = place)
  yield* pending.places(last + 1)
}

/** The changes in the log from a revision on: whole transactions, about `limit` changes, and no more than one turn of the event loop may take. */
export function changesFrom(space: Space, position: Position, from: number, limit: number): ChangeBatch {
  const began = performance.now()
  const changes: Change[] = []
  let revision = from
  for (const place of placesFrom(space, from, position.revision())) {
    const at = revisionOf(place)
    if (at > revision && (changes.length >= limit || performance.now() - began > patience)) break
    revision = at
    const change = changeAt(space, place)
    if (change) changes.push(change)
  }
  return { revision, changes }
}
