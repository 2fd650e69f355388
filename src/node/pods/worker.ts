/**
 * The worker of one pod: compares what the pod should be with what the runtime has, does what is missing, reports. One step
 * at a time per pod, any number of pods at once. It is woken by changes of the pod, by the runtime's events, by probes and by
 * its own timers; it can be thrown away and made anew at any time, because everything it knows is in the runtime.
 */
import type { core } from '../../api/index.ts'
import type { Timer } from '../../machinery/clock.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { parseTime } from '../../machinery/time.ts'
import { allContainers, podName, podNamespace, podUid, type AnyContainer } from '../context.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { VolumeError } from '../volumes/volumes.ts'
import { createBackoff } from './backoff.ts'
import { finishPod, forgetPod } from './finish.ts'
import { stopContainer } from './kill.ts'
import { readMessage } from './messages.ts'
import { planPod, type Plan } from './plan.ts'
import { pruneDead } from './prune.ts'
import { resizeContainers } from './resize.ts'
import { graceSeconds, startContainer, startSandbox, writeHostsFile } from './start.ts'
import type { PodState } from './state.ts'
import { podStatus } from './status.ts'
import type { Tools } from './tools.ts'
import { emptyWorld, latest, readWorld } from './world.ts'

export interface PodWorker {
  readonly pod: core.Pod
  /** A step is under way. */
  readonly busy: boolean
  /** The API server no longer has the pod: what of it still runs is on its way out, and its share of the node is given to others. */
  readonly isGone: boolean
  /** The pod as the API server has it now. */
  update(pod: core.Pod): void
  /** The API server no longer has the pod: whatever of it runs is to go. */
  gone(): void
  /** Something about its containers changed in the runtime. */
  changed(): void
  /** Look again, nothing changed in the runtime: a probe, a volume, a condition. */
  wake(): void
  /** Brings its volumes up to date: a ConfigMap or Secret changed, or a token grows old. */
  refreshVolumes(): void
  /** The node takes the pod down at once, for a reason of its own. */
  evict(reason: string, message: string): void
  /** `id=state` of all that the worker knows of, for comparison with a relist. */
  fingerprint(): string
  /** The worker's view for the kubelet's own API: `GET /pods`. */
  current(): core.Pod
  /** Stops working; what runs goes on running. */
  release(): void
}

export interface WorkerOptions {
  readonly tools: Tools
  readonly pod: core.Pod
  /** The runtime knew the pod before this worker: it is asked instead of assumed to be empty. */
  readonly known: boolean
  /** Checks of the node itself, once, before anything of the pod runs. */
  admit(pod: core.Pod): { readonly reason: string; readonly message: string } | undefined
  /** Called when nothing of the pod is left and it is gone from the API. */
  onEnd(): void
}

/** Seconds that a pod gets to end when the node cannot wait for it. */
const evictionGrace = 1

class Stopped extends Error {}

export function startWorker({ tools, pod, known, admit, onEnd }: WorkerOptions): PodWorker {
  const { clock, log, runtime, recorder } = tools.context
  const uid = podUid(pod)
  const stop = new AbortController()
  const mountRetries = createBackoff(clock, { initial: 500, max: 122_000 })
  const life = { running: false, pending: false, dirty: known, gone: false, ended: false, released: false, admitted: known, failures: 0, kept: false }
  let mountFailedAt = 0
  let timer: { readonly timer: Timer; readonly at: number } | undefined

  const state: PodState = {
    pod, world: emptyWorld, volumes: undefined, waiting: new Map(), messages: new Map(), resources: new Map(), verdict: undefined, grace: undefined, reported: undefined, stopping: stop.signal,
    async unlessStopped(promise) {
      if (stop.signal.aborted) throw new Stopped()
      let abort = () => {}
      const stopped = new Promise<never>((_, reject) => {
        abort = () => reject(new Stopped())
        stop.signal.addEventListener('abort', abort, { once: true })
      })
      return Promise.race([promise, stopped]).finally(() => stop.signal.removeEventListener('abort', abort))
    },
    wakeAfter(ms) {
      const at = clock.now() + ms
      if (timer && timer.at <= at && timer.at > clock.now()) return
      timer?.timer.cancel()
      timer = { at, timer: clock.after(ms, () => { timer = undefined; wake() }) }
    },
  }

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
    for (const status of state.world.containers) {
      if (status.state === 'exited' && !state.messages.has(status.id)) state.messages.set(status.id, await readMessage(tools, state.pod, status))
    }
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
      await Promise.all([startSandbox(tools, state, plan.createSandbox), prepareVolumes()])
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
    await stopContainer(tools, state, c, status, message, probe?.terminationGracePeriodSeconds ?? graceSeconds(state.pod))
    life.dirty = true
  }

  const clearOldSandbox = async (): Promise<void> => {
    for (const status of state.world.containers) if (status.state === 'running') await stopContainer(tools, state, described({ name: status.name } as core.Container), status, `Stopping container ${status.name}`, graceSeconds(state.pod))
    if (state.world.sandboxes.length > 0) recorder.event(state.pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    for (const sandbox of state.world.sandboxes) await runtime.stopSandbox(sandbox.id)
    state.world = await readWorld(runtime, uid)
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

  const step = async (): Promise<void> => {
    await look()
    if (!life.admitted && !isOver()) {
      state.verdict = admit(state.pod)
      life.admitted = true
      if (state.verdict) recorder.event(state.pod, 'Warning', state.verdict.reason, state.verdict.message)
    }
    if (!isOver() && pastDeadline()) {
      state.verdict = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
      recorder.event(state.pod, 'Normal', 'DeadlineExceeded', state.verdict.message)
    }
    if (isOver()) return end()
    if (await resizeContainers(tools, state)) { life.dirty = true; await look() }
    report(false)
    // The first report set the time that the deadline counts from.
    pastDeadline()
    tools.prober.sync(state.pod, state.world)
    const done = await act(planPod(planInput()))
    tools.prober.sync(state.pod, state.world)
    if (!done) return report(false)
    report(false)
    await end()
  }

  /** Ends the pod once; a pod that is kept is looked at again only to be deleted. */
  const end = async (): Promise<void> => {
    if (life.kept && !life.gone && !state.pod.metadata.deletionTimestamp) return
    const left = await finishPod(tools, state, { gone: life.gone, report })
    life.kept = left === 'kept'
    if (left === 'deleted') conclude()
  }

  const conclude = (): void => {
    life.ended = true
    timer?.timer.cancel()
    forgetPod(tools, uid)
    onEnd()
  }

  const run = async (): Promise<void> => {
    life.running = true
    while (life.pending && !life.ended && !life.released) {
      life.pending = false
      try {
        await step()
        life.failures = 0
      } catch (error) {
        if (error instanceof Stopped) { life.pending = true; continue }
        life.failures++
        life.dirty = true
        log.warn({ pod: podName(state.pod), namespace: podNamespace(state.pod), error: error instanceof Error ? error.message : String(error) }, 'pod not in order yet, trying again')
        state.wakeAfter(Math.min(30_000, 500 * 2 ** life.failures))
      }
    }
    life.running = false
  }

  const wake = (): void => {
    life.pending = true
    if (!life.running && !life.ended && !life.released) void run()
  }

  const refreshVolumes = (): void => {
    if (!state.volumes) {
      mountFailedAt = 0 // What was missing may be there now: no need to wait.
      return wake()
    }
    tools.volumes.refresh(state.pod).catch((error: unknown) => log.warn({ pod: podName(state.pod), namespace: podNamespace(state.pod), error: String(error) }, 'volumes not brought up to date'))
  }

  return {
    get pod() { return state.pod },
    get busy() { return life.running },
    get isGone() { return life.gone },
    update(next) {
      const before = state.pod
      state.pod = next
      if (next.metadata.deletionTimestamp) stop.abort()
      const shorter = (next.metadata.deletionGracePeriodSeconds ?? Infinity) < (before.metadata.deletionGracePeriodSeconds ?? Infinity)
      if (before.metadata.deletionTimestamp && shorter) hasten(tools, state)
      const relabelled = !deepEqual(before.metadata.labels, next.metadata.labels) || !deepEqual(before.metadata.annotations, next.metadata.annotations)
      if (relabelled) refreshVolumes()
      // A status that we wrote ourselves comes back as a change too: nothing is to be done for it.
      if (relabelled || next.metadata.deletionTimestamp || !deepEqual(before.spec, next.spec) || !deepEqual(foreignConditions(before), foreignConditions(next))) wake()
    },
    gone() {
      life.gone = true
      stop.abort()
      // Nobody waits for it any more, and its name may be taken already: it gets a moment, not its whole grace period.
      state.pod = { ...state.pod, metadata: { ...state.pod.metadata, deletionGracePeriodSeconds: Math.min(1, graceSeconds(state.pod)) } }
      if (state.pod.metadata.deletionTimestamp) hasten(tools, state)
      wake()
    },
    changed() { life.dirty = true; wake() },
    wake,
    refreshVolumes,
    evict(reason, message) {
      if (state.verdict) return
      state.verdict = { reason, message }
      state.grace = evictionGrace
      recorder.event(state.pod, 'Warning', reason, message)
      stop.abort()
      wake()
    },
    fingerprint: () => [...state.world.sandboxes, ...state.world.containers].map((x) => `${x.id}=${x.state}`).toSorted().join(' '),
    current: () => ({ ...state.pod, status: state.reported ?? state.pod.status }),
    release() {
      life.released = true
      timer?.timer.cancel()
      tools.prober.forget(uid)
    },
  }
}

/** A shorter grace period arrived while the pod is being stopped: what still runs gets the shorter one, beside the stop under way. */
function hasten(tools: Tools, state: PodState): void {
  const grace = state.pod.metadata.deletionGracePeriodSeconds ?? 0
  for (const status of state.world.containers) {
    if (status.state !== 'running') continue
    tools.context.runtime.stopContainer(status.id, grace).catch((error: unknown) => tools.context.log.debug({ container: status.id, error: String(error) }, 'not stopped sooner'))
  }
}

const ownConditions: ReadonlySet<string> = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])
const foreignConditions = (pod: core.Pod) => (pod.status.conditions ?? []).filter((c) => !ownConditions.has(c.type))

/** Conditions of ours as last reported, those of others as the API server has them. */
const mergedConditions = (state: PodState): readonly core.PodCondition[] =>
  [...(state.reported?.conditions ?? []).filter((c) => ownConditions.has(c.type)), ...foreignConditions(state.pod)]
