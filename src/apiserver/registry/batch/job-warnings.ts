/** What a client should know about a job that is accepted as it is. */
import type { batch, meta } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { templateWarnings } from '../core/pod-warnings.ts'

const manyCompletions = 100_000
const manyAtOnce = 10_000

/** Warnings about a job, or about the spec `at` some place of the object that makes jobs of it. `current` is that object before an update. */
export function jobWarnings(at: Path, object: { readonly metadata: meta.ObjectMeta }, spec: batch.JobSpec, current: { readonly metadata: meta.ObjectMeta } | undefined): readonly string[] {
  if (current && current.metadata.generation === object.metadata.generation) return []
  const large = spec.completionMode === 'Indexed' && (spec.completions ?? 0) > manyCompletions && (spec.parallelism ?? 0) > manyAtOnce
  return [
    ...(large ? [`${at}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`] : []),
    ...templateWarnings(at.at('template'), object, spec.template, current, true),
  ]
}
