/** Which pods a job lacks. */
import { indexOf } from './indexes.ts'
import { failureCountAnnotation, isActive, isFailed, isIndexed, isTerminating, replacesOnlyFailed, type Job, type Pod } from './pods.ts'
import { successes, type Tally } from './tracking.ts'

export interface Missing {
  /** How many pods may be active. */
  readonly parallel: number
  /** One entry for each pod to make: its index, and how often that index failed. */
  readonly indexes: readonly { readonly index: number | undefined; readonly failures: number }[]
}

/** What the job wants beyond the pods that are there. */
export function missing(job: Job, pods: readonly Pod[], tally: Tally): Missing {
  const { parallelism = 1, completions } = job.spec
  const present = pods.filter((pod) => isActive(pod) || (replacesOnlyFailed(job) && isTerminating(pod)))
  if (isIndexed(job)) return missingIndexes(job, pods, present, tally)
  const active = pods.filter(isActive).length
  // Without a number of completions one success ends the job: what runs may finish, nothing new starts.
  const parallel = completions === undefined ? (successes(tally) > 0 ? active : parallelism) : Math.min(parallelism, Math.max(0, completions - successes(tally)))
  const count = Math.max(0, parallel - present.length)
  return { parallel: Math.max(0, parallel - (present.length - active)), indexes: Array.from({ length: count }, () => ({ index: undefined, failures: 0 })) }
}

function missingIndexes(job: Job, pods: readonly Pod[], present: readonly Pod[], { completed, failedIndexes }: Tally): Missing {
  const { parallelism = 1, completions = 0 } = job.spec
  const remaining = completions - completed.size - failedIndexes.size
  const parallel = Math.min(parallelism, Math.max(0, remaining))
  const taken = new Set(present.map(indexOf))
  const failuresOf = (index: number): number => {
    const failed = pods.filter((pod) => indexOf(pod) === index && isFailed(job, pod))
    return failed.length === 0 ? 0 : Math.max(...failed.map((pod) => Number(pod.metadata.annotations?.[failureCountAnnotation] ?? 0))) + 1
  }
  const indexes = []
  for (let index = 0; index < completions && indexes.length < parallel - present.length; index++)
    if (!taken.has(index) && !completed.has(index) && !failedIndexes.has(index)) indexes.push({ index, failures: failuresOf(index) })
  return { parallel, indexes }
}
