/** Time, injected: production uses the system's, tests turn a hand themselves. */

export interface Timer { cancel(): void }

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls back once after `ms` milliseconds; a timer keeps no process alive. */
  after(ms: number, callback: () => void): Timer
  /** Resolves after `ms` milliseconds, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

function sleepOn(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    const abort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** The system's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const handle = setTimeout(callback, Math.max(0, Math.min(ms, 2 ** 31 - 1)))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
}

/** A clock for tests: `advance` moves it, running what falls due in order and letting promises settle in between. */
export class FakeClock implements Clock {
  #now: number
  #timers: { at: number; order: number; callback: () => void }[] = []
  #order = 0

  constructor(now = Date.parse('2026-01-01T00:00:00Z')) { this.#now = now }

  now(): number { return this.#now }

  after(ms: number, callback: () => void): Timer {
    const timer = { at: this.#now + ms, order: this.#order++, callback }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((t) => t !== timer)) }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> { return sleepOn(this, ms, signal) }

  /** Moves time on by `ms`, step by step. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settle()
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0]
      if (!due) break
      this.#timers = this.#timers.filter((t) => t !== due)
      this.#now = Math.max(this.#now, due.at)
      due.callback()
    }
    this.#now = end
    await settle()
  }
}

/** Lets everything that waits on settled promises run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}
