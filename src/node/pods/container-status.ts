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

function terminatedState(status: ContainerStatus, messages: ReadonlyMap<string, string>): core.ContainerStateTerminated {
  const message = messages.get(status.id) || status.message
  return {
    exitCode: status.exitCode,
    reason: status.reason || (status.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message ? { message } : {}),
    startedAt: status.startedAt ? rfc3339(status.startedAt) : null,
    finishedAt: status.finishedAt ? rfc3339(status.finishedAt) : null,
    containerID: `containerd://${status.id}`,
  }
}

/** Statuses of one sort of containers, in the order of the spec. */
export function containerStatuses(input: StatusInput, containers: readonly core.Container[], old: readonly core.ContainerStatus[] | undefined, kind: 'init' | 'app' | 'ephemeral'): core.ContainerStatus[] {
  const statuses = containers.map((container) => one(input, container, old?.find((s) => s.name === container.name), kind === 'init'))
  // Ephemeral containers are never part of a pod's readiness.
  return kind === 'ephemeral' ? statuses.map((s) => ({ ...s, ready: false })) : statuses
}

function one(input: StatusInput, container: core.Container, old: core.ContainerStatus | undefined, isInit: boolean): core.ContainerStatus {
  const { world } = input
  const status = latest(world, container.name)
  const current = status && status.state !== 'created' && status.state !== 'unknown' ? status : undefined
  const count = status ? restartCount(status) : (old?.restartCount ?? 0)
  const before = current && previous(world, container.name)
  const lastState: core.ContainerState = before ? { terminated: terminatedState(before, input.messages) } : (old?.lastState ?? {})
  const base = {
    name: container.name,
    restartCount: count,
    image: status?.image || container.image || '',
    imageID: status?.imageRef ?? old?.imageID ?? '',
    ...containerId(status?.id, old),
    ...mounts(container),
  }
  const state = stateOf(input, container, current, old)
  const running = state.running !== undefined
  const started = running && input.started(container.name)
  const finishedInit = isInit && !isSidecar(container) && state.terminated?.exitCode === 0
  return {
    ...base,
    state,
    lastState: state.waiting && current?.state === 'exited' ? { terminated: terminatedState(current, input.messages) } : lastState,
    ready: isInit && !isSidecar(container) ? finishedInit : running && started && input.ready(container.name),
    started,
    ...(running ? allocated(container) : {}),
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

function stateOf(input: StatusInput, container: core.Container, current: ContainerStatus | undefined, old: core.ContainerStatus | undefined): core.ContainerState {
  if (current?.state === 'running') return { running: { startedAt: rfc3339(current.startedAt || current.createdAt) } }
  const waiting = input.terminal ? undefined : input.waiting.get(container.name)
  if (waiting) return { waiting: { reason: waiting.reason, ...(waiting.message ? { message: waiting.message } : {}) } }
  if (current) return { terminated: terminatedState(current, input.messages) }
  // The runtime no longer knows it: what was said of it before still holds once it had ended.
  if (old?.state.terminated) return old.state
  if (input.terminal && old?.state.running) return { terminated: lost(old) }
  const hasInit = (input.pod.spec.initContainers?.length ?? 0) > 0
  return { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } }
}

const lost = (old: core.ContainerStatus): core.ContainerStateTerminated => ({
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  startedAt: null,
  finishedAt: null,
  ...(old.containerID ? { containerID: old.containerID } : {}),
})
