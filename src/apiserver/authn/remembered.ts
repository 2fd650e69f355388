/** Remembers for a while what somebody else said about a token, so that they are asked once for many requests. */
import { createHash } from 'node:crypto'
import type { Clock } from '../../machinery/clock.ts'

/** How many answers are kept; the oldest goes first. */
const most = 4096

/** Milliseconds that an answer holds; 0: it is not kept. */
export type Lifetime<T> = (answer: T) => number

/** Asks `ask` for what is not remembered. Several who want the same wait for one answer; a rejection is not kept. */
export function remembering<T>(clock: Pick<Clock, 'now'>, lifetime: Lifetime<T>, ask: (token: string, audiences: readonly string[]) => Promise<T> | T): (token: string, audiences: readonly string[]) => Promise<T> {
  const known = new Map<string, { readonly answer: T; readonly until: number }>()
  const asked = new Map<string, Promise<T>>()
  return async (token, audiences) => {
    // Tokens are secrets: only their digest stays in memory.
    const key = createHash('sha256').update(JSON.stringify([token, audiences])).digest('base64')
    const kept = known.get(key)
    if (kept && kept.until > clock.now()) return kept.answer
    const running = asked.get(key)
    if (running) return running
    const answer = Promise.resolve(ask(token, audiences)).then((value) => {
      known.delete(key)
      const ms = lifetime(value)
      if (ms > 0) {
        if (known.size >= most) known.delete(known.keys().next().value as string)
        known.set(key, { answer: value, until: clock.now() + ms })
      }
      return value
    }).finally(() => asked.delete(key))
    asked.set(key, answer)
    return answer
  }
}
