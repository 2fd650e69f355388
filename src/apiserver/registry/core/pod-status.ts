/** What `kubectl get pods` says about a pod's state, computed from its status. */
import type { core } from '../../../api/index.ts'
import { since } from '../printing.ts'

export interface PodSummary {
  /** `1/2`: ready containers, and sidecars, of all. */
  readonly ready: string
  /** The STATUS column: phase, or the most telling reason. */
  readonly reason: string
  /** The RESTARTS column: `3 (5m ago)`. */
  readonly restarts: string
}

interface Tally { restarts: number; lastRestart: string }

const isSidecar = (container: core.Container | undefined): boolean => container?.restartPolicy === 'Always'
const conditionIsTrue = (pod: core.Pod, type: string): boolean => pod.status.conditions?.some((c) => c.type === type && c.status === 'True') ?? false

function count(tally: Tally, status: core.ContainerStatus): void {
  tally.restarts += status.restartCount
  const finished = status.lastState.terminated?.finishedAt
  if (finished && finished > tally.lastRestart) tally.lastRestart = finished
}

/** How a container that ended says why: its reason, the signal, or the exit code. */
function endedBecause(ended: core.ContainerStateTerminated): string {
  if (ended.reason) return ended.reason
  return ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`
}

interface InitProgress { readonly all: Tally; readonly sidecars: Tally; readonly readySidecars: number; readonly reason: string | undefined }

/** Walks the init containers up to the first that is not done; its state is the pod's. */
function initProgress(pod: core.Pod): InitProgress {
  const specs = new Map((pod.spec.initContainers ?? []).map((c) => [c.name, c]))
  const all: Tally = { restarts: 0, lastRestart: '' }
  const sidecars: Tally = { restarts: 0, lastRestart: '' }
  let readySidecars = 0
  for (const [i, status] of (pod.status.initContainerStatuses ?? []).entries()) {
    const sidecar = isSidecar(specs.get(status.name))
    count(all, status)
    if (sidecar) count(sidecars, status)
    const { terminated, waiting } = status.state
    if (terminated?.exitCode === 0) continue
    if (sidecar && status.started) {
      if (status.ready) readySidecars++
      continue
    }
    const waitingFor = waiting?.reason && waiting.reason !== 'PodInitializing' ? waiting.reason : `${i}/${specs.size}`
    return { all, sidecars, readySidecars, reason: `Init:${terminated ? endedBecause(terminated) : waitingFor}` }
  }
  return { all, sidecars, readySidecars, reason: undefined }
}

/** The most telling reason among the main containers (the first container's wins), and how many are ready and running. */
function mainProgress(pod: core.Pod, tally: Tally): { readonly reason: string | undefined; readonly running: number } {
  let reason: string | undefined
  let running = 0
  for (const status of (pod.status.containerStatuses ?? []).toReversed()) {
    count(tally, status)
    const { waiting, terminated } = status.state
    if (waiting?.reason) reason = waiting.reason
    else if (terminated) reason = endedBecause(terminated)
    else if (status.ready && status.state.running) running++
  }
  return { reason, running }
}

function reasonOf(pod: core.Pod): string {
  const gated = pod.status.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')
  return gated ? 'SchedulingGated' : pod.status.reason || pod.status.phase || ''
}

/** READY, STATUS and RESTARTS of a pod, as `kubectl get pods` shows them at `now`. */
export function podSummary(pod: core.Pod, now: number): PodSummary {
  const init = initProgress(pod)
  let reason = init.reason ?? reasonOf(pod)
  let tally = init.all
  let ready = init.readySidecars
  if (init.reason === undefined || conditionIsTrue(pod, 'Initialized')) {
    tally = init.sidecars
    const main = mainProgress(pod, tally)
    reason = main.reason ?? reason
    ready += main.running
    if (reason === 'Completed' && main.running > 0) reason = conditionIsTrue(pod, 'Ready') ? 'Running' : 'NotReady'
  }
  if (pod.metadata.deletionTimestamp) {
    const finished = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
    if (pod.status.reason === 'NodeLost') reason = 'Unknown'
    else if (!finished) reason = 'Terminating'
  }
  const total = pod.spec.containers.length + (pod.spec.initContainers ?? []).filter(isSidecar).length
  const ago = tally.restarts > 0 && tally.lastRestart ? ` (${since(tally.lastRestart, now)} ago)` : ''
  return { ready: `${ready}/${total}`, reason, restarts: `${tally.restarts}${ago}` }
}
