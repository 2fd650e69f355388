/** The work queue of a controller: each key once, however often it is added; failures are retried with growing delays. */
import type { Clock, Timer } from '../machinery/clock.ts'

export interface QueueOptions {
  readonly clock: Clock
  /** The delay after a key's first failure, in milliseconds (5); it doubles with each further one. */
  readonly baseDelay?: number
  /** The longest delay, in milliseconds (1000 s). */
  readonly maxDelay?: number
}

export interface WorkQueue {
  /** Queues the key. A key that is being worked on is handed out again once it is done. */
  add(key: string): void
  /** Adds the key after `ms` milliseconds; of several delays for one key the earliest counts. */
  addAfter(key: string, ms: number): void
  /** Counts a failure of the key, and adds it after the corresponding delay. */
  addRateLimited(key: string): void
  /** Resets the key's failures. */
  forget(key: string): void
  /** How often the key failed since it was last forgotten. */
  failures(key: string): number
  /** Resolves with the next key; undefined once the queue is shut down. The taker must call `done`. */
  take(): Promise<string | undefined>
  /** Says that the key is no longer worked on. */
  done(key: string): void
  /** Drops all keys; waiting takers get undefined. */
  shutDown(): void
  /** How many keys are ready to be taken. */
  readonly length: number
  /** Whether nothing is ready and nothing is worked on (timers may still be running). */
  readonly idle: boolean
}

/** A deduplicating queue: first in, first out, one worker per key at a time. */
export function createQueue(options: QueueOptions): WorkQueue {
  const { clock, baseDelay = 5, maxDelay = 1_000_000 } = options
  const ready = new Set<string>()
  const working = new Set<string>()
  const again = new Set<string>()
  const failures = new Map<string, number>()
  const waits = new Map<string, { readonly at: number; readonly timer: Timer }>()
  const takers: ((key: string | undefined) => void)[] = []
  let closed = false
  let scheduled = false

  function add(key: string): void {
    if (closed) return
    if (working.has(key)) again.add(key)
    else {
      ready.add(key)
      handSoon()
    }
  }

  /** Not before everything that arrives in this turn of the event loop is in: a batch of changes becomes one look. */
  function handSoon(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      hand()
    })
  }

  function hand(): void {
    while (takers.length > 0 && ready.size > 0) {
      const [key] = ready as Iterable<string> as [string]
      ready.delete(key)
      working.add(key)
      takers.shift()?.(key)
    }
  }

  function addAfter(key: string, ms: number): void {
    if (closed) return
    if (ms <= 0) return add(key)
    const at = clock.now() + ms
    const wait = waits.get(key)
    if (wait && wait.at <= at) return
    wait?.timer.cancel()
    const timer = clock.after(ms, () => {
      waits.delete(key)
      add(key)
    })
    waits.set(key, { at, timer })
  }

  return {
    add,
    addAfter,
    addRateLimited(key) {
      const count = failures.get(key) ?? 0
      failures.set(key, count + 1)
      addAfter(key, Math.min(maxDelay, baseDelay * 2 ** Math.min(count, 40)))
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
    take() {
      if (closed) return Promise.resolve(undefined)
      return new Promise((resolve) => {
        takers.push(resolve)
        hand()
      })
    },
    done(key) {
      working.delete(key)
      if (again.delete(key)) add(key)
    },
    shutDown() {
      closed = true
      for (const wait of waits.values()) wait.timer.cancel()
      waits.clear()
      ready.clear()
      for (const take of takers.splice(0)) take(undefined)
    },
    get length() { return ready.size },
    get idle() { return ready.size === 0 && working.size === 0 },
  }
}
