/**
 * Group commit. Whatever is asked for while one transaction is being flushed is gathered into the next: the more there is
 * to do, the more goes into each flush, and nobody waits for more than the flush under way and the own one.
 *
 *   commit() ─▶ queue ─▶ draft: conditions and writes, in order ─▶ one lmdb transaction ─▶ flushed ─▶ watchers, then callers
 */
import { statfsSync } from 'node:fs'
import { LeaseNotFoundError } from './leases.ts'
import type { Leases } from './leases.ts'
import { createDraft } from './lmdb-draft.ts'
import type { Draft } from './lmdb-draft.ts'
import { readState } from './lmdb-tables.ts'
import type { State, Tables } from './lmdb-tables.ts'
import { StoreClosedError } from './rules.ts'

/** Bounds of one transaction: what one turn of the event loop may take to prepare, and what a crash may leave unacknowledged. */
const most = { rows: 5000, bytes: 8 * 2 ** 20, milliseconds: 5 }

/** Errors that pass when there is space again; after any other, what the disk holds is in doubt and only a restart tells. */
const passing = /ENOSPC|EDQUOT|No space left|quota exceeded|MDB_MAP_FULL/i

/** The disk did not take a write. Nothing of it is there, and nothing that was acknowledged is lost. */
export class StoreWriteError extends Error {
  constructor(path: string, cause: Error) {
    super(`cannot write to ${path}: ${cause.message}`, { cause })
    this.name = 'StoreWriteError'
  }
}

/** Bytes without which a write is taken to have failed for want of space. */
const spaceNeeded = 2 * most.bytes

interface Job {
  readonly work: (draft: Draft) => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface Writer {
  /** Runs `work` on the next draft and resolves with what it returned once the draft is durable. `work` throws `LeaseNotFoundError` before it writes, or not at all. */
  run<T>(work: (draft: Draft) => T): Promise<T>
  state(): State
  /** Waits for what is under way; work after this is refused. */
  close(): Promise<void>
}

/** `flushed` is called with each draft as soon as it is durable, before those who asked for it are answered. */
export function createWriter(path: string, tables: Tables, leases: Leases, flushed: (draft: Draft) => void): Writer {
  let queue: Job[] = []
  let state = readState(tables)
  let running: Promise<void> | undefined
  let refusal: Error | undefined

  const flush = async (draft: Draft) => {
    try {
      await tables.root.batch(() => draft.write())
      tables.root.resetReadTxn()
    } catch (error) {
      const cause = named(path, await causeOf(error))
      tables.root.resetReadTxn()
      if (!passing.test(cause.message)) refusal = new StoreWriteError(path, new Error(`${cause.message}; restart to see what the disk holds`, { cause }))
      state = readState(tables)
      throw new StoreWriteError(path, cause)
    }
    state = draft.state
    flushed(draft)
  }

  /** Takes jobs off the queue into a draft. A job that fails for want of its lease has written nothing; any other failure voids the draft. */
  const prepare = (): { draft: Draft; jobs: Job[]; answers: (() => void)[] } => {
    const draft = createDraft(tables, state, leases)
    const answers: (() => void)[] = []
    const began = performance.now()
    let taken = 0
    while (taken < queue.length && draft.rows < most.rows && draft.bytes < most.bytes && performance.now() - began < most.milliseconds) {
      const job = queue[taken++]!
      try {
        const result = job.work(draft)
        answers.push(() => job.resolve(result))
      } catch (error) {
        if (!(error instanceof LeaseNotFoundError)) {
          for (const voided of queue.splice(0, taken)) voided.reject(error)
          return { draft: createDraft(tables, state, leases), jobs: [], answers: [] }
        }
        answers.push(() => job.reject(error))
      }
    }
    return { draft, jobs: queue.splice(0, taken), answers }
  }

  const drain = async () => {
    // The turn lets everything that arrived with the same poll of the sockets join.
    await new Promise((resolve) => void setImmediate(resolve))
    while (queue.length) {
      if (refusal) {
        const refused = queue
        queue = []
        for (const job of refused) job.reject(refusal)
        break
      }
      const { draft, jobs, answers } = prepare()
      try {
        if (draft.rows) await flush(draft)
        for (const answer of answers) answer()
      } catch (error) {
        for (const job of jobs) job.reject(error)
      }
    }
    running = undefined
  }

  return {
    run: (work) => new Promise((resolve, reject) => {
      if (refusal) return reject(refusal)
      queue.push({ work, resolve: resolve as (result: unknown) => void, reject })
      running ??= drain()
    }),
    state: () => state,
    async close() {
      await running
      refusal ??= new StoreClosedError()
    },
  }
}

/** lmdb calls a write that was cut short for want of space an input/output error. */
function named(path: string, cause: Error): Error {
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
