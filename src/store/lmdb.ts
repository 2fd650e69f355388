/** The key space on disk, in lmdb: the store of a cluster on one machine. `README.md` has the picture. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../machinery/clock.ts'
import type { Clock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import type { Logger } from '../machinery/log.ts'
import { createNews, follow } from './follow.ts'
import type { History } from './follow.ts'
import { createLeases } from './leases.ts'
import type { Leases } from './leases.ts'
import { sweep } from './lmdb-compact.ts'
import type { Draft } from './lmdb-draft.ts'
import { StoreOpenError, checkDataFile, damaged, lockDirectory, prepareDirectory } from './lmdb-open.ts'
import { changesFrom, getAt, rangeAt } from './lmdb-read.ts'
import { decodeHead, decodeLease, openTables, placeOf, readState } from './lmdb-tables.ts'
import type { Tables } from './lmdb-tables.ts'
import { createWriter } from './lmdb-writer.ts'
import type { Writer } from './lmdb-writer.ts'
import { StoreClosedError, checkReadable, checkTransaction } from './rules.ts'
import { CompactedError } from './store.ts'
import type { Store } from './store.ts'
import { createTail } from './tail.ts'

export interface LmdbStoreOptions {
  /** A directory of the store's own; made when it is not there. */
  readonly path: string
  readonly log?: Logger
  /** False leaves flushing to the operating system: a crash of the machine may take the last seconds. For measurements. */
  readonly durable?: boolean
  /** Decides when leases end. */
  readonly clock?: Clock
}

/**
 * Opens, or makes, the store in a directory. Rejects with `StoreOpenError` when the directory cannot be written, is in use
 * by another process, or holds a damaged file.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { path, log = quiet, durable = true, clock = systemClock } = options
  prepareDirectory(path)
  const unlock = lockDirectory(path)
  try {
    const tables = openChecked(path, durable)
    return assemble(path, tables, clock, log, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function openChecked(path: string, durable: boolean): Tables {
  checkDataFile(path)
  try {
    const tables = openTables(path, durable)
    readState(tables)
    return tables
  } catch (error) {
    throw new StoreOpenError(damaged(join(path, 'data.mdb'), (error as Error).message), error)
  }
}

/** Fills the lease book from disk. */
function restoreLeases(tables: Tables, leases: Leases): void {
  let any = false
  for (const { key, value } of tables.leases.getRange({})) {
    leases.set(key, decodeLease(value))
    any = true
  }
  if (!any) return
  for (const { key, value } of tables.keys.getRange({})) {
    const { lease } = decodeHead(value)
    if (lease) leases.attach(key, lease)
  }
}

function remember(leases: Leases, draft: Draft): void {
  for (const [lease, row] of draft.leases) if (row) leases.set(lease, row)
  for (const [key, lease] of draft.attached) leases.attach(key, lease)
  for (const [lease, row] of draft.leases) if (!row) leases.drop(lease)
}

/** Compactions, one after the other: the new boundary first, durably, and then the sweeping behind it. */
function createCompactor(tables: Tables, writer: Writer, moved: (to: number) => void) {
  let last: Promise<unknown> = Promise.resolve()
  const compact = async (to: number) => {
    await writer.run((draft) => draft.also(() => {}, { compacted: Math.max(to, draft.state.compacted) }))
    moved(to)
    let from: number | undefined = placeOf(writer.state().swept, 0)
    while (from !== undefined) {
      const start: number = from
      from = await writer.run((draft) => sweep(tables, draft, start, to))
    }
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

function assemble(path: string, tables: Tables, clock: Clock, log: Logger, unlock: () => void): Store {
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
  const writer = createWriter(path, tables, leases, (draft) => {
    remember(leases, draft)
    tail.add(draft.batches)
    if (draft.batches.length) news.publish()
  })
  restoreLeases(tables, leases)

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
  const history: History = { revision, compacted, news, read: (from, limit) => tail.read(from, limit) ?? changesFrom(tables, position, from, limit) }
  const compactTo = createCompactor(tables, writer, tail.forget)
  let closing: Promise<void> | undefined
  const close = async () => {
    leases.stop()
    await writer.close()
    news.close()
    await tables.root.close()
    unlock()
  }

  return {
    revision: async () => revision(),
    compacted: async () => compacted(),
    get: async (key, o) => getAt(tables, key, position.check(o?.revision)),
    range: async (prefix, o = {}) => rangeAt(tables, position, prefix, o),
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
    size: async () => statSync(join(path, 'data.mdb')).blocks * 512,
    close: () => (closing ??= close()),
  }
}
