/** A watch as an async iterator: events are queued until the reader takes them. */
import type { Clock } from '../../machinery/clock.ts'
import { expired, type ApiError } from '../../machinery/errors.ts'
import type { Encoded } from './encoded.ts'
import type { EventType, Sink } from './watch.ts'

/** A reader that is this many events behind must list again. */
const patience = 100_000

export interface EventQueueOptions {
  /** The reader's signal. */
  readonly signal: AbortSignal | undefined
  readonly closing: AbortSignal
  /** Milliseconds; 0: no end. */
  readonly timeout: number
  readonly clock: Clock
}

interface QueuedEvent { readonly type: EventType; readonly object: unknown }

/** `show` turns a cached item into what the reader sees. */
export function eventQueue(show: (item: Encoded) => unknown, { signal, closing, timeout, clock }: EventQueueOptions) {
  let waiting: QueuedEvent[] = []
  let ended = false
  let failure: ApiError | undefined
  let wake: (() => void) | undefined

  const end = (error?: ApiError) => {
    ended = true
    failure ??= error
    wake?.()
  }
  const stop = () => {
    waiting = []
    end()
  }
  const sink: Sink = {
    event(type, item) {
      if (ended) return
      waiting.push({ type, object: show(item) })
      if (waiting.length <= patience) return
      waiting = []
      end(expired('the watch was too far behind'))
    },
    flush: () => wake?.(),
    end,
  }
  signal?.addEventListener('abort', stop, { once: true })
  closing.addEventListener('abort', stop, { once: true })
  const timer = timeout > 0 ? clock.after(timeout, () => end()) : undefined
  if (signal?.aborted || closing.aborted) stop()

  return {
    sink,
    async *events(): AsyncGenerator<QueuedEvent> {
      for (;;) {
        const batch = waiting
        waiting = []
        for (const event of batch) {
          if (signal?.aborted) return
          yield event
        }
        if (waiting.length > 0) continue
        if (failure) throw failure
        if (ended) return
        await new Promise<void>((resolve) => (wake = resolve))
        wake = undefined
      }
    },
    close(): void {
      ended = true
      timer?.cancel()
      signal?.removeEventListener('abort', stop)
      closing.removeEventListener('abort', stop)
    },
  }
}
