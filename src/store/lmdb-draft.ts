/**
 * A record of the journal being prepared: it takes the work of many callers, one after the other, each seeing the writes of those
 * before it, and becomes a list of rows to write. Readers see nothing of it until it has been flushed.
 */
import { LeaseNotFoundError } from './leases.ts'
import type { Leases } from './leases.ts'
import { entryAt, headOf, tombOf } from './lmdb-space.ts'
import type { Space } from './lmdb-space.ts'
import { logRowBytes, placeOf, revisionOf } from './lmdb-tables.ts'
import type { Head, LeaseRow, State, WrittenRow } from './lmdb-tables.ts'
import { maxWrites } from './rules.ts'
import type { Change, ChangeBatch, Commit, Entry, Transaction, Write } from './store.ts'

/** A key as the draft sees it; undefined when it does not exist. `value`: only for keys written in this draft. */
interface Known { readonly head: Head; readonly value?: Uint8Array }

export interface Draft {
  /** The rows of the log, in order. */
  readonly writes: readonly WrittenRow[]
  /** Each transaction's changes, in order. */
  readonly batches: readonly ChangeBatch[]
  /** Leases granted or renewed (a row) and ended (undefined). */
  readonly leases: ReadonlyMap<number, LeaseRow | undefined>
  /** The lease of each written key; 0 for none. */
  readonly attached: ReadonlyMap<string, number>
  readonly state: State
  /** The size of what is to be written, in rows and bytes; nothing at 0 rows. */
  readonly rows: number
  readonly bytes: number
  commit(transaction: Transaction): Commit
  grantLease(seconds: number, now: number): number
  renewLease(lease: number, now: number): void
  /** Ends a lease and deletes its keys. */
  endLease(lease: number): void
  /** The same, if the lease has expired and was not renewed or ended meanwhile. */
  expireLease(lease: number, now: number): void
  /** Moves the oldest revision that can be read. */
  compactTo(revision: number): void
}

const nothing = new Uint8Array(0)

/** The keys that the draft has read and written, over the key space. */
function createWritten(space: Space, writes: WrittenRow[]) {
  const known = new Map<string, Known | undefined>()
  const attached = new Map<string, number>()
  /** Where this draft last wrote a key: the write that is replaced when a key is deleted and created again in one draft. */
  const places = new Map<string, number>()
  let bytes = 0

  const look = (key: string): Known | undefined => {
    if (known.has(key)) return known.get(key)
    const head = headOf(space, key)
    const there = head && { head }
    known.set(key, there)
    return there
  }
  const entry = (key: string): Entry | undefined => {
    const k = look(key)
    if (!k) return undefined
    if (k.value) return { key, value: k.value, createRevision: k.head.created, modRevision: revisionOf(k.head.place) }
    return entryAt(space, k.head.place)
  }
  const write = (w: Write, place: number): Change | undefined => {
    const before = look(w.key)
    if (w.op === 'delete' && !before) return undefined
    const previous = entry(w.key)
    const created = before?.head.created ?? revisionOf(place)
    const value = w.op === 'put' ? w.value : nothing
    const head = { created, place, lease: w.op === 'put' ? (w.lease ?? 0) : 0 }
    const replaced = before?.head.place ?? places.get(w.key) ?? tombOf(space, w.key) ?? 0
    known.set(w.key, w.op === 'put' ? { head, value } : undefined)
    places.set(w.key, place)
    if (head.lease || before?.head.lease) attached.set(w.key, head.lease)
    const row = { key: w.key, deleted: w.op === 'delete', created, replaced, value, place, lease: head.lease }
    bytes += logRowBytes(row)
    writes.push(row)
    return { type: w.op, key: w.key, entry: { key: w.key, value, createRevision: created, modRevision: revisionOf(place) }, previous }
  }
  return { look, entry, write, attached, bytes: () => bytes }
}

export function createDraft(space: Space, before: State, leases: Leases): Draft {
  const rows: WrittenRow[] = []
  const keys = createWritten(space, rows)
  const leaseRows = new Map<number, LeaseRow | undefined>()
  const batches: ChangeBatch[] = []
  let state = before

  const leaseRow = (lease: number): LeaseRow => {
    const row = leaseRows.has(lease) ? leaseRows.get(lease) : leases.get(lease)
    if (!row) throw new LeaseNotFoundError(lease)
    return row
  }
  const apply = (all: readonly Write[]) => {
    const revision = state.revision + 1
    const changes = all.map((w, i) => keys.write(w, placeOf(revision, i))).filter((c) => c !== undefined)
    if (!changes.length) return
    state = { ...state, revision }
    batches.push({ revision, changes })
  }

  const endLease = (lease: number) => {
    leaseRow(lease)
    const held = new Set(leases.keysOf(lease).filter((key) => (keys.attached.get(key) ?? lease) === lease))
    for (const [key, holder] of keys.attached) if (holder === lease) held.add(key)
    const deletions = [...held].map((key) => ({ op: 'delete', key }) as const)
    for (let i = 0; i < deletions.length; i += maxWrites) apply(deletions.slice(i, i + maxWrites))
    leaseRows.set(lease, undefined)
  }

  return {
    writes: rows,
    batches,
    leases: leaseRows,
    attached: keys.attached,
    get state() { return state },
    get rows() { return rows.length + leaseRows.size + (state === before ? 0 : 1) },
    get bytes() { return keys.bytes() },
    commit({ conditions = [], writes }) {
      if (conditions.some((c) => revisionOf(keys.look(c.key)?.head.place ?? 0) !== c.modRevision)) {
        return { committed: false, revision: state.revision, current: conditions.map((c) => keys.entry(c.key)) }
      }
      for (const w of writes) if (w.op === 'put' && w.lease) leaseRow(w.lease)
      apply(writes)
      return { committed: true, revision: state.revision }
    },
    grantLease(seconds, now) {
      const lease = state.lastLease + 1
      state = { ...state, lastLease: lease }
      leaseRows.set(lease, { seconds, expires: now + seconds * 1000 })
      return lease
    },
    renewLease(lease, now) {
      const { seconds } = leaseRow(lease)
      leaseRows.set(lease, { seconds, expires: now + seconds * 1000 })
    },
    endLease,
    expireLease(lease, now) {
      const row = leaseRows.has(lease) ? leaseRows.get(lease) : leases.get(lease)
      if (row && row.expires <= now) endLease(lease)
    },
    compactTo(revision) {
      if (revision > state.compacted) state = { ...state, compacted: revision }
    },
  }
}
