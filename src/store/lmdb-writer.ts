/**
 * Group commit: requests that arrive while one record is being written go into the next. The more there is to do, the more goes
 * into each write, and nobody waits for more than the current write and their own.
 *
 *   commit() ─▶ queue ─▶ draft: conditions and writes, in order ─▶ one record of the journal ─▶ on disk ─▶ watchers, then callers
 */
import { randomInt } from 'node:crypto'
import { isLoopShared, turn } from '../machinery/loop-sharing.ts'
import { putRecords } from './checkpoint.ts'
import type { Checkpoints } from './checkpoint.ts'
import { prepareJournalFiles, openJournal } from './journal.ts'
import type { Journal, JournalPosition } from './journal.ts'
import { createRecordEncoder } from './journal-records.ts'
import type { JournalRecord } from './journal-records.ts'
import { LeaseNotFoundError } from './leases.ts'
import type { Leases } from './leases.ts'
import { Draft } from './lmdb-draft.ts'
import type { Space } from './lmdb-space.ts'
import type { State } from './lmdb-tables.ts'
import type { Transactions } from './lmdb-transactions.ts'
import { StoreClosedError } from './rules.ts'

/** Limits of one record: how long one turn of the event loop may prepare it, and how much a crash may leave unacknowledged. */
const most = { rows: 5000, bytes: 2 ** 20, milliseconds: 5 }

/**
 * How many callers are answered in one turn of the event loop: each has its own response to send, and after a slow write the group may be large.
 * While the loop is shared it is one, in its own turn.
 */
const answeredTogether = 4

interface Job {
  readonly work: (draft: Draft) => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface Writer {
  /** Runs `work` on the next draft and resolves with what it returned once the draft is durable. `work` throws `LeaseNotFoundError` before it writes, or not at all. */
  run<T>(work: (draft: Draft) => T): Promise<T>
  state(): State
  /** lmdb has everything up to this journal record. */
  release(applied: number): void
  /** Waits for the write under way; later work is refused. */
  close(): Promise<void>
}

export interface WriterOptions {
  readonly path: string
  readonly durable: boolean
  readonly space: Space
  readonly transactions: Transactions
  readonly checkpoints: Checkpoints
  readonly leases: Leases
  /** The state at the start, the sequence of the last record, and the position of the next. */
  readonly begin: { readonly state: State; readonly sequence: number; readonly position: JournalPosition }
  /** Size of each journal file, in bytes, when they are created. */
  readonly journalBytes: number
  /** Called with each draft as soon as it is durable, before its callers are answered. */
  readonly flushed: (draft: Draft) => void
}

/** The journal as the writer uses it. Started by the first write: a store that is only read needs none. */
function createRecorder({ path, durable, space, transactions, checkpoints, begin, journalBytes }: WriterOptions) {
  let { sequence } = begin
  let journal: Journal | undefined
  let encode = createRecordEncoder(0)

  const open = async (): Promise<Journal> => {
    if (!transactions.stored().session) {
      await prepareJournalFiles(path, journalBytes).catch(async (error: unknown) => { throw await transactions.failed(error, true) })
      await transactions.run(() => ({ session: randomInt(1, 2 ** 48 - 1), journal: journalBytes }))
    }
    const { journal: bytes, applied } = transactions.stored()
    encode = createRecordEncoder(bytes)
    const opened = openJournal(path, bytes, begin.position, durable)
    opened.release(applied)
    return opened
  }
  const append = async (to: Journal, record: JournalRecord, bytes: Buffer) => {
    while (!to.room(bytes.length)) await checkpoints.all()
    await to.append(bytes, record.sequence).catch(async (error: unknown) => { throw await transactions.failed(error) })
    space.pending.add(record, bytes.length)
    checkpoints.consider()
  }
  return {
    /** Resolves when the draft is on disk. If it throws `StoreWriteError`, nothing was written. */
    async write(draft: Draft, base: number): Promise<void> {
      journal ??= await open()
      const { session } = transactions.stored()
      const record = { session, sequence: sequence + 1, base, state: draft.state, writes: draft.writes, leases: [...draft.leases] }
      const bytes = encode(record)
      if (bytes) await append(journal, record, bytes)
      else {
        // A draft too large for the journal goes straight to lmdb, after everything before it.
        await checkpoints.all()
        await transactions.run(() => putRecords(space.tables, [record]))
        journal.release(record.sequence)
      }
      sequence++
    },
    release: (applied: number) => journal?.release(applied),
    close: () => journal?.close(),
  }
}

export function createWriter(options: WriterOptions): Writer {
  const { space, transactions, leases, flushed } = options
  const recorder = createRecorder(options)
  let queue: Job[] = []
  let { state } = options.begin
  let running: Promise<void> | undefined
  /** Settles when every caller so far has been answered, in the order of their writes. */
  let answered: Promise<void> = Promise.resolve()
  let closed: Error | undefined
  const refusal = () => closed ?? transactions.refusal()

  /** Takes jobs off the queue into a draft. A job whose lease is missing has written nothing; any other failure discards the draft. */
  const prepare = (): { draft: Draft; jobs: Job[]; answers: (() => void)[] } => {
    const draft = new Draft(space, state, leases)
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
          return { draft: new Draft(space, state, leases), jobs: [], answers: [] }
        }
        answers.push(() => job.reject(error))
      }
    }
    return { draft, jobs: queue.splice(0, taken), answers }
  }

  const answer = async (answers: readonly (() => void)[]) => {
    let together = 0
    for (const tell of answers) {
      if (isLoopShared() || together >= answeredTogether) {
        await turn()
        together = 0
      }
      tell()
      together++
    }
  }

  const drain = async () => {
    do {
      // For one turn: all requests of the same socket poll can join, and responses just made are sent first.
      await turn()
      const refused = refusal()
      if (refused) {
        for (const job of queue.splice(0)) job.reject(refused)
        break
      }
      const { draft, jobs, answers } = prepare()
      try {
        if (draft.rows) {
          await recorder.write(draft, state.revision)
          ;({ state } = draft)
          flushed(draft)
        }
        answered = answered.then(() => answer(answers))
      } catch (error) {
        for (const job of jobs) job.reject(error)
      }
    } while (queue.length)
    running = undefined
  }

  return {
    run: (work) => new Promise((resolve, reject) => {
      const refused = refusal()
      if (refused) return reject(refused)
      queue.push({ work, resolve: resolve as (result: unknown) => void, reject })
      running ??= drain()
    }),
    state: () => state,
    release: recorder.release,
    async close() {
      await running
      await answered
      closed ??= new StoreClosedError()
      recorder.close()
    },
  }
}
