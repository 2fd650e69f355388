/** How long a job waits after failures before it tries again: 10 s, doubling to 10 min, until a pod succeeds. */
import { endOf, type Job } from './pods.ts'
import type { Tally } from './tracking.ts'

const first = 10_000
const longest = 600_000

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
      const fresh = newlyFailed.filter((pod) => !before?.seen.has(pod.metadata.uid ?? ''))
      if (newlySucceeded.length > 0) jobs.delete(uid)
      else if (fresh.length > 0) {
        jobs.set(uid, { count: (before?.count ?? 0) + fresh.length, last: Math.max(before?.last ?? 0, ...fresh.map(endOf)), seen: new Set(newlyFailed.map((pod) => pod.metadata.uid ?? '')) })
        if (jobs.size > 5000) for (const oldest of jobs.keys()) { jobs.delete(oldest); break }
      }
    },
    remaining(job, now) {
      const failures = jobs.get(job.metadata.uid ?? '')
      if (!failures) return 0
      return Math.max(0, failures.last + Math.min(longest, first * 2 ** Math.min(20, failures.count - 1)) - now)
    },
  }
}
