/** Changes of objects that need a conversion webhook before they can be shown: delivered one at a time, in order. */
import { ApiError, internal } from '../../machinery/errors.ts'
import type { Encoded } from './encoded.ts'
import type { CacheEvent } from './resource-cache.ts'

export interface InTurnOptions<What> {
  /** Resolves when the items can be shown. */
  ready(items: readonly Encoded[]): Promise<void> | undefined
  /** The watcher's event for a change; undefined when there is none. */
  see(change: CacheEvent): What | undefined
  tell(change: CacheEvent, what: What | undefined): void
  flush(): void
  end(error: ApiError): void
}

/** `take` takes a change. A conversion that fails ends the watch with the reason. */
export function inTurn<What extends { readonly item: Encoded }>({ ready, see, tell, flush, end }: InTurnOptions<What>) {
  const waiting: CacheEvent[] = []
  let busy = false
  const run = async () => {
    for (let change = waiting.shift(); change; change = waiting.shift()) {
      await ready(change.previous ? [change.current, change.previous] : [change.current])
      const what = see(change)
      // An object that left the selection is shown in its last state at a new revision, as an item of its own.
      if (what) await ready([what.item])
      tell(change, what)
      if (waiting.length === 0) flush()
    }
  }
  return {
    busy: () => busy,
    take(change: CacheEvent): void {
      waiting.push(change)
      if (busy) return
      busy = true
      void run().catch((error: unknown) => end(error instanceof ApiError ? error : internal(String(error)))).finally(() => (busy = false))
    },
  }
}
