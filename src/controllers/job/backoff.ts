/** How long a job waits after failures before it tries again: 10 s, doubling to 10 min, until a pod succeeds. */
import { endOf, type Job } from './pods.ts'
import type { Tally } from './tracking.ts'

const first = 10_000
const longest = 600_000

/** Milliseconds to wait after so many failures in a row, of which the last was at `last`. */
export const timeToWait = (failures: number, last: number, now: number): number =>
  (failures === 0 ? 0 : Math.max(0, last + Math.min(longest, first * 2 ** Math.min(20, failures - 1)) - now))

export interface BackOff {
  /** Takes note of the pods that ended since the last look. */
  note(job: Job, tally: Tally): void
  /** Milliseconds to wait before new pods are made; 0: none. */
  remaining(job: Job, now: number): number
}

export function createBackOff(): BackOff {
  const jobs = new Map<string, { readonly count: number; readonly last: number; readonly seen: ReadonlySet<string> }>()
  return {
    note(job, { newlyFailed, newlySucceeded }) {
      const uid = job.metadata.uid ?? ''
      const before = jobs.get(uid)
      // After a success only the failures since then count.
      const success = newlySucceeded.length > 0 ? Math.max(...newlySucceeded.map(endOf)) : undefined
      const fresh = newlyFailed.filter((pod) => !before?.seen.has(pod.metadata.uid ?? '') && (success === undefined || endOf(pod) > success))
      if (success !== undefined) jobs.delete(uid)
      if (fresh.length > 0) {
        const { count = 0, last = 0 } = jobs.get(uid) ?? {}
        jobs.set(uid, { count: count + fresh.length, last: Math.max(last, ...fresh.map(endOf)), seen: new Set(newlyFailed.map((pod) => pod.metadata.uid ?? '')) })
        if (jobs.size > 5000) for (const oldest of jobs.keys()) { jobs.delete(oldest); break }
      }
    },
    remaining(job, now) {
      const failures = jobs.get(job.metadata.uid ?? '')
      if (!failures) return 0
      return timeToWait(failures.count, failures.last, now)
    },
  }
}
