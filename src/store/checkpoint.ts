/**
 * Checkpoints: moves the journal into lmdb in the background, some dozens of records per transaction, and only the last state of each key.
 * The transaction stores the sequence it goes up to, so a process that is killed half-way moves nothing twice and skips nothing.
 */
import type { Clock, Timer } from '../machinery/clock.ts'
import { isLoopShared, turn } from '../machinery/loop-sharing.ts'
import type { Logger } from '../machinery/log.ts'
import type { JournalRecord } from './journal-records.ts'
import { encodeHead, encodeLease, encodeLogRow, encodePlace, revisionOf } from './lmdb-tables.ts'
import type { LeaseRow, Stored, Tables, WrittenRow } from './lmdb-tables.ts'
import type { Transactions } from './lmdb-transactions.ts'
import type { Pending } from './pending.ts'

/** The most one transaction takes, alone and while the event loop is shared: more would hold it for too long. */
const step = { rows: { alone: 125, shared: 40 }, bytes: 2 ** 18 }
/** How much may be pending, in rows and bytes of the journal. During many writes that is a moment's worth: objects that live longer reach V8's old generation. */
const most = { rows: 500, bytes: 2 ** 20 }
/** Milliseconds a write may stay in the journal alone: an idle cluster writes to lmdb no more often than this. */
const patience = 30_000
/** Milliseconds before a failed checkpoint is retried; a write for which the journal has no room retries at once. */
const retryAfter = 10_000

export interface Checkpoints {
  /** Resolves when everything pending now is in lmdb. Throws `StoreWriteError`. */
  all(): Promise<void>
  /** Call after adding a record: starts a checkpoint when one is due. */
  consider(): void
  /** Stops the timer. */
  stop(): void
}

/** Puts the writes of records, in order, into the environment's current batch; returns the stored state after them. */
export function putRecords(tables: Tables, records: readonly JournalRecord[]): Partial<Stored> {
  const newest = new Map<string, WrittenRow>()
  const revived = new Set<string>()
  const leases = new Map<number, LeaseRow | undefined>()
  for (const record of records) {
    for (const write of record.writes) {
      tables.log.put(write.place, encodeLogRow(write))
      newest.set(write.key, write)
      if (write.replaced && !write.deleted && write.created === revisionOf(write.place)) revived.add(write.key)
    }
    for (const [lease, row] of record.leases) leases.set(lease, row)
  }
  for (const [key, write] of newest) {
    if (write.deleted) {
      tables.keys.remove(key)
      tables.tombs.put(key, encodePlace(write.place))
    } else {
      tables.keys.put(key, encodeHead(write))
      if (revived.has(key)) tables.tombs.remove(key)
    }
  }
  for (const [lease, row] of leases) void (row ? tables.leases.put(lease, encodeLease(row)) : tables.leases.remove(lease))
  const { state, sequence } = records.at(-1)!
  return { ...state, applied: sequence }
}

export interface CheckpointOptions {
  readonly tables: Tables
  readonly transactions: Transactions
  readonly pending: Pending
  readonly clock: Clock
  readonly log: Logger
  /** Bytes of the journal that may be pending, if less than the default. */
  readonly mostBytes: number
  /** Called with the sequence of the last record in lmdb. */
  readonly moved: (applied: number) => void
}

/** Moves pending records into lmdb, on a timer and on demand. */
export function createCheckpoints({ tables, transactions, pending, clock, log, mostBytes, moved }: CheckpointOptions): Checkpoints {
  let running: Promise<void> | undefined
  let timer: Timer | undefined
  /** The last checkpoint failed: the next one waits for the timer, or for a caller of `all`. */
  let failing = false
  let stopped = false

  const move = async () => {
    const end = pending.sequence() ?? 0
    while (transactions.stored().applied < end) {
      if (isLoopShared()) await turn()
      const records = pending.oldest(isLoopShared() ? step.rows.shared : step.rows.alone, step.bytes)
      await transactions.run(() => putRecords(tables, records))
      pending.drop(records.length)
      moved(transactions.stored().applied)
    }
  }
  const begin = () => (running ??= move().finally(() => { running = undefined }))
  const wait = (milliseconds: number) => {
    if (stopped) return
    timer?.cancel()
    timer = clock.after(milliseconds, inBackground)
  }
  const inBackground = () => {
    timer?.cancel()
    timer = undefined
    begin().then(() => { failing = false }, (error: unknown) => {
      failing = true
      if (stopped) return
      if (transactions.refusal()) return void log.error({ error: String(error) }, 'what is in the journal could not be moved into the database; writes are refused')
      log.warn({ error: String(error) }, 'what is in the journal could not be moved into the database; trying again')
      wait(retryAfter)
    })
  }
  return {
    async all() {
      // A running checkpoint lacks what was added since it began.
      await running?.catch(() => {})
      await begin()
    },
    consider() {
      if (stopped || running || failing) return
      if (pending.bytes >= Math.min(mostBytes, most.bytes) || pending.rows >= most.rows) inBackground()
      else if (!timer) wait(patience)
    },
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}
