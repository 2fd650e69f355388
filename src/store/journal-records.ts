/**
 * The records of the journal: one for each committed draft, with everything it changes in lmdb's tables.
 *
 *   header  magic, CRC-32 of the rest, length, number of writes, number of leases, session, sequence, base revision, state after it
 *   writes  place, lease, length, the row of the log
 *   leases  lease, seconds (-1: it has ended), expires
 *
 * Records are page-aligned and padded with zeros, so that no write touches a page of an acknowledged record.
 */
import { crc32 } from 'node:zlib'
import { decodeLogRow, logRowBytes, writeLogRow } from './lmdb-tables.ts'
import type { LeaseRow, State, WrittenRow } from './lmdb-tables.ts'

/** The size of a page, on disks and in lmdb. */
export const pageBytes = 4096

export interface JournalRecord {
  /** Random and secret: a value that a client wrote cannot be mistaken for a record. */
  readonly session: number
  /** Increases by one with each record. */
  readonly sequence: number
  /** The revision before the record. */
  readonly base: number
  readonly state: State
  readonly writes: readonly WrittenRow[]
  /** Leases granted or renewed (a row) and ended (undefined). */
  readonly leases: readonly (readonly [number, LeaseRow | undefined])[]
}

const magic = 0x4a464b53
const headerBytes = 72
const writeBytes = 20
const leaseBytes = 24
const ended = -1

const paddedTo = (bytes: number): number => Math.ceil(bytes / pageBytes) * pageBytes

/** Encodes records into whole pages. The buffer is reused for the next record. Returns undefined for a record of more than `most` bytes. */
export function createRecordEncoder(most: number): (record: JournalRecord) => Buffer | undefined {
  let memory = Buffer.alloc(0)
  return ({ session, sequence, base, state, writes, leases }) => {
    const sizes = writes.map(logRowBytes)
    const length = sizes.reduce((sum, size) => sum + writeBytes + size, headerBytes + leases.length * leaseBytes)
    if (paddedTo(length) > most) return undefined
    if (memory.length < paddedTo(length)) memory = Buffer.allocUnsafeSlow(paddedTo(length * 2))
    const to = memory.subarray(0, paddedTo(length))
    for (const [i, value] of [magic, 0, length, writes.length, leases.length, 0].entries()) to.writeUInt32LE(value, i * 4)
    let at = numbers(to, 24, session, sequence, base, state.revision, state.compacted, state.lastLease)
    for (let i = 0; i < writes.length; i++) {
      at = numbers(to, at, writes[i]!.place, writes[i]!.lease)
      at = writeLogRow(to, to.writeUInt32LE(sizes[i]!, at), writes[i]!)
    }
    for (const [lease, row] of leases) at = numbers(to, at, lease, row?.seconds ?? ended, row?.expires ?? 0)
    // The buffer's old contents must not reach the disk.
    to.fill(0, at)
    to.writeUInt32LE(crc32(to.subarray(8, length)), 4)
    return to
  }
}

function numbers(to: Buffer, at: number, ...values: readonly number[]): number {
  for (const value of values) at = to.writeDoubleLE(value, at)
  return at
}

/** The size of the record at `at`, in bytes, whole pages; 0 when there is no complete record of the session. */
export function recordBytes(file: Buffer, at: number, session: number): number {
  if (file.length - at < headerBytes || file.readUInt32LE(at) !== magic || file.readDoubleLE(at + 24) !== session) return 0
  const length = file.readUInt32LE(at + 8)
  if (length < headerBytes || at + length > file.length || crc32(file.subarray(at + 8, at + length)) !== file.readUInt32LE(at + 4)) return 0
  return paddedTo(length)
}

/** The sequence of the record at `at`. */
export const recordSequence = (file: Buffer, at: number): number => file.readDoubleLE(at + 32)

/** Decodes the record at `from`, which `recordBytes` has found complete. */
export function decodeRecord(file: Buffer, from: number): JournalRecord {
  let at = from + 24
  const number = () => file.readDoubleLE((at += 8) - 8)
  const [session, sequence, base, revision, compacted, lastLease] = [number(), number(), number(), number(), number(), number()]
  const writes = Array.from({ length: file.readUInt32LE(from + 12) }, (): WrittenRow => {
    const [place, lease] = [number(), number()]
    const length = file.readUInt32LE(at)
    const row = decodeLogRow(file.subarray(at + 4, at + 4 + length))
    at += 4 + length
    return { ...row, value: Buffer.from(row.value), place, lease }
  })
  const leases = Array.from({ length: file.readUInt32LE(from + 16) }, () => {
    const [lease, seconds, expires] = [number(), number(), number()]
    return [lease, seconds === ended ? undefined : { seconds, expires }] as const
  })
  return { session, sequence, base, state: { revision, compacted, lastLease }, writes, leases }
}
