/** What one look at a pod consists of: see what runs, mount, do the plan, report. The worker says when. */
import type { core } from '../../api/index.ts'
import { parseTime } from '../../machinery/time.ts'
import { allContainers, podUid, type AnyContainer } from '../context.ts'
import { allEnded } from '../all-ended.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { VolumeError } from '../volumes/volumes.ts'
import { createBackoff } from './backoff.ts'
import { stopContainer } from './kill.ts'
import { readMessages } from './messages.ts'
import { planPod, type Plan } from './plan.ts'
import { pruneDead } from './prune.ts'
import { graceSeconds, startContainer, startSandbox, writeHostsFile } from './start.ts'
import type { PodState } from './state.ts'
import { podStatus } from './status.ts'
import type { Tools } from './tools.ts'
import { latest, readWorld } from './world.ts'

/** Where a worker is in its life. */
export interface Life {
  /** A step is under way. */
  running: boolean
  /** Another step is wanted. */
  pending: boolean
  /** The runtime is to be asked again. */
  dirty: boolean
  /** The API server no longer has the pod. */
  gone: boolean
  ended: boolean
  released: boolean
  admitted: boolean
  /** Steps that failed in a row. */
  failures: number
  /** The pod has ended and stays until it is deleted. */
  kept: boolean
}

export interface Steps {
  /** Writes down the status as it is now; `terminal`: nothing of the pod runs any more. */
  report(terminal: boolean): void
  /** Asks the runtime, when something changed there. */
  look(): Promise<void>
  plan(): Plan
  /** Does one plan. Resolves with whether the pod has run to its end. */
  act(plan: Plan): Promise<boolean>
  pastDeadline(): boolean
  /** The pod is to end, or has ended. */
  isOver(): boolean
  /** What a volume lacked may be there now: the next step mounts without waiting. */
  mountAtOnce(): void
}

/** The steps of one pod's worker. */
export function createSteps(tools: Tools, state: PodState, life: Life): Steps {
  const { clock, runtime, recorder } = tools.context
  const uid = podUid(state.pod)
  const mountRetries = createBackoff(clock, { initial: 500, max: 122_000 })
  let mountFailedAt = 0

  const report = (terminal: boolean): void => {
    const merged = state.reported ? { ...state.reported, conditions: mergedConditions(state) } : state.pod.status
    const view = { ...state.pod, status: merged }
    const status = podStatus({
      pod: view, world: state.world, waiting: state.waiting, messages: state.messages, terminal, now: clock.now(), hostIPs: tools.context.hostIPs,
      ...(state.verdict ? { verdict: state.verdict } : {}),
      started: (name) => tools.prober.started(view, name, latest(state.world, name)?.id ?? ''),
      ready: (name) => tools.prober.ready(view, name, latest(state.world, name)?.id ?? ''),
    })
    state.reported = status
    tools.statuses.set(state.pod, status)
  }

  const look = async (): Promise<void> => {
    if (!life.dirty) return
    life.dirty = false
    state.world = await readWorld(runtime, uid)
    await readMessages(tools, state)
  }

  const prepareVolumes = async (): Promise<void> => {
    if (state.volumes || mountRetries.remaining('mount', mountFailedAt) > 0) return
    try {
      state.volumes = await tools.volumes.prepare(state.pod)
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error
      recorder.event(state.pod, 'Warning', 'FailedMount', error.message)
      mountFailedAt = clock.now()
      mountRetries.next('mount', mountFailedAt)
      state.wakeAfter(mountRetries.delay('mount'))
    }
  }

  /** Does one plan. Resolves with whether the pod has run to its end. */
  const act = async (plan: Plan): Promise<boolean> => {
    if (plan.killPod && plan.createSandbox === undefined) return true
    if (plan.createSandbox !== undefined) {
      if (plan.killPod) await clearOldSandbox()
      await allEnded([startSandbox(tools, state, plan.createSandbox), prepareVolumes()])
      await writeHostsFile(tools, state)
      return act(planPod(planInput()))
    }
    for (const { status, container, message, probe } of plan.kill) await restartLater(described(container), status, message, probe)
    await prepareVolumes()
    if (!state.volumes) return false
    for (const container of plan.startEphemeral) await startContainer(tools, state, described(container as core.Container))
    for (const container of plan.startInit) await startContainer(tools, state, described(container))
    for (const container of plan.start) await startContainer(tools, state, described(container))
    if (plan.kill.length > 0 || (plan.startInit.length > 0 && !plan.start.length)) wakeIfProgress(plan)
    void pruneDead(tools, state)
    return false
  }

  /** A started sidecar lets the next container go at once; a killed one is started again by the next step. */
  const wakeIfProgress = (plan: Plan): void => {
    if (plan.kill.length > 0 || plan.startInit.some((c) => c.restartPolicy === 'Always' && latest(state.world, c.name)?.state === 'running')) life.pending = true
  }

  const described = (container: core.Container): AnyContainer =>
    allContainers(state.pod).find((c) => c.container.name === container.name) ?? { container, kind: 'app', fieldPath: `spec.containers{${container.name}}` }

  const restartLater = async (c: AnyContainer, status: ContainerStatus, message: string, probe: core.Probe | undefined): Promise<void> => {
    await stopContainer(tools, state, c, status, { message, grace: Number(probe?.terminationGracePeriodSeconds ?? graceSeconds(state.pod)) })
    life.dirty = true
  }

  const clearOldSandbox = async (): Promise<void> => {
    const grace = graceSeconds(state.pod)
    for (const status of state.world.containers) {
      if (status.state === 'running') await stopContainer(tools, state, described({ name: status.name } as core.Container), status, { message: `Stopping container ${status.name}`, grace })
    }
    if (state.world.sandboxes.length > 0) recorder.event(state.pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    for (const sandbox of state.world.sandboxes) await runtime.stopSandbox(sandbox.id)
    state.world = await readWorld(runtime, uid)
    await readMessages(tools, state)
  }

  const planInput = () => ({
    pod: state.pod, world: state.world, unhealthy: tools.prober.unhealthy(uid, state.world),
    started: (name: string) => tools.prober.started(state.pod, name, latest(state.world, name)?.id ?? ''),
  })

  const pastDeadline = (): boolean => {
    const seconds = state.pod.spec.activeDeadlineSeconds
    const start = state.reported?.startTime ?? state.pod.status.startTime
    if (!seconds || !start) return false
    const left = parseTime(start) + seconds * 1000 - clock.now()
    if (left > 0) state.wakeAfter(left)
    return left <= 0
  }

  const isOver = (): boolean => {
    const phase = state.reported?.phase ?? state.pod.status.phase
    return life.gone || state.verdict !== undefined || state.pod.metadata.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed'
  }

  return { report, look, act, plan: () => planPod(planInput()), pastDeadline, isOver, mountAtOnce: () => void (mountFailedAt = 0) }
}

const ownConditions: ReadonlySet<string> = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])
/** Conditions that are not the node's to say. */
export const foreignConditions = (pod: core.Pod) => (pod.status.conditions ?? []).filter((c) => !ownConditions.has(c.type))

/** Conditions of ours as last reported, those of others as the API server has them. */
const mergedConditions = (state: PodState): readonly core.PodCondition[] =>
  [...(state.reported?.conditions ?? []).filter((c) => ownConditions.has(c.type)), ...foreignConditions(state.pod)]
