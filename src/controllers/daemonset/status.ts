/** The counts of a daemon set. */
import type { apps } from '../../api/index.ts'
import { isReady } from '../shared/pods.ts'
import { isServing, isUpdated, oldestFirst, type Daemons } from './plan.ts'

export function statusOf(daemons: Daemons, collisionCount: number): apps.DaemonSetStatus {
  const { set, nodes, byNode, hash } = daemons
  const podsOn = (name: string | undefined) => byNode.get(name ?? '') ?? []
  const wanted = nodes.filter((n) => n.shouldRun).map(({ node }) => {
    const [oldest] = [...podsOn(node.metadata.name)].sort(oldestFirst)
    return oldest
  })
  const there = wanted.filter((pod) => pod !== undefined)
  const numberAvailable = there.filter((pod) => isServing(daemons, pod)).length
  const counts = {
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: there.filter((pod) => isUpdated(pod, hash)).length,
    numberAvailable,
    numberUnavailable: wanted.length - numberAvailable,
  }
  return {
    currentNumberScheduled: there.length,
    numberMisscheduled: nodes.filter((n) => !n.shouldRun && podsOn(n.node.metadata.name).length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: there.filter(isReady).length,
    ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0)),
    ...(collisionCount > 0 || set.status.collisionCount !== undefined ? { collisionCount } : {}),
    ...(set.status.conditions ? { conditions: set.status.conditions } : {}),
  }
}
