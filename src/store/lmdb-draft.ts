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

/** A live key as the draft sees it, with its value if that is at hand. */
type Known = Head & { readonly value?: Uint8Array }

const nothing = new Uint8Array(0)
const noLeases: ReadonlyMap<number, never> = new Map<number, never>()
const notAttached: ReadonlyMap<string, never> = new Map<string, never>()

/** The revision at which a live key was last written; 0 for one that is not there. */
const modified = (known: Known | undefined): number => (known ? revisionOf(known.place) : 0)

/** A class, with few objects of its own: there is one draft to a few writes, and V8 keeps the accessors of object literals in the old generation. */
export class Draft {
  readonly #writes: WrittenRow[] = []
  readonly #batches: ChangeBatch[] = []
  /** The rows of the log, in order. */
  readonly writes: readonly WrittenRow[] = this.#writes
  /** Each transaction's changes, in order. */
  readonly batches: readonly ChangeBatch[] = this.#batches
  readonly #space: Space
  readonly #before: State
  readonly #granted: Leases
  #state: State
  #bytes = 0
  /** The keys that the draft has read and written; undefined for those that are not there. */
  readonly #known = new Map<string, Known | undefined>()
  #attached: Map<string, number> | undefined
  #leases: Map<number, LeaseRow | undefined> | undefined
  /** Where this draft deleted a key: the write that is replaced when the key is created again. */
  #deleted: Map<string, number> | undefined

  constructor(space: Space, before: State, leases: Leases) {
    this.#space = space
    this.#before = before
    this.#state = before
    this.#granted = leases
  }

  get state(): State { return this.#state }
  /** The size of what is to be written, in rows and bytes; nothing at 0 rows. */
  get rows(): number { return this.writes.length + this.leases.size + (this.#state === this.#before ? 0 : 1) }
  get bytes(): number { return this.#bytes }
  /** Leases granted or renewed (a row) and ended (undefined). */
  get leases(): ReadonlyMap<number, LeaseRow | undefined> { return this.#leases ?? noLeases }
  /** The lease of each written key that has one, or had; 0 for none. */
  get attached(): ReadonlyMap<string, number> { return this.#attached ?? notAttached }

  #look(key: string): Known | undefined {
    const known = this.#known.get(key)
    if (known || this.#known.has(key)) return known
    const head = headOf(this.#space, key)
    this.#known.set(key, head)
    return head
  }

  #entry(key: string): Entry | undefined {
    const known = this.#look(key)
    if (!known?.value) return known && entryAt(this.#space, known.place)
    return { key, value: known.value, createRevision: known.created, modRevision: revisionOf(known.place) }
  }

  #write(w: Write, place: number): Change | undefined {
    const { key } = w
    const before = this.#look(key)
    const deleted = w.op === 'delete'
    if (deleted && !before) return undefined
    const previous = this.#entry(key)
    const created = before?.created ?? revisionOf(place)
    const value = deleted ? nothing : w.value
    const lease = deleted ? 0 : (w.lease ?? 0)
    const replaced = before?.place ?? this.#deleted?.get(key) ?? tombOf(this.#space, key) ?? 0
    const row: WrittenRow = { key, deleted, created, replaced, value, place, lease }
    this.#known.set(key, deleted ? undefined : row)
    if (deleted) (this.#deleted ??= new Map()).set(key, place)
    if (lease || before?.lease) (this.#attached ??= new Map()).set(key, lease)
    this.#bytes += logRowBytes(row)
    this.#writes.push(row)
    return { type: w.op, key, entry: { key, value, createRevision: created, modRevision: revisionOf(place) }, previous }
  }

  #apply(writes: readonly Write[]): void {
    const revision = this.#state.revision + 1
    const changes: Change[] = []
    for (let i = 0; i < writes.length; i++) {
      const change = this.#write(writes[i]!, placeOf(revision, i))
      if (change) changes.push(change)
    }
    if (changes.length === 0) return
    this.#state = { ...this.#state, revision }
    this.#batches.push({ revision, changes })
  }

  #setLease(lease: number, row: LeaseRow | undefined): void { (this.#leases ??= new Map()).set(lease, row) }

  #leaseNow(lease: number): LeaseRow | undefined { return this.leases.has(lease) ? this.leases.get(lease) : this.#granted.get(lease) }

  #lease(lease: number): LeaseRow {
    const row = this.#leaseNow(lease)
    if (!row) throw new LeaseNotFoundError(lease)
    return row
  }

  /** Throws `LeaseNotFoundError` before it writes anything. */
  commit({ conditions = [], writes }: Transaction): Commit {
    for (const { key, modRevision } of conditions) {
      if (modified(this.#look(key)) !== modRevision) return { committed: false, revision: this.#state.revision, current: conditions.map((c) => this.#entry(c.key)) }
    }
    for (const w of writes) if (w.op === 'put' && w.lease) this.#lease(w.lease)
    this.#apply(writes)
    return { committed: true, revision: this.#state.revision }
  }

  grantLease(seconds: number, now: number): number {
    const lease = this.#state.lastLease + 1
    this.#state = { ...this.#state, lastLease: lease }
    this.#setLease(lease, { seconds, expires: now + seconds * 1000 })
    return lease
  }

  renewLease(lease: number, now: number): void {
    const { seconds } = this.#lease(lease)
    this.#setLease(lease, { seconds, expires: now + seconds * 1000 })
  }

  /** Ends a lease and deletes its keys. */
  endLease(lease: number): void {
    this.#lease(lease)
    const { attached } = this
    const held = new Set(this.#granted.keysOf(lease).filter((key) => (attached.get(key) ?? lease) === lease))
    for (const [key, holder] of attached) if (holder === lease) held.add(key)
    const deletions = [...held].map((key) => ({ op: 'delete', key }) as const)
    for (let i = 0; i < deletions.length; i += maxWrites) this.#apply(deletions.slice(i, i + maxWrites))
    this.#setLease(lease, undefined)
  }

  /** The same, if the lease has expired and was not renewed or ended meanwhile. */
  expireLease(lease: number, now: number): void {
    const row = this.#leaseNow(lease)
    if (row && row.expires <= now) this.endLease(lease)
  }

  /** Moves the oldest revision that can be read. */
  compactTo(revision: number): void {
    if (revision > this.#state.compacted) this.#state = { ...this.#state, compacted: revision }
  }
}
