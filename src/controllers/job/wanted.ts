/** Which pods a job lacks, and which it has too many of. */
import { timeToWait } from './backoff.ts'
import { judge } from './failure-policy.ts'
import { indexOf } from './indexes.ts'
import { endOf, failuresBefore, isActive, isIndexed, isTerminating, replacesOnlyFailed, type Failures, type Job, type Pod } from './pods.ts'
import { successes, type Tally } from './tracking.ts'

export interface Missing {
  /** How many pods may be active. */
  readonly parallel: number
  /** One entry for each pod to make: its index, and how often that index failed. */
  readonly indexes: readonly { readonly index: number | undefined; readonly failures: Failures }[]
  /** Milliseconds until the first of the indexes that failed may be tried again, when none may be now. */
  readonly wait?: number
}

const none: Failures = { counted: 0, ignored: 0 }

/** What the job wants beyond the pods that are there. */
export function missing(job: Job, pods: readonly Pod[], tally: Tally, now: number): Missing {
  const { parallelism = 1, completions } = job.spec
  // A pod on its way out may keep another from being made, but sends none away.
  const present = pods.filter((pod) => isActive(pod) || (replacesOnlyFailed(job) && isTerminating(pod)))
  if (isIndexed(job)) return missingIndexes(job, present, tally, now)
  // Without a number of completions one success ends the job: what runs may finish, nothing new starts.
  const active = pods.filter(isActive).length
  const parallel = completions === undefined ? (successes(tally) > 0 ? active : parallelism) : Math.min(parallelism, Math.max(0, completions - successes(tally)))
  return { parallel, indexes: Array.from({ length: Math.max(0, parallel - present.length) }, () => ({ index: undefined, failures: none })) }
}

/** How often an index failed, the pod that is to be replaced among them. */
function failuresWith(job: Job, pod: Pod | undefined): Failures {
  if (!pod) return none
  const { counted, ignored } = failuresBefore(pod)
  return judge(job.spec.podFailurePolicy, pod).action === 'Ignore' ? { counted, ignored: ignored + 1 } : { counted: counted + 1, ignored }
}

function missingIndexes(job: Job, present: readonly Pod[], { completed, failedIndexes, held }: Tally, now: number): Missing {
  const { parallelism = 1, completions = 0 } = job.spec
  const parallel = Math.min(parallelism, Math.max(0, completions - completed.size - failedIndexes.size))
  const taken = new Set(present.map(indexOf))
  const indexes = []
  for (let index = 0; index < completions && indexes.length < parallel - present.length; index++)
    if (!taken.has(index) && !completed.has(index) && !failedIndexes.has(index)) indexes.push({ index, failures: failuresWith(job, held.get(index)), pod: held.get(index) })
  const waits = indexes.map(({ failures, pod }) => (pod ? timeToWait(failures.counted + failures.ignored, endOf(pod), now) : 0))
  const ready = indexes.filter((_, i) => waits[i] === 0)
  return ready.length > 0 || indexes.length === 0 ? { parallel, indexes: ready, ...(ready.length < indexes.length && { wait: Math.min(...waits.filter((ms) => ms > 0)) }) } : { parallel, indexes: [], wait: Math.min(...waits) }
}

/** Active pods that are too many, of those in the order in which they may go: first those without an index of the job, and all but one of an index. */
export function tooMany(job: Job, ranked: readonly Pod[], parallel: number): Pod[] {
  const kept = new Set<number>()
  const surplus = new Set<Pod>()
  for (const pod of isIndexed(job) ? [...ranked].reverse() : []) {
    const index = indexOf(pod)
    if (index === undefined || index >= (job.spec.completions ?? 0) || kept.has(index)) surplus.add(pod)
    else kept.add(index)
  }
  const rest = ranked.filter((pod) => !surplus.has(pod))
  return [...surplus, ...rest.slice(0, Math.max(0, ranked.length - parallel - surplus.size))]
}
