/**
 * The layout on disk: one lmdb environment with five tables.
 *
 *   keys    key      → { created, place, lease }    the live keys, one small row each
 *   log     place    → { key, value, created, … }   every write in order: the history, and the values of live keys
 *   tombs   key      → place                        deletions that are not compacted yet
 *   leases  lease    → { seconds, expires }
 *   state   'state'  → { format, revision, compacted, swept, lastLease, applied, session, journal }
 *
 * A *place* is the position of a write in the log: its revision and its index within the transaction, in one number. Each
 * log row holds the place of the write it replaced, so a key's history is a chain that can be walked back.
 *
 * The newest writes are not here yet, but in the journal beside it (`journal.ts`) and in memory (`pending.ts`).
 */
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { firstRevision } from './rules.ts'

const perRevision = 2 ** 16

/** The place of write number `index` of a revision. */
export const placeOf = (revision: number, index: number): number => revision * perRevision + index
/** The revision of a place. */
export const revisionOf = (place: number): number => Math.floor(place / perRevision)

/** A row of `keys`. `lease` is 0 for none. */
export interface Head { readonly created: number; readonly place: number; readonly lease: number }

/** A row of `log`. */
export interface LogRow {
  readonly key: string
  readonly deleted: boolean
  readonly created: number
  /** The place of the write it replaced; 0 when the key was new. */
  readonly replaced: number
  readonly value: Uint8Array
}

/** One write: its row of the log, the place of that, and the key's lease from then on (0 for none). */
export interface WrittenRow extends LogRow { readonly place: number; readonly lease: number }

export interface State {
  readonly revision: number
  /** The oldest revision that can be read. */
  readonly compacted: number
  readonly lastLease: number
}

/** The state that is stored in lmdb, as of the last journal record that was moved there. */
export interface Stored extends State {
  /** How far the log has been swept of compacted writes. */
  readonly swept: number
  /** The sequence of the last journal record whose writes are here. */
  readonly applied: number
  /** The session of the journal records that may not be here yet; 0 when all are. */
  readonly session: number
  /** Bytes of each of the journal's files. */
  readonly journal: number
}

export interface LeaseRow { readonly seconds: number; readonly expires: number }

export interface Tables {
  readonly root: RootDatabase<Buffer, string>
  readonly keys: Database<Buffer, string>
  readonly log: Database<Buffer, number>
  readonly tombs: Database<Buffer, string>
  readonly leases: Database<Buffer, number>
  readonly state: Database<Buffer, string>
}

/** Incremented when the layout above changes. Format 1 had no journal. */
const format = 2

/** Opens the tables in a directory. With `durable: false` nothing is flushed: for measurements. */
export function openTables(path: string, durable: boolean): Tables {
  // Without overlapping sync a write transaction ends with fdatasync and a synchronous write of lmdb's root page, and only
  // then resolves: what is acknowledged is on disk. Nothing is easier to trust, and group commit makes it as fast.
  // Every write goes through `root.batch`, so batching by event turns has nothing to do, and its own promise nobody would await.
  const root = open<Buffer, string>({ path, encoding: 'binary', overlappingSync: false, eventTurnBatching: false, noSync: !durable, maxDbs: 8, noSubdir: false })
  const table = <K extends string | number>(name: string) => root.openDB<Buffer, K>(name, { encoding: 'binary' })
  return { root, keys: table('keys'), log: table('log'), tombs: table('tombs'), leases: table('leases'), state: table('state') }
}

const numbers = (...values: readonly number[]): Buffer => {
  const row = Buffer.allocUnsafe(values.length * 8)
  for (let i = 0; i < values.length; i++) row.writeDoubleLE(values[i]!, i * 8)
  return row
}
const number = (row: Buffer, index: number) => row.readDoubleLE(index * 8)

/** The binary forms of rows. */
export const encodeHead = (h: Head): Buffer => numbers(h.created, h.place, h.lease)
export const decodeHead = (row: Buffer): Head => ({ created: number(row, 0), place: number(row, 1), lease: number(row, 2) })
export const encodePlace = (place: number): Buffer => numbers(place)
export const encodeLease = (l: LeaseRow): Buffer => numbers(l.seconds, l.expires)
export const decodeLease = (row: Buffer): LeaseRow => ({ seconds: number(row, 0), expires: number(row, 1) })
const encodeStored = (s: Stored): Buffer => numbers(format, s.revision, s.compacted, s.swept, s.lastLease, s.applied, s.session, s.journal)

const logHeader = 19

/** How many bytes a row of the log takes. */
export const logRowBytes = (row: LogRow): number => logHeader + Buffer.byteLength(row.key) + row.value.length

/** Writes a row of the log to `at`; returns where it ends. */
export function writeLogRow(to: Buffer, at: number, row: LogRow): number {
  const keyAt = at + logHeader
  to[at] = row.deleted ? 1 : 0
  to.writeDoubleLE(row.created, at + 3)
  to.writeDoubleLE(row.replaced, at + 11)
  const keyLength = to.write(row.key, keyAt)
  to.writeUInt16LE(keyLength, at + 1)
  to.set(row.value, keyAt + keyLength)
  return keyAt + keyLength + row.value.length
}

/** A row of the log in binary. */
export function encodeLogRow(row: LogRow): Buffer {
  const encoded = Buffer.allocUnsafe(logRowBytes(row))
  writeLogRow(encoded, 0, row)
  return encoded
}

export function decodeLogRow(row: Buffer): LogRow {
  const valueAt = logHeader + row.readUInt16LE(1)
  return {
    deleted: row[0] === 1,
    created: row.readDoubleLE(3),
    replaced: row.readDoubleLE(11),
    key: row.toString('utf8', logHeader, valueAt),
    value: row.subarray(valueAt),
  }
}

/** The place of a key's newest write, which may be a deletion. */
export function readNewestPlace(tables: Tables, key: string): number | undefined {
  const row = tables.keys.getBinaryFast(key)
  if (row) return number(row, 1)
  return readTomb(tables, key)
}

/** The place of a key's deletion, until it is compacted. */
export function readTomb(tables: Tables, key: string): number | undefined {
  const tomb = tables.tombs.getBinaryFast(key)
  return tomb && number(tomb, 0)
}

/** The row of the log at a place; undefined when it is compacted. */
export function readLogRow(tables: Tables, place: number): LogRow | undefined {
  const row = tables.log.getBinary(place)
  return row && decodeLogRow(row)
}

/** The part of a log row that compaction needs, without copying the value. */
export function readLogLink(tables: Tables, place: number): { readonly deleted: boolean; readonly replaced: number } | undefined {
  const row = tables.log.getBinaryFast(place)
  return row && { deleted: row[0] === 1, replaced: row.readDoubleLE(11) }
}

/** The state in lmdb; for a new environment, that of an empty store. Throws when a newer version of Skiff wrote it. */
export function readStored(tables: Tables): Stored {
  const row = tables.state.getBinary('state')
  if (!row) return { revision: firstRevision, compacted: firstRevision, swept: firstRevision, lastLease: 0, applied: 0, session: 0, journal: 0 }
  const written = number(row, 0)
  const state = { revision: number(row, 1), compacted: number(row, 2), swept: number(row, 3), lastLease: number(row, 4) }
  if (written === 1) return { ...state, applied: 0, session: 0, journal: 0 }
  if (written !== format) throw new Error(`format ${written} is not known to this version, which writes format ${format}`)
  return { ...state, applied: number(row, 5), session: number(row, 6), journal: number(row, 7) }
}

/** The revision of the snapshot that reads use now. Ahead of the acknowledged one for an instant, after a draft too large for the journal. */
export function readRevision(tables: Tables): number {
  const row = tables.state.getBinaryFast('state')
  return row ? number(row, 1) : firstRevision
}

/** Puts the state into the environment's current batch. */
export const putStored = (tables: Tables, stored: Stored): void => void tables.state.put('state', encodeStored(stored))

/** The range of keys that start with a prefix. */
export const within = (prefix: string): { start?: string; end?: string } => (prefix === '' ? {} : { start: prefix, end: `${prefix}\u{10ffff}` })
