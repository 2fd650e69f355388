/** Waiting for readers. */
import type { Duplex } from 'node:stream'
import type { ServerResponse } from 'node:http'

/** Resolves when what was written has been taken, or the reader is gone. `late` is called when it takes longer than `patience` milliseconds. */
export function drained(writable: ServerResponse | Duplex, patience = 0, late?: () => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = late && setTimeout(late, patience)
    const done = () => {
      clearTimeout(timer)
      writable.off('drain', done)
      writable.off('close', done)
      resolve()
    }
    writable.once('drain', done)
    writable.once('close', done)
  })
}

/** Whether nothing more can be sent: the answer is complete, or its reader is gone. */
export const isOver = (response: ServerResponse): boolean => {
  const { destroyed, writableEnded, stream } = response as ServerResponse & { readonly stream?: Duplex }
  // Answers over HTTP/2 do not say so themselves.
  return writableEnded || (destroyed ?? stream?.destroyed ?? true)
}

/** What is called when bytes are written. Those that could not be may still be in somebody's hands: they are left to the collector. */
export const unless = (taken: () => void) => (error?: Error | null): void => { if (!error) taken() }
