/** The store on disk, in lmdb, for a cluster on one machine. See the diagram in `README.md`. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../machinery/clock.ts'
import type { Clock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import type { Logger } from '../machinery/log.ts'
import { createCheckpoints } from './checkpoint.ts'
import type { Checkpoints } from './checkpoint.ts'
import { createNews, follow } from './follow.ts'
import type { History } from './follow.ts'
import { journalFiles, recover } from './journal.ts'
import type { Recovered } from './journal.ts'
import type { JournalRecord } from './journal-records.ts'
import { createLeases } from './leases.ts'
import type { Leases } from './leases.ts'
import { sweep } from './lmdb-compact.ts'
import { StoreOpenError, checkDataFile, damaged, lockDirectory, prepareDirectory } from './lmdb-open.ts'
import { changesFrom, getAt, rangeAt } from './lmdb-read.ts'
import { decodeHead, decodeLease, openTables, placeOf, readStored } from './lmdb-tables.ts'
import type { LeaseRow, Tables } from './lmdb-tables.ts'
import { createTransactions } from './lmdb-transactions.ts'
import type { Transactions } from './lmdb-transactions.ts'
import { createWriter } from './lmdb-writer.ts'
import type { Writer } from './lmdb-writer.ts'
import { createPending } from './pending.ts'
import { StoreClosedError, checkReadable, checkTransaction } from './rules.ts'
import { CompactedError } from './store.ts'
import type { Store } from './store.ts'
import { createTail } from './tail.ts'

export interface LmdbStoreOptions {
  /** The store's own directory; created if missing. */
  readonly path: string
  readonly log?: Logger
  /** False leaves flushing to the operating system: a crash of the machine may take the last seconds. For measurements. */
  readonly durable?: boolean
  /** For the expiry of leases, and for checkpoints. */
  readonly clock?: Clock
  /** Size of each of the two journal files, in bytes, whole pages. Files with records keep their size. */
  readonly journalBytes?: number
}

/**
 * Opens or creates the store in a directory. Rejects with `StoreOpenError` when the directory is not writable, is in use
 * by another process, or holds a damaged file.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { path, log = quiet, durable = true, clock = systemClock, journalBytes = 4 * 2 ** 20 } = options
  prepareDirectory(path)
  const unlock = lockDirectory(path)
  let tables: Tables | undefined
  try {
    tables = openChecked(path, durable)
    return assemble({ path, log, durable, clock, journalBytes, tables, unlock })
  } catch (error) {
    await tables?.root.close()
    unlock()
    throw error
  }
}

function openChecked(path: string, durable: boolean): Tables {
  checkDataFile(path)
  try {
    const tables = openTables(path, durable)
    readStored(tables)
    return tables
  } catch (error) {
    throw new StoreOpenError(damaged(join(path, 'data.mdb'), (error as Error).message), error)
  }
}

/** An empty journal. */
const fresh: Recovered = { records: [], position: { file: 0, at: 0, last: [0, 0] } }

/** Restores the leases from lmdb, and then from the journal records that it lacks. */
function restoreLeases(tables: Tables, records: readonly JournalRecord[], leases: Leases): void {
  let any = false
  for (const { key, value } of tables.leases.getRange({})) {
    leases.set(key, decodeLease(value))
    any = true
  }
  if (any) {
    for (const { key, value } of tables.keys.getRange({})) {
      const { lease } = decodeHead(value)
      if (lease) leases.attach(key, lease)
    }
  }
  for (const record of records) remember(leases, record.leases, record.writes.map(({ key, lease }) => [key, lease]))
}

function remember(leases: Leases, rows: Iterable<readonly [number, LeaseRow | undefined]>, attached: Iterable<readonly [string, number]>): void {
  const ended: number[] = []
  for (const [lease, row] of rows) {
    if (row) leases.set(lease, row)
    else ended.push(lease)
  }
  for (const [key, lease] of attached) leases.attach(key, lease)
  for (const lease of ended) leases.drop(lease)
}

interface Parts { readonly tables: Tables; readonly transactions: Transactions; readonly checkpoints: Checkpoints; readonly writer: Writer }

/** Compactions, one at a time: first the new boundary, durably, then the sweep of what lmdb has behind it. */
function createCompactor({ tables, transactions, checkpoints, writer }: Parts, moved: (to: number) => void) {
  let last: Promise<unknown> = Promise.resolve()
  const compact = async (to: number) => {
    await writer.run((draft) => draft.compactTo(to))
    moved(to)
    await checkpoints.all()
    let from: number | undefined = placeOf(transactions.stored().swept, 0)
    while (from !== undefined) from = await sweepFrom(from, to)
  }
  const sweepFrom = async (from: number, to: number) => {
    let next: number | undefined
    await transactions.run(() => {
      next = sweep(tables, from, to)
      return next === undefined ? { swept: to } : {}
    })
    return next
  }
  return (to: number): Promise<void> => {
    const mine = last.catch(() => {}).then(() => {
      const { compacted } = writer.state()
      if (to < compacted) throw new CompactedError(compacted)
      return compact(to)
    })
    last = mine
    return mine
  }
}

interface Opened extends Required<LmdbStoreOptions> { readonly tables: Tables; readonly unlock: () => void }

function assemble(options: Opened): Store {
  const { path, clock, log, tables, unlock } = options
  const transactions = createTransactions(path, tables)
  const pending = createPending()
  const space = { tables, pending }
  const stored = transactions.stored()
  const recovered = stored.session ? recover(path, stored) : fresh
  for (const { record, bytes } of recovered.records) pending.add(record, bytes)
  const newest = recovered.records.at(-1)?.record
  const { revision: reached, compacted: forgotten, lastLease } = newest?.state ?? stored
  if (newest) log.info({ records: recovered.records.length, revision: newest.state.revision }, 'writes were taken from the journal')

  const news = createNews()
  const tail = createTail()
  const expire = (lease: number): void => {
    writer.run((draft) => draft.expireLease(lease, clock.now())).catch((error: unknown) => {
      if (news.closed) return
      log.warn({ lease, error: String(error) }, 'a lease could not be ended; trying again')
      clock.after(5_000, () => expire(lease))
    })
  }
  const leases = createLeases(clock, (over) => over.forEach(expire))
  const journalBytes = stored.session ? stored.journal : options.journalBytes
  const checkpoints = createCheckpoints({ tables, transactions, pending, clock, log, mostBytes: journalBytes / 2, moved: (applied) => writer.release(applied) })
  const writer = createWriter({
    ...options, journalBytes, space, transactions, checkpoints, leases,
    begin: { state: { revision: reached, compacted: forgotten, lastLease }, sequence: newest?.sequence ?? stored.applied, position: recovered.position },
    flushed(draft) {
      remember(leases, draft.leases, draft.attached)
      tail.add(draft.batches)
      if (draft.batches.length) news.publish()
    },
  })
  restoreLeases(tables, recovered.records.map(({ record }) => record), leases)
  checkpoints.consider()

  const open = () => {
    if (news.closed) throw new StoreClosedError()
  }
  const revision = () => writer.state().revision
  const compacted = () => writer.state().compacted
  const position = {
    revision,
    check(wanted: number | undefined) {
      open()
      return checkReadable(wanted, revision(), compacted())
    },
  }
  const history: History = { revision, compacted, news, read: (from, limit) => tail.read(from, limit) ?? changesFrom(space, position, from, limit) }
  const compactTo = createCompactor({ tables, transactions, checkpoints, writer }, tail.forget)
  let closing: Promise<void> | undefined
  const close = async () => {
    leases.stop()
    await writer.close()
    checkpoints.stop()
    // If this fails, the journal still has everything for the next start.
    await checkpoints.all().then(() => (transactions.stored().session ? transactions.run(() => ({ session: 0 })) : undefined)).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'the journal could not be emptied; the next start reads it')
    })
    await transactions.close()
    news.close()
    await tables.root.close()
    unlock()
  }

  return {
    revision: async () => revision(),
    compacted: async () => compacted(),
    get: async (key, o) => getAt(space, key, position.check(o?.revision)),
    range: async (prefix, o = {}) => rangeAt(space, position, prefix, o),
    async commit(transaction) {
      open()
      checkTransaction(transaction)
      return writer.run((draft) => draft.commit(transaction))
    },
    watch(prefix, o) {
      open()
      return follow(history, prefix, o)
    },
    compact: async (to) => compactTo(position.check(to)),
    grantLease: async (seconds) => writer.run((draft) => draft.grantLease(seconds, clock.now())),
    renewLease: async (lease) => writer.run((draft) => draft.renewLease(lease, clock.now())),
    revokeLease: async (lease) => writer.run((draft) => draft.endLease(lease)),
    size: async () => ['data.mdb', ...journalFiles].reduce((sum, name) => sum + (statSync(join(path, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0),
    close: () => (closing ??= close()),
  }
}
