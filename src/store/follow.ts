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
  /** Resolves at the next `publish`. */
  wait(): Promise<void>
  publish(): void
  /** Wakes everybody for the last time: watches end. */
  close(): void
  readonly closed: boolean
}

/** News of a store: watchers wait, writers publish. */
export function createNews(): News {
  let waiting: (() => void)[] = []
  let closed = false
  const publish = () => {
    const woken = waiting
    waiting = []
    for (const resume of woken) resume()
  }
  return {
    wait: () => new Promise((resolve) => {
      if (closed) resolve()
      else waiting.push(resolve)
    }),
    publish,
    close() {
      closed = true
      publish()
    },
    get closed() { return closed },
  }
}

async function* walk(history: History, prefix: string, start: number, signal: AbortSignal | undefined): AsyncGenerator<ChangeBatch, void> {
  const { news } = history
  let next = start
  const ended = () => news.closed || signal?.aborted === true
  // One listener for the whole watch, its own, as several watches may have one signal; the others that it wakes find nothing new.
  const wake = () => news.publish()
  signal?.addEventListener('abort', wake, { once: true })
  try {
    while (!ended()) {
      if (next < history.compacted()) throw new CompactedError(history.compacted())
      if (next > history.revision()) {
        await news.wait()
        continue
      }
      const read = history.read(next, perBatch)
      const { revision, changes } = read instanceof Promise ? await read : read
      if (ended()) return
      next = revision + 1
      yield prefix === '' ? { revision, changes } : { revision, changes: changes.filter((c) => c.key.startsWith(prefix)) }
    }
  } finally {
    signal?.removeEventListener('abort', wake)
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
