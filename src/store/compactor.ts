/** Compacts the store periodically: history older than a few minutes is useless, and would grow for ever. */
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { StoreClosedError } from './rules.ts'
import type { Store } from './store.ts'

export interface CompactorOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds between compactions, and the least age of what is compacted; default five minutes, as in Kubernetes. */
  readonly every?: number
}

/** Compacts each time to the revision of one interval ago: a watch that was interrupted for less than that can resume. */
export function startCompactor({ store, clock, log, every = 300_000 }: CompactorOptions): Component {
  const stopping = new AbortController()
  const run = async () => {
    let last = await store.revision()
    while (!stopping.signal.aborted) {
      await clock.sleep(every, stopping.signal)
      const now = await store.revision()
      if (last > await store.compacted()) await compact(last)
      last = now
    }
  }
  const compact = async (to: number) => {
    try {
      await store.compact(to)
      log.debug({ revision: to }, 'history compacted')
    } catch (error) {
      if (!(error instanceof StoreClosedError)) log.warn({ revision: to, error: String(error) }, 'history could not be compacted')
    }
  }
  const running = run().catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error({ error: String(error) }, 'compaction ended')
  })
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
