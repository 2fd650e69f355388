/** What a stateful set does next: one step towards its pods, in their order. */
import { scaledValue } from '../../machinery/intorstring.ts'
import { isAvailable, isFinished } from '../shared/pods.ts'
import type { Revision } from '../shared/history.ts'
import { createActions, type Environment } from './actions.ts'
import { firstOrdinal, isHealthy, isRunningAndReady, ordinalOf, replicasOf, revisionOf, type Pod, type StatefulSet } from './pods.ts'

export interface Plan {
  readonly set: StatefulSet
  readonly current: Revision
  readonly update: Revision
  readonly pods: readonly Pod[]
}

const nameOf = (revision: Revision): string => revision.metadata.name ?? ''
const isOrdered = (set: StatefulSet): boolean => set.spec.podManagementPolicy !== 'Parallel'

/** The steps over one look at the pods. */
export function createSteps(env: Environment, { set, current, update, pods }: Plan) {
  const { create, createClaims, identify, remove, bindClaims, isStale } = createActions(env, set)
  const start = firstOrdinal(set)
  const end = start + replicasOf(set)
  const byOrdinal = new Map(pods.flatMap((pod) => {
    const ordinal = ordinalOf(set, pod)
    return ordinal === undefined ? [] : [[ordinal, pod] as const]
  }))
  const condemned = [...byOrdinal].filter(([ordinal]) => ordinal < start || ordinal >= end).sort(([a], [b]) => b - a).map(([, pod]) => pod)
  const available = (pod: Pod) => isHealthy(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, env.now())

  /** New pods below the partition, or while the old revision is still rolled out, are of the current revision. */
  function revisionFor(ordinal: number): Revision {
    if (set.spec.updateStrategy.type === 'OnDelete' || nameOf(current) === nameOf(update)) return update
    const partition = set.spec.updateStrategy.rollingUpdate?.partition
    return ordinal < start + (partition ?? set.status.currentReplicas ?? 0) ? current : update
  }

  let isBlocked = false

  /** Makes the pod with this ordinal, unless it has to wait for claims of the one before to go. */
  async function make(ordinal: number): Promise<void> {
    if (isStale(ordinal)) isBlocked = true
    else await create(ordinal, revisionFor(ordinal))
  }

  /** Makes and waits for the pods of the range; false when the next step has to wait. */
  async function fill(): Promise<boolean> {
    for (let ordinal = start; ordinal < end; ordinal++) {
      const pod = byOrdinal.get(ordinal)
      if (!pod) {
        await make(ordinal)
        if (isOrdered(set)) return false
      } else if (isFinished(pod)) {
        if (!pod.metadata.deletionTimestamp) await remove(pod)
        if (isOrdered(set)) return false
      } else {
        if (pod.status.phase === 'Pending') await createClaims(ordinal)
        if (isOrdered(set) && (pod.metadata.deletionTimestamp || !isRunningAndReady(pod) || !available(pod))) return false
        await identify(pod, ordinal)
        await bindClaims(pod)
      }
    }
    return true
  }

  /** The first pod that is not available, or is not there at all: while one of the range is not, none beyond it may be skipped. */
  function firstUnavailable(): Pod | undefined {
    for (let ordinal = start; ordinal < end; ordinal++) {
      const pod = byOrdinal.get(ordinal)
      if (!pod || !available(pod)) return pod
    }
    return condemned.findLast((pod) => !available(pod))
  }

  /** Deletes what is beyond the range, from the top; false when the next step has to wait. */
  async function shrink(): Promise<boolean> {
    const first = firstUnavailable()
    for (const pod of condemned) await bindClaims(pod)
    for (const pod of condemned) {
      if (pod.metadata.deletionTimestamp) {
        if (isOrdered(set)) return false
        continue
      }
      if (isOrdered(set) && !available(pod) && pod !== first) return false
      await remove(pod)
      if (isOrdered(set)) return false
    }
    return true
  }

  /** Replaces pods of another revision from the top down to the partition, so many at a time. */
  async function roll(): Promise<void> {
    if (set.spec.updateStrategy.type === 'OnDelete') return
    const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy.rollingUpdate ?? {}
    const limit = Math.max(1, scaledValue(maxUnavailable, replicasOf(set), false))
    let waiting = 0
    for (let ordinal = end - 1; ordinal >= start + partition && waiting < limit; ordinal--) {
      const pod = byOrdinal.get(ordinal)
      if (pod && revisionOf(pod) !== nameOf(update) && !pod.metadata.deletionTimestamp) {
        await remove(pod)
        waiting++
      } else if (!pod || !available(pod)) waiting++
    }
  }

  return { fill, shrink, roll, isBlocked: () => isBlocked }
}
