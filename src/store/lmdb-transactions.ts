/** lmdb's write transactions, one at a time, and the handling of disk failures. */
import { statfsSync } from 'node:fs'
import { putStored, readStored } from './lmdb-tables.ts'
import type { Stored, Tables } from './lmdb-tables.ts'
import { StoreClosedError } from './rules.ts'

/** Errors that pass when there is space again; after any other, the state of the disk is unknown until a restart. */
const passing = /ENOSPC|EDQUOT|No space left|quota exceeded|MDB_MAP_FULL/i

/** With fewer free bytes than this, a failed write is attributed to a full disk. */
const spaceNeeded = 16 * 2 ** 20

/** A write failed on disk. Nothing of it is stored, and nothing acknowledged is lost. */
export class StoreWriteError extends Error {
  constructor(path: string, cause: Error) {
    super(`cannot write to ${path}: ${cause.message}`, { cause })
    this.name = 'StoreWriteError'
  }
}

export interface Transactions {
  /** Runs `work`, which puts rows and returns changes of the stored state, in a write transaction; resolves when that is on disk. Throws `StoreWriteError`. */
  run(work: () => Partial<Stored>): Promise<void>
  /** The state in lmdb now. */
  stored(): Stored
  /** The error to throw for a failed write. No other write is tried after it, unless it passes, or is `harmless`: nothing of it can be on disk. */
  failed(error: unknown, harmless?: boolean): Promise<StoreWriteError>
  /** Why writes are refused, if they are. */
  refusal(): Error | undefined
  /** Refuses new transactions, and waits for the running one. */
  close(): Promise<void>
}

export function createTransactions(path: string, tables: Tables): Transactions {
  let stored = readStored(tables)
  let refusal: Error | undefined
  let last: Promise<unknown> = Promise.resolve()

  const failed = async (error: unknown, harmless = false): Promise<StoreWriteError> => {
    const cause = named(path, await causeOf(error))
    if (!harmless && !passing.test(cause.message)) refusal ??= new StoreWriteError(path, new Error(`${cause.message}; restart to see what the disk holds`, { cause }))
    return new StoreWriteError(path, cause)
  }
  const transact = async (work: () => Partial<Stored>) => {
    if (refusal) throw refusal
    let next = stored
    try {
      await tables.root.batch(() => {
        next = { ...stored, ...work() }
        putStored(tables, next)
      })
    } catch (error) {
      throw await failed(error)
    } finally {
      tables.root.resetReadTxn()
    }
    stored = next
  }
  return {
    run(work) {
      const mine = last.then(() => transact(work))
      last = mine.catch(() => {})
      return mine
    },
    stored: () => stored,
    failed,
    refusal: () => refusal,
    async close() {
      refusal ??= new StoreClosedError()
      await last
    },
  }
}

/** Names the real cause: lmdb calls a write cut short by a full disk an input/output error. */
function named(path: string, cause: NodeJS.ErrnoException): Error {
  if (cause.code === 'ENOSPC') return new Error('No space left on device', { cause })
  if (!/Input\/output error/.test(cause.message)) return cause
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize < spaceNeeded ? new Error('No space left on device', { cause }) : cause
}

/** lmdb rejects with an error that holds a promise of the real one. */
async function causeOf(error: unknown): Promise<Error> {
  try {
    await (error as { commitError?: Promise<unknown> }).commitError
    return error as Error
  } catch (cause) {
    return cause as Error
  }
}
