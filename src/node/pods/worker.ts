/**
 * The worker of one pod: compares the pod's spec with what the runtime has, acts on the difference, and reports. One step at
 * a time per pod, any number of pods at once. It is woken by changes of the pod, by the runtime's events, by probes and by
 * its own timers; it can be discarded and recreated at any time, because everything it knows is in the runtime.
 */
import type { core } from '../../api/index.ts'
import type { Clock, Timer } from '../../machinery/clock.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { podName, podNamespace, podUid } from '../context.ts'
import type { Refusal } from './admission.ts'
import { finishPod, forgetPod } from './finish.ts'
import { resizeContainers } from './resize.ts'
import { graceSeconds } from './start.ts'
import type { PodState } from './state.ts'
import { createSteps, foreignConditions, type Life } from './steps.ts'
import type { Tools } from './tools.ts'
import { emptyWorld } from './world.ts'

export interface PodWorker {
  readonly pod: core.Pod
  /** A step is under way. */
  readonly busy: boolean
  /** The API server no longer has the pod: whatever still runs is being stopped, and its share of the node is free. */
  readonly isGone: boolean
  /** The pod as the API server has it now. */
  update(pod: core.Pod): void
  /** The API server no longer has the pod: stop and remove it. */
  gone(): void
  /** Something about its containers changed in the runtime. */
  changed(): void
  /** Take a step although nothing changed in the runtime: a probe, a volume, a condition. */
  wake(): void
  /** Refreshes its volumes: a ConfigMap or Secret changed, or a token is about to expire. */
  refreshVolumes(): void
  /** The node evicts the pod at once, for a reason of its own. */
  evict(reason: string, message: string): void
  /** `id=state` of every sandbox and container it knows, to compare with a relist. */
  fingerprint(): string
  /** The worker's view for the kubelet's own API: `GET /pods`. */
  current(): core.Pod
  /** Stops working; the pod keeps running. */
  release(): void
}

export interface WorkerOptions {
  readonly tools: Tools
  readonly pod: core.Pod
  /** The runtime may have the pod already, so it must be asked first. */
  readonly known: boolean
  /** The node's own admission check, once, before anything of the pod runs. */
  admit(pod: core.Pod): Refusal | undefined
  /** Called when nothing of the pod is left, on the node or in the API. */
  onEnd(): void
}

/** Grace period, in seconds, of evicted pods: the node cannot wait longer. */
const evictionGrace = 1

class Stopped extends Error {}

export function startWorker({ tools, pod, known, admit, onEnd }: WorkerOptions): PodWorker {
  const { clock, log, recorder } = tools.context
  const uid = podUid(pod)
  const stop = new AbortController()
  const life: Life = { running: false, pending: false, dirty: known, gone: false, ended: false, released: false, admitted: known, failures: 0, kept: false }
  const { state, cancelTimer } = createState(pod, clock, stop.signal, () => wake())
  const { report, look, act, plan, pastDeadline, isOver, mountAtOnce } = createSteps(tools, state, life)

  const step = async (): Promise<void> => {
    await look()
    if (!life.admitted && !isOver()) {
      life.admitted = true
      refuse(tools, state, admit(state.pod))
    }
    if (!isOver() && pastDeadline()) {
      state.verdict = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
      recorder.event(state.pod, 'Normal', 'DeadlineExceeded', state.verdict.message)
    }
    if (isOver()) return end()
    if (await resizeContainers(tools, state)) { life.dirty = true; await look() }
    report(false)
    // What ended while nobody looked may be all there was to run.
    if (isOver()) return end()
    // The first report set the time that the deadline counts from.
    pastDeadline()
    tools.prober.sync(state.pod, state.world)
    const done = await act(plan())
    tools.prober.sync(state.pod, state.world)
    if (!done) return report(false)
    report(false)
    await end()
  }

  /** Ends the pod once; a pod that is kept is looked at again only to be deleted. */
  const end = async (): Promise<void> => {
    if (life.kept && !life.gone && !state.pod.metadata.deletionTimestamp) return
    const left = await finishPod(tools, state, { gone: life.gone, report, volumesAtRest: () => upkeep.settled() })
    life.kept = left === 'kept'
    if (left === 'deleted') conclude()
  }

  const conclude = (): void => {
    life.ended = true
    cancelTimer()
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

  const upkeep = oneAtATime(() => freshen(tools, state, isOver))

  const refreshVolumes = (): void => {
    if (state.volumes) return upkeep.again()
    mountAtOnce()
    wake()
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
      // A status that we wrote ourselves comes back as a change, too, and needs no step.
      if (relabelled || next.metadata.deletionTimestamp || !deepEqual(before.spec, next.spec) || !deepEqual(foreignConditions(before), foreignConditions(next))) wake()
    },
    gone() {
      life.gone = true
      stop.abort()
      // Nobody waits for it, and its name may be taken already: it gets a moment instead of its grace period.
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
      cancelTimer()
      tools.prober.forget(uid)
    },
  }
}

/** Ends a pod that the node does not take in. */
function refuse({ context }: Tools, state: PodState, refusal: Refusal | undefined): void {
  if (!refusal) return
  context.recorder.event(state.pod, 'Warning', refusal.reason, refusal.message)
  state.verdict = { reason: refusal.reason, message: `Pod was rejected: ${refusal.message}` }
}

/** The initial, empty state of a pod, and its timer. */
function createState(pod: core.Pod, clock: Clock, signal: AbortSignal, wake: () => void): { readonly state: PodState; cancelTimer(): void } {
  let timer: { readonly timer: Timer; readonly at: number } | undefined

  const state: PodState = {
    pod, world: emptyWorld, volumes: undefined, waiting: new Map(), messages: new Map(), resources: new Map(), verdict: undefined, grace: undefined, reported: undefined, stopping: signal,
    async unlessStopped(work) {
      if (signal.aborted) throw new Stopped()
      let abort = () => {}
      const stopped = new Promise<never>((_, reject) => {
        abort = () => reject(new Stopped())
        signal.addEventListener('abort', abort, { once: true })
      })
      return Promise.race([work(), stopped]).finally(() => signal.removeEventListener('abort', abort))
    },
    wakeAfter(ms) {
      const at = clock.now() + ms
      if (timer && timer.at <= at && timer.at > clock.now()) return
      timer?.timer.cancel()
      timer = { at, timer: clock.after(ms, () => { timer = undefined; wake() }) }
    },
  }
  return { state, cancelTimer: () => timer?.timer.cancel() }
}

/** The grace period got shorter while the pod is being stopped: stops running containers again, with the shorter one. */
function hasten(tools: Tools, state: PodState): void {
  const grace = Number(state.pod.metadata.deletionGracePeriodSeconds ?? 0)
  for (const status of state.world.containers) {
    if (status.state !== 'running') continue
    tools.context.runtime.stopContainer(status.id, grace).catch((error: unknown) => tools.context.log.debug({ container: status.id, error: String(error) }, 'not stopped sooner'))
  }
}

/** Refreshes the volumes. What a pod mounts is often deleted with it, so failures are not reported for pods that are ending. */
async function freshen({ context, volumes }: Tools, state: PodState, isOver: () => boolean): Promise<void> {
  const failed = isOver() ? [] : await volumes.refresh(state.pod)
  if (!isOver()) for (const { message } of failed) context.recorder.event(state.pod, 'Warning', 'FailedMount', message)
}

/** Calls during `work` (which never rejects) become one more run after it: the run in progress may have read older data. */
function oneAtATime(work: () => Promise<void>): { again(): void; settled(): Promise<void> } {
  let wanted = false
  let running: Promise<void> | undefined
  const run = async (): Promise<void> => {
    while (wanted) {
      wanted = false
      await work()
    }
    running = undefined
  }
  return {
    again() {
      wanted = true
      running ??= run()
    },
    async settled() { await running },
  }
}
