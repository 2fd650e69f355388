/** Periodic work on all objects rather than one. */
import type { Clock } from '../../machinery/clock.ts'
import type { Component, Logger } from '../../machinery/log.ts'

export interface LoopOptions {
  readonly name: string
  /** Milliseconds between the end of one round and the start of the next. */
  readonly period: number
  readonly work: (signal: AbortSignal) => Promise<void>
  /** Informers that must have synced before the first round. */
  readonly sources: readonly { synced(): Promise<void> }[]
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface Loop extends Component {
  /** The next round begins at once, or right after the one that is under way. */
  now(): void
}

/** Starts the rounds; a round that throws is logged, and does not stop the next. */
export function loop({ name, period, work, sources, clock, log, signal: outer }: LoopOptions): Loop {
  const stopping = new AbortController()
  const signal = AbortSignal.any([outer, stopping.signal])
  let wake = new AbortController()

  async function run(): Promise<void> {
    await Promise.race([Promise.all(sources.map((s) => s.synced())), new Promise((resolve) => { signal.addEventListener('abort', resolve, { once: true }) })])
    while (!signal.aborted) {
      wake = new AbortController()
      try {
        await work(signal)
      } catch (error) {
        if (!signal.aborted) log.warn({ loop: name, error: error instanceof Error ? error.stack : String(error) }, 'round failed')
      }
      await clock.sleep(period, AbortSignal.any([signal, wake.signal])).catch(() => undefined)
    }
  }

  const running = run()
  return {
    now: () => wake.abort(),
    async stop() {
      stopping.abort()
      await running
    },
  }
}
