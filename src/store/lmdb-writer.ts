/**
 * Group commit. Whatever is asked for while one record is being written is gathered into the next: the more there is
 * to do, the more goes into each write, and nobody waits for more than the write under way and the own one.
 *
 *   commit() ─▶ queue ─▶ draft: conditions and writes, in order ─▶ one record of the journal ─▶ on disk ─▶ watchers, then callers
 */
import { randomInt } from 'node:crypto'
import { putRecords } from './checkpoint.ts'
import type { Checkpoints } from './checkpoint.ts'
import { prepareJournalFiles, openJournal } from './journal.ts'
import type { Journal, JournalPosition } from './journal.ts'
import { createRecordEncoder } from './journal-records.ts'
import type { JournalRecord } from './journal-records.ts'
import { LeaseNotFoundError } from './leases.ts'
import type { Leases } from './leases.ts'
import { createDraft } from './lmdb-draft.ts'
import type { Draft } from './lmdb-draft.ts'
import type { Space } from './lmdb-space.ts'
import type { State } from './lmdb-tables.ts'
import type { Transactions } from './lmdb-transactions.ts'
import { StoreClosedError } from './rules.ts'

/** Bounds of one record: what one turn of the event loop may take to prepare, and what a crash may leave unacknowledged. */
const most = { rows: 5000, bytes: 2 ** 20, milliseconds: 5 }

interface Job {
  readonly work: (draft: Draft) => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface Writer {
  /** Runs `work` on the next draft and resolves with what it returned once the draft is durable. `work` throws `LeaseNotFoundError` before it writes, or not at all. */
  run<T>(work: (draft: Draft) => T): Promise<T>
  state(): State
  /** Says that lmdb has everything up to a record of the journal. */
  release(applied: number): void
  /** Waits for what is under way; work after this is refused. */
  close(): Promise<void>
}

export interface WriterOptions {
  readonly path: string
  readonly durable: boolean
  readonly space: Space
  readonly transactions: Transactions
  readonly checkpoints: Checkpoints
  readonly leases: Leases
  /** The state that everything before has led to, the number of the last record, and where the next one goes. */
  readonly begin: { readonly state: State; readonly sequence: number; readonly position: JournalPosition }
  /** Bytes of each of the journal's files, where it is begun anew. */
  readonly journalBytes: number
  /** Called with each draft as soon as it is durable, before those who asked for it are answered. */
  readonly flushed: (draft: Draft) => void
}

/** The journal as the writer uses it: begun with the first write, for a store that is only read need not have one. */
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
    /** Resolves when what the draft writes is on disk. Throws `StoreWriteError`, and then it is as if nothing had been tried. */
    async write(draft: Draft, base: number): Promise<void> {
      journal ??= await open()
      const { session } = transactions.stored()
      const record = { session, sequence: sequence + 1, base, state: draft.state, writes: draft.writes, leases: [...draft.leases] }
      const bytes = encode(record)
      if (bytes) await append(journal, record, bytes)
      else {
        // What no file of the journal can hold goes to lmdb itself, after everything before it.
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
  let closed: Error | undefined
  const refusal = () => closed ?? transactions.refusal()

  /** Takes jobs off the queue into a draft. A job that fails for want of its lease has written nothing; any other failure voids the draft. */
  const prepare = (): { draft: Draft; jobs: Job[]; answers: (() => void)[] } => {
    const draft = createDraft(space, state, leases)
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
          return { draft: createDraft(space, state, leases), jobs: [], answers: [] }
        }
        answers.push(() => job.reject(error))
      }
    }
    return { draft, jobs: queue.splice(0, taken), answers }
  }

  const drain = async () => {
    do {
      // The turn lets everything that arrived with the same poll of the sockets join, and those who were just answered go out first.
      await new Promise((resolve) => void setImmediate(resolve))
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
        for (const answer of answers) answer()
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
      closed ??= new StoreClosedError()
      recorder.close()
    },
  }
}
