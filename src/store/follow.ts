/** Watching: a reader's walk over the history, from a revision it names to the newest and on. */
import { CompactedError } from './store.ts'
import type { ChangeBatch, WatchOptions } from './store.ts'

/** Changes handed to a slow reader at once; what is beyond stays in the store until it asks again. */
const perBatch = 2000

/** What a store offers to its watchers. Revisions here are durable ones. */
export interface History {
  revision(): number
  compacted(): number
  /** The changes of whole transactions, the first at revision `from` (which is reached already), stopping after about `limit` changes. */
  read(from: number, limit: number): ChangeBatch | Promise<ChangeBatch>
  readonly news: News
}

/** Wakes whoever waits when something new can be read. */
export interface News {
  /** Resolves at the next `publish`, or when the signal aborts. */
  wait(signal?: AbortSignal): Promise<void>
  publish(): void
  /** Wakes everybody for the last time: watches end. */
  close(): void
  readonly closed: boolean
}

/** News of a store: watchers wait, writers publish. */
export function createNews(): News {
  const waiting = new Set<() => void>()
  let closed = false
  const wake = () => {
    const woken = [...waiting]
    waiting.clear()
    for (const resume of woken) resume()
  }
  return {
    wait: (signal) => new Promise((resolve) => {
      if (closed || signal?.aborted) return resolve()
      const resume = () => {
        signal?.removeEventListener('abort', abandon)
        resolve()
      }
      const abandon = () => {
        waiting.delete(resume)
        resume()
      }
      waiting.add(resume)
      signal?.addEventListener('abort', abandon, { once: true })
    }),
    publish: wake,
    close() {
      closed = true
      wake()
    },
    get closed() { return closed },
  }
}

async function* walk(history: History, prefix: string, start: number, signal: AbortSignal | undefined): AsyncGenerator<ChangeBatch, void> {
  let next = start
  const ended = () => history.news.closed || signal?.aborted === true
  while (!ended()) {
    if (next < history.compacted()) throw new CompactedError(history.compacted())
    if (next > history.revision()) {
      await history.news.wait(signal)
      continue
    }
    const { revision, changes } = await history.read(next, perBatch)
    if (ended()) return
    next = revision + 1
    yield prefix === '' ? { revision, changes } : { revision, changes: changes.filter((c) => c.key.startsWith(prefix)) }
  }
}

/**
 * The changes under a prefix. "After now" is now, not when the first batch is asked for. Changes pile up in the store, not
 * in memory, while the reader is busy; a reader so slow that compaction overtakes it gets `CompactedError`. Transactions
 * elsewhere show as batches without changes, so a reader always learns how far it has come.
 */
export function follow(history: History, prefix: string, options: WatchOptions = {}): AsyncIterable<ChangeBatch> {
  const start = options.from ?? history.revision() + 1
  return { [Symbol.asyncIterator]: () => walk(history, prefix, start, options.signal) }
}
