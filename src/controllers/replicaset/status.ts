/** The status of what keeps a number of pods. */
import type { core } from '../../api/index.ts'
import type { ApiObject } from '../../client/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { conditionOf, withCondition, withoutCondition } from '../shared/conditions.ts'
import { isAvailable, isReady } from '../shared/pods.ts'

export interface ReplicaCondition { readonly type: string; readonly status: string; readonly lastTransitionTime: string | null; readonly reason?: string | undefined; readonly message?: string | undefined }

export interface ReplicaStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number | undefined
  readonly readyReplicas?: number | undefined
  readonly availableReplicas?: number | undefined
  readonly terminatingReplicas?: number | undefined
  readonly observedGeneration?: number | undefined
  readonly conditions?: readonly ReplicaCondition[] | undefined
}

/** Why pods could not be created or deleted. */
export interface ReplicaFailure { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly error: unknown }

interface Kind<T> {
  template(object: T): core.PodTemplateSpec | undefined
  minReadySeconds(object: T): number
  readonly countsTerminating: boolean
}

interface Counted { readonly own: readonly core.Pod[]; readonly terminating: number; readonly failure: ReplicaFailure | undefined; readonly now: number }

/** The status that what was counted makes; counts of zero are left out, as everywhere on the wire. */
export function replicaStatus<T extends ApiObject & { readonly status: ReplicaStatus }>(kind: Kind<T>, object: T, { own, terminating, failure, now }: Counted): ReplicaStatus {
  const labels = Object.entries(kind.template(object)?.metadata.labels ?? {})
  const count = (test: (pod: core.Pod) => boolean) => own.filter(test).length
  const conditions = failureConditions(object.status.conditions, failure, now)
  return {
    replicas: own.length,
    ...zeroless({
      fullyLabeledReplicas: count((pod) => labels.every(([k, v]) => pod.metadata.labels?.[k] === v)),
      readyReplicas: count(isReady),
      availableReplicas: count((pod) => isAvailable(pod, kind.minReadySeconds(object), now)),
      observedGeneration: object.metadata.generation ?? 0,
    }),
    ...(kind.countsTerminating ? { terminatingReplicas: terminating } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  }
}

function failureConditions(before: readonly ReplicaCondition[] | undefined, failure: ReplicaFailure | undefined, now: number): readonly ReplicaCondition[] {
  if (!failure) return withoutCondition(before, 'ReplicaFailure')
  if (conditionOf(before, 'ReplicaFailure')) return before ?? []
  const message = failure.error instanceof Error ? failure.error.message : String(failure.error)
  return withCondition(before, { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message, lastTransitionTime: rfc3339(now) })
}

const zeroless = <T extends Record<string, number>>(counts: T): Partial<T> => Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0)) as Partial<T>
