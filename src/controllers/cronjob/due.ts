/** Which run of a cron job is due. */
import type { batch } from '../../api/index.ts'
import { parseTime } from '../../machinery/time.ts'
import type { Schedule } from './schedule.ts'

export interface Due {
  /** The latest scheduled time that has passed and was not run. */
  readonly time: number | undefined
  /** The next scheduled time from now. */
  readonly next: number | undefined
  /** So many runs were missed that the clock may be wrong. */
  readonly tooMany: boolean
}

const manyMissed = 100

/** Counts from the last run (or the creation), no further back than the starting deadline. */
export function dueRun(cronJob: batch.CronJob, schedule: Schedule, now: number): Due {
  const since = cronJob.status.lastScheduleTime ?? cronJob.metadata.creationTimestamp
  const deadline = cronJob.spec.startingDeadlineSeconds
  const earliest = Math.max(since ? parseTime(since) : now, deadline === undefined ? 0 : now - Number(deadline) * 1000)
  const first = schedule.next(earliest)
  if (first === undefined || first > now) return { time: undefined, next: first ?? schedule.next(now), tooMany: false }
  let time = first
  let missed = 1
  // Long after a stop there may be a great many: past a hundred, the last one is looked for from shortly before now.
  for (let at = schedule.next(first); at !== undefined && at <= now; at = schedule.next(at)) {
    time = at
    if (++missed === manyMissed) {
      const later = schedule.next(at) ?? now
      const period = Math.max(60_000, later - at)
      const near = schedule.next(Math.max(at, now - 2 * period))
      if (near !== undefined && near <= now) {
        at = time = near
        missed++
      }
    }
  }
  return { time, next: schedule.next(now), tooMany: missed > manyMissed }
}
