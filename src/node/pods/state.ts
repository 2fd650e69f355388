/** What a worker knows of its pod at this moment. */
import type { core } from '../../api/index.ts'
import type { Waiting } from './container-status.ts'
import type { World } from './world.ts'

export interface PodState {
  /** As the API server last told it. */
  pod: core.Pod
  world: World
  /** Host paths of the pod's volumes, once they are ready. */
  volumes: ReadonlyMap<string, string> | undefined
  readonly waiting: Map<string, Waiting>
  /** Termination messages by container id. */
  readonly messages: Map<string, string>
  /** What containers were last given, by container id. */
  readonly resources: Map<string, Pick<core.ResourceRequirements, 'limits' | 'requests'>>
  /** Why the node ended the pod, if it did. */
  verdict: { readonly reason: string; readonly message: string } | undefined
  /** Seconds its containers get to end, where the node does not leave them their own grace period. */
  grace: number | undefined
  /** What was last reported. */
  reported: core.PodStatus | undefined
  /** Aborts when the pod is to go away: whatever is being waited for then no longer matters. */
  readonly stopping: AbortSignal
  /** The result of the work, unless the pod is to go away before; it is not begun when that is known already. */
  unlessStopped<T>(work: () => Promise<T>): Promise<T>
  /** Looks at the pod again after so many milliseconds at the latest. */
  wakeAfter(ms: number): void
}
