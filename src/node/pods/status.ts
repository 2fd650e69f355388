/** A pod's status: phase, conditions and containers, by Kubernetes's rules. Pure. */
import type { core } from '../../api/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { isSidecar } from '../context.ts'
import { containerStatuses, type StatusInput } from './container-status.ts'
import { restarts } from './plan.ts'
import { qosClass } from './resources.ts'

export interface PodStatusInput extends StatusInput {
  readonly now: number
  readonly hostIPs: readonly string[]
  /** Set when the node itself ended the pod: evicted, refused, past its deadline. */
  readonly verdict?: { readonly reason: string; readonly message: string }
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

/** The status to report. Conditions that others write (readiness gates, PodScheduled) are kept as they are. */
export function podStatus(given: PodStatusInput): core.PodStatus {
  // A pod that the node ends is not over while something of it still runs: others would replace it too soon.
  const { verdict: decided, ...rest } = given
  const isOver = given.terminal || !given.world.containers.some((c) => c.state === 'running')
  const input: PodStatusInput = decided && isOver ? given : rest
  const { pod, world, verdict } = input
  const old = pod.status
  if (verdict && world.containers.length === 0 && !old.startTime) return refused(input, verdict)
  // Of a pod that was refused there is nothing more to say.
  if (isFinal(old.phase) && world.containers.length === 0 && !old.containerStatuses?.length) return old
  const init = containerStatuses(input, pod.spec.initContainers ?? [], old.initContainerStatuses, 'init')
  const app = containerStatuses(input, pod.spec.containers, old.containerStatuses, 'app')
  const ephemeral = containerStatuses(input, (pod.spec.ephemeralContainers ?? []) as readonly core.Container[], old.ephemeralContainerStatuses, 'ephemeral')
  const phase = finalPhase(input, phaseOf(pod, init, app, input.terminal))
  // Why a pod ended is known to whoever ended it, and later, after a restart of this agent, from what was said then.
  const { reason, message } = verdict ?? (phase === old.phase ? old : {})
  const ips = pod.spec.hostNetwork ? input.hostIPs : (world.sandbox?.ips ?? [])
  const podIPs = ips.length > 0 ? ips : (old.podIPs ?? []).map((p) => p.ip)
  return {
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    phase,
    conditions: conditions(input, phase, init, app),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    hostIP: input.hostIPs[0] ?? '',
    hostIPs: input.hostIPs.map((ip) => ({ ip })),
    ...(podIPs.length > 0 ? { podIP: podIPs[0] as string, podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    startTime: old.startTime ?? rfc3339(input.now),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: app,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: old.qosClass ?? qosClass(pod),
  }
}

/** A pod the node never took in: no containers, no addresses, only why. */
function refused({ pod, now }: PodStatusInput, verdict: { readonly reason: string; readonly message: string }): core.PodStatus {
  const { generation } = pod.metadata
  return { ...(generation ? { observedGeneration: generation } : {}), phase: 'Failed', reason: verdict.reason, message: verdict.message, startTime: pod.status.startTime ?? rfc3339(now), ...(pod.status.conditions ? { conditions: pod.status.conditions } : {}) }
}

const isFinal = (phase: string | undefined): phase is 'Succeeded' | 'Failed' => phase === 'Succeeded' || phase === 'Failed'

function finalPhase(input: PodStatusInput, computed: Phase): Phase {
  const before = input.pod.status.phase
  if (isFinal(before)) return before
  if (input.verdict) return 'Failed'
  // A sidecar that is still being stopped keeps the pod from being over.
  const lingers = !input.terminal && input.world.containers.some((c) => c.state === 'running')
  return isFinal(computed) && lingers ? (before === 'Pending' ? 'Pending' : 'Running') : computed
}

/** Kubernetes's getPhase: what is to run again by the rules and policies of pod and container is not over. */
function phaseOf(pod: core.Pod, init: readonly core.ContainerStatus[], app: readonly core.ContainerStatus[], terminal: boolean): Phase {
  let initializing = false
  let failed: 'restarts' | 'stays' | undefined
  pod.spec.initContainers?.forEach((container, i) => {
    const status = init[i]
    if (isSidecar(container)) {
      if (!status?.started && status?.restartCount === 0 && !app.some((s) => s.state.running || s.state.terminated)) initializing = true
      return
    }
    const end = endOf(status)
    if (!end) initializing = true
    else if (end.exitCode !== 0) failed = failed === 'stays' || terminal || !restarts(pod, container, end.exitCode) ? 'stays' : 'restarts'
  })
  const count = { waiting: 0, running: 0, restarting: 0, stopped: 0, succeeded: 0 }
  pod.spec.containers.forEach((container, i) => {
    const status = app[i]
    const end = endOf(status)
    if (status?.state.running) count.running++
    else if (!end) count.waiting++
    else {
      count.stopped++
      if (!terminal && restarts(pod, container, end.exitCode)) count.restarting++
      if (status?.state.terminated?.exitCode === 0) count.succeeded++
    }
  })
  if (failed === 'stays') return 'Failed'
  if (initializing || failed) return 'Pending'
  if (count.waiting > 0) return terminal ? 'Failed' : 'Pending'
  if (count.running > 0 || count.restarting > 0) return 'Running'
  if (count.stopped === 0) return 'Pending'
  return count.stopped === count.succeeded ? 'Succeeded' : 'Failed'
}

/** How a container ended that does not run now. */
const endOf = (status: core.ContainerStatus | undefined): core.ContainerStateTerminated | undefined =>
  status?.state.terminated ?? (status?.state.running ? undefined : status?.lastState.terminated)

interface Verdict { readonly status: 'True' | 'False'; readonly reason?: string; readonly message?: string }
const yes: Verdict = { status: 'True' }

function conditions(input: PodStatusInput, phase: Phase, init: readonly core.ContainerStatus[], app: readonly core.ContainerStatus[]): core.PodCondition[] {
  const { pod } = input
  const old = pod.status.conditions ?? []
  const containers = readyContainers(pod, phase, init, app)
  const own = new Map<string, Verdict>([
    ['PodReadyToStartContainers', sandboxReady(input) ? yes : { status: 'False' }],
    ['Initialized', initialized(pod, phase, init, app)],
    ['Ready', containers.status === 'True' ? gates(pod, old) : containers],
    ['ContainersReady', containers],
    ['PodScheduled', yes],
    ...(input.verdict?.reason === 'Evicted' ? [['DisruptionTarget', { status: 'True', reason: 'TerminationByKubelet', message: input.verdict.message }] as const] : []),
  ])
  const generation = pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}
  const mine = [...own].map(([type, v]): core.PodCondition => {
    const before = old.find((c) => c.type === type)
    const lastTransitionTime = before?.status === v.status ? before.lastTransitionTime : rfc3339(input.now)
    return { type, ...generation, status: v.status, lastProbeTime: null, lastTransitionTime, ...(v.reason ? { reason: v.reason } : {}), ...(v.message ? { message: v.message } : {}) }
  })
  return [...mine, ...old.filter((c) => !own.has(c.type))]
}

const sandboxReady = ({ pod, world }: PodStatusInput): boolean => world.sandbox?.state === 'ready' && (pod.spec.hostNetwork === true || world.sandbox.ips.length > 0)

function initialized(pod: core.Pod, phase: Phase, init: readonly core.ContainerStatus[], app: readonly core.ContainerStatus[]): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  if (app.some((s) => s.state.running || s.state.terminated || s.lastState.terminated)) return yes
  const incomplete = (pod.spec.initContainers ?? []).filter((container, i) => !(isSidecar(container) ? init[i]?.started : init[i]?.ready)).map((c) => c.name)
  return incomplete.length === 0 ? yes : { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` }
}

function readyContainers(pod: core.Pod, phase: Phase, init: readonly core.ContainerStatus[], app: readonly core.ContainerStatus[]): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const sidecars = (pod.spec.initContainers ?? []).flatMap((c, i) => (isSidecar(c) && init[i] ? [init[i]] : []))
  const unready = [...sidecars, ...app].filter((s) => !s.ready).map((s) => s.name)
  return unready.length === 0 ? yes : { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
}

/** Readiness gates: conditions that others set on the pod and that must be True as well. */
function gates(pod: core.Pod, old: readonly core.PodCondition[]): Verdict {
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = old.find((c) => c.type === conditionType)
    if (!condition) return [`corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`]
    return condition.status === 'True' ? [] : [`the status of pod readiness gate ${JSON.stringify(conditionType)} is not "True", but ${condition.status}`]
  })
  return messages.length === 0 ? yes : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
}
