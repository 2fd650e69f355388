/** Waiting longer and longer between attempts: 10 s, doubled up to 5 min, forgotten after 10 quiet minutes. */
import type { Clock } from '../../machinery/clock.ts'

export interface Backoff {
  /** Milliseconds still to wait, counted from the moment `since` when the last attempt ended; 0: go ahead. */
  remaining(key: string, since: number): number
  /** Counts one more attempt at `key`: the next one waits twice as long. */
  next(key: string, since: number): void
  /** The present wait in milliseconds. */
  delay(key: string): number
  forget(prefix: string): void
}

export function createBackoff(clock: Clock, options: { readonly initial?: number; readonly max?: number } = {}): Backoff {
  const { initial = 10_000, max = 300_000 } = options
  const entries = new Map<string, { delay: number; updatedAt: number }>()
  const current = (key: string, at: number) => {
    const entry = entries.get(key)
    if (entry && at - entry.updatedAt > 2 * max) entries.delete(key)
    return entries.get(key)
  }
  return {
    remaining(key, since) {
      const entry = current(key, since)
      return entry ? Math.max(0, since + entry.delay - clock.now()) : 0
    },
    next(key, since) {
      const entry = current(key, since)
      entries.set(key, { delay: entry ? Math.min(max, entry.delay * 2) : initial, updatedAt: clock.now() })
    },
    delay: (key) => entries.get(key)?.delay ?? 0,
    forget(prefix) { for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key) },
  }
}
