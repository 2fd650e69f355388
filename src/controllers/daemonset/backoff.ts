/** How long a node waits for its next daemon pod after the last ones failed: what refuses them at once must not be asked without end. */
import type { Clock } from '../../machinery/clock.ts'

const first = 1000
const longest = 15 * 60_000

export interface Backoff {
  /** Milliseconds until the failed pod under this key may be replaced; 0 when it may be now. */
  left(key: string): number
  /** A failed pod is replaced: the next one waits twice as long. */
  replaced(key: string): void
}

/** Delays per key: a second after the first failure, at most 15 minutes; forgotten when there was none for half an hour. */
export function createBackoff(clock: Clock): Backoff {
  const delays = new Map<string, { readonly delay: number; readonly at: number }>()
  return {
    left(key) {
      const known = delays.get(key)
      return known ? Math.max(0, known.at + known.delay - clock.now()) : 0
    },
    replaced(key) {
      const now = clock.now()
      for (const [other, { at }] of delays) if (now - at > 2 * longest) delays.delete(other)
      const before = delays.get(key)?.delay
      delays.set(key, { delay: before === undefined ? first : Math.min(longest, 2 * before), at: now })
    },
  }
}
