/**
 * What a controller has requested and not yet seen: until the informer shows the pods just created or deleted, counting
 * again would create or delete too many.
 */
import type { Clock } from '../../machinery/clock.ts'

/** After this long an event is assumed lost, and the controller counts again. */
const patience = 5 * 60_000

interface Expectation { creations: number; readonly deletions: Set<string>; readonly at: number }

export interface Expectations {
  /** Whether everything requested under this key was seen, or is too long ago. */
  satisfied(key: string): boolean
  expectCreations(key: string, count: number): void
  expectDeletions(key: string, uids: readonly string[]): void
  /** Both at once. */
  expect(key: string, creations: number, deletions: readonly string[]): void
  /** A creation was seen, or failed. */
  created(key: string): void
  /** A deletion was seen, or failed. */
  deleted(key: string, uid: string): void
  forget(key: string): void
}

export function createExpectations(clock: Clock): Expectations {
  const all = new Map<string, Expectation>()
  const expect = (key: string, creations: number, deletions: readonly string[]) => void all.set(key, { creations, deletions: new Set(deletions), at: clock.now() })
  return {
    satisfied(key) {
      const expected = all.get(key)
      return !expected || (expected.creations <= 0 && expected.deletions.size === 0) || clock.now() - expected.at > patience
    },
    expectCreations: (key, count) => expect(key, count, []),
    expectDeletions: (key, uids) => expect(key, 0, uids),
    expect,
    created(key) {
      const expected = all.get(key)
      if (expected) expected.creations--
    },
    deleted: (key, uid) => void all.get(key)?.deletions.delete(uid),
    forget: (key) => void all.delete(key),
  }
}
