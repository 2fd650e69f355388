/** The API's status of containers, from what the runtime reports and what was said before. Pure. */
import type { core } from '../../api/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { isSidecar } from '../context.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { latest, previous, restartCount, type World } from './world.ts'

/** Why a container is not running although it should: set by the worker while it is true. */
export interface Waiting { readonly reason: string; readonly message: string }

export interface StatusInput {
  readonly pod: core.Pod
  readonly world: World
  /** By container name: the last error of pulling, creating or starting it. */
  readonly waiting: ReadonlyMap<string, Waiting>
  /** What a container left behind as its termination message, by container id. */
  readonly messages: ReadonlyMap<string, string>
  started(name: string): boolean
  ready(name: string): boolean
  /** The pod is over: nothing is waiting any more. */
  readonly terminal: boolean
}

/** Bytes that the last words of all containers of a pod may have together; each may have its equal share. */
const longestMessages = 12 * 1024

function shareOf({ initContainers = [], containers, ephemeralContainers = [] }: core.PodSpec): number {
  return Math.floor(longestMessages / Math.max(1, initContainers.length + containers.length + ephemeralContainers.length))
}

/** What the runtime says of the end, then what the container said. */
function terminatedState(status: ContainerStatus, { messages, pod }: StatusInput): core.ContainerStateTerminated {
  const words = [status.message, messages.get(status.id)].filter(Boolean).join(': ')
  const message = Buffer.from(words).subarray(0, shareOf(pod.spec)).toString()
  return {
    exitCode: status.exitCode,
    reason: status.reason || (status.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message ? { message } : {}),
    startedAt: status.startedAt ? rfc3339(status.startedAt) : null,
    finishedAt: status.finishedAt ? rfc3339(status.finishedAt) : null,
    containerID: `containerd://${status.id}`,
  }
}

type Kind = 'init' | 'app' | 'ephemeral'

/** Statuses of one sort of containers, in the order of the spec. */
export function containerStatuses(input: StatusInput, containers: readonly core.Container[], old: readonly core.ContainerStatus[] | undefined, kind: Kind): core.ContainerStatus[] {
  const statuses = containers.map((container) => one(input, container, old?.find((s) => s.name === container.name), kind))
  // Ephemeral containers are never part of a pod's readiness, and nothing asks whether they have started.
  return kind === 'ephemeral' ? statuses.map((s) => ({ ...s, ready: false, started: undefined })) : statuses
}

function one(input: StatusInput, container: core.Container, old: core.ContainerStatus | undefined, kind: Kind): core.ContainerStatus {
  const { world } = input
  const isInit = kind === 'init'
  const status = latest(world, container.name)
  const current = status && status.state !== 'created' && status.state !== 'unknown' ? status : undefined
  // It ran, and the runtime knows nothing of it any more: it ended in a way that nobody will know.
  const vanished = !status && !input.terminal && old?.state.running !== undefined
  const replaced = vanished && !input.pod.metadata.deletionTimestamp
  const count = status ? restartCount(status) : (old?.restartCount ?? 0) + (replaced ? 1 : 0)
  const before = current && previous(world, container.name)
  const ended = vanished ? { terminated: { ...unknownEnd, message: 'The container could not be located when the pod was deleted.  The container used to be Running' } } : {}
  const lastState: core.ContainerState = before ? { terminated: terminatedState(before, input) } : (old?.lastState.terminated ? old.lastState : ended)
  const base = {
    name: container.name,
    restartCount: count,
    image: status?.image || container.image || '',
    imageID: status?.imageRef ?? old?.imageID ?? '',
    ...(vanished ? {} : containerId(status?.id, old)),
    ...mounts(container),
  }
  const state = stateOf(input, container, current, old, kind)
  const running = state.running !== undefined
  const started = running && input.started(container.name)
  const finishedInit = isInit && !isSidecar(container) && state.terminated?.exitCode === 0
  return {
    ...base,
    state,
    lastState: state.waiting && current?.state === 'exited' ? { terminated: terminatedState(current, input) } : lastState,
    ready: isInit && !isSidecar(container) ? finishedInit : running && started && input.ready(container.name),
    started,
    ...(status ? allocated(container) : {}),
  }
}

const containerId = (id: string | undefined, old: core.ContainerStatus | undefined) => (id ? { containerID: `containerd://${id}` } : old?.containerID ? { containerID: old.containerID } : {})

const mounts = (container: core.Container) => (container.volumeMounts?.length
  ? { volumeMounts: container.volumeMounts.map((m) => ({ name: m.name, mountPath: m.mountPath, ...(m.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}) })) }
  : {})

function allocated(container: core.Container): Pick<core.ContainerStatus, 'allocatedResources' | 'resources'> {
  const { limits, requests } = container.resources
  return { ...(requests ? { allocatedResources: requests } : {}), resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) } }
}

function stateOf(input: StatusInput, container: core.Container, current: ContainerStatus | undefined, old: core.ContainerStatus | undefined, kind: Kind): core.ContainerState {
  if (current?.state === 'running') return { running: { startedAt: rfc3339(current.startedAt || current.createdAt) } }
  const waiting = input.terminal ? undefined : input.waiting.get(container.name)
  if (waiting) return { waiting: { reason: waiting.reason, ...(waiting.message ? { message: waiting.message } : {}) } }
  if (current) return { terminated: terminatedState(current, input) }
  // The runtime no longer knows it: what was said of it before still holds once it had ended.
  if (old?.state.terminated) return old.state
  if (input.terminal && (old?.state.running || (kind === 'app' && wasInitialized(input.pod)))) return { terminated: lost(old) }
  const hasInit = (input.pod.spec.initContainers?.length ?? 0) > 0
  return { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } }
}

/** Whether its containers were to run: those of a pod that is over, and of which nothing is known, then count as failed. */
function wasInitialized({ spec, status }: core.Pod): boolean {
  if (!spec.initContainers?.length) return true
  if (status.containerStatuses?.some((s) => s.lastState.terminated || !s.state.waiting)) return true
  const last = spec.initContainers.at(-1)
  const said = status.initContainerStatuses?.find((s) => s.name === last?.name)
  if (last && isSidecar(last)) return said?.state.running !== undefined && said.started === true
  return said?.state.terminated?.exitCode === 0 || said?.lastState.terminated?.exitCode === 0
}

const unknownEnd = { exitCode: 137, reason: 'ContainerStatusUnknown', startedAt: null, finishedAt: null }

const lost = (old: core.ContainerStatus | undefined): core.ContainerStateTerminated => ({
  ...unknownEnd,
  message: 'The container could not be located when the pod was terminated',
  ...(old?.containerID ? { containerID: old.containerID } : {}),
})
