/** How often a configuration was read again while it was in use, when last, and which one holds: what metrics tell. */
import { createHash } from 'node:crypto'
import type { Clock } from './clock.ts'

export interface ReloadCounts {
  readonly success: number
  readonly failure: number
  /** Milliseconds since 1970; undefined: never. */
  readonly lastSuccess: number | undefined
  readonly lastFailure: number | undefined
  /** Of the text that holds: `sha256:…`. */
  readonly hash: string
}

export interface Reloads {
  readonly counts: () => ReloadCounts
  /** Another text holds from now on. */
  succeeded(text: string): void
  failed(): void
}

/** `sha256:` and the digest in hexadecimal, as metrics name what they do not show; '' for ''. */
export const hashOf = (text: string): string => (text === '' ? '' : `sha256:${createHash('sha256').update(text).digest('hex')}`)

/** Begins with the text that was read first. */
export function createReloads(clock: Pick<Clock, 'now'>, text: string): Reloads {
  let counts: ReloadCounts = { success: 0, failure: 0, lastSuccess: undefined, lastFailure: undefined, hash: hashOf(text) }
  return {
    counts: () => counts,
    succeeded: (next) => void (counts = { ...counts, success: counts.success + 1, lastSuccess: clock.now(), hash: hashOf(next) }),
    failed: () => void (counts = { ...counts, failure: counts.failure + 1, lastFailure: clock.now() }),
  }
}
