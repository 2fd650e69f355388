/** Another attempt, a little later, where the other side was busy or broken for a moment. */
import type { Clock } from '../machinery/clock.ts'
import { RemoteError } from './remote.ts'

const attempts = 5
const half = 500
const factor = 1.5

const passing = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])

/** Whether the same question may have another answer in a moment: a broken connection, a server that says so. */
const isPassing = (error: unknown): boolean =>
  (error instanceof RemoteError ? error.code === 429 || error.code >= 500 : error instanceof Error && passing.has((error as NodeJS.ErrnoException).code ?? ''))

/** Tries up to five times, `first` milliseconds apart (half a second) and then longer. Rejects with the last error. */
export async function withBackoff<T>(clock: Clock, attempt: () => Promise<T>, first = half): Promise<T> {
  let pause = first
  for (let i = 1; ; i++) {
    try {
      return await attempt()
    } catch (error) {
      if (i === attempts || !isPassing(error)) throw error
      await clock.sleep(pause)
      pause *= factor
    }
  }
}
