/** Gathers events and hands them on many at a time: after so many, or after so long. */
import type { Clock, Timer } from '../../machinery/clock.ts'

export interface BatchOptions {
  readonly clock: Clock
  /** Events that may wait; what comes when there are so many is dropped. */
  readonly bufferSize: number
  readonly maxSize: number
  /** Milliseconds. */
  readonly maxWait: number
  /** Batches per second, with so many at once after a quiet time; undefined: as fast as they come. */
  readonly throttle?: { readonly qps: number; readonly burst: number } | undefined
  send(lines: readonly string[]): Promise<void> | void
  /** A batch, or a number of events for which there was no room, is lost. */
  lost(error: Error, events: number): void
}

export interface Batches {
  add(line: string): void
  /** Sends what is left, the throttle notwithstanding. */
  stop(): Promise<void>
}

/** Starts gathering. */
export function createBatches({ clock, bufferSize, maxSize, maxWait, throttle, send, lost }: BatchOptions): Batches {
  let waiting: string[] = []
  let timer: Timer | undefined
  let held: Timer | undefined
  let tokens = throttle?.burst ?? 0
  let filled = clock.now()
  const underWay = new Set<Promise<void>>()

  /** Milliseconds until the next batch may go; takes its turn when that is 0. */
  const turn = (): number => {
    if (!throttle) return 0
    const now = clock.now()
    tokens = Math.min(throttle.burst, tokens + ((now - filled) / 1000) * throttle.qps)
    filled = now
    if (tokens < 1) return Math.max(1, Math.ceil(((1 - tokens) / throttle.qps) * 1000))
    tokens--
    return 0
  }
  const start = (lines: readonly string[]): void => {
    const sent = (async () => send(lines))().catch((error: Error) => lost(error, lines.length)).finally(() => underWay.delete(sent))
    underWay.add(sent)
  }
  const flush = (): void => {
    timer?.cancel()
    timer = undefined
    while (waiting.length > 0 && !held) {
      const wait = turn()
      if (wait > 0) {
        held = clock.after(wait, () => {
          held = undefined
          flush()
        })
        return
      }
      start(waiting.slice(0, maxSize))
      waiting = waiting.slice(maxSize)
      if (waiting.length < maxSize) break
    }
    if (waiting.length > 0 && !held) timer = clock.after(maxWait, flush)
  }
  return {
    add(line) {
      if (waiting.length >= bufferSize) return lost(new Error('audit buffer queue blocked'), 1)
      waiting.push(line)
      if (waiting.length >= maxSize) flush()
      else timer ??= held ? undefined : clock.after(maxWait, flush)
    },
    async stop() {
      timer?.cancel()
      held?.cancel()
      for (let at = 0; at < waiting.length; at += maxSize) start(waiting.slice(at, at + maxSize))
      waiting = []
      await Promise.all(underWay)
    },
  }
}

/** The lines in as few pieces as the size allows; a line that is larger by itself goes alone. */
export function pieces(lines: readonly string[], most = Infinity): readonly (readonly string[])[] {
  const result: string[][] = []
  let size = Infinity
  for (const line of lines) {
    const length = Buffer.byteLength(line)
    if (size + length > most || result.length === 0) {
      result.push([])
      size = 0
    }
    result.at(-1)!.push(line)
    size += length
  }
  return result
}
