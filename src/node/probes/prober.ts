/** The probes of all pods: a timer for each, and what each one last said. */
import type { core } from '../../api/index.ts'
import type { Timer } from '../../machinery/clock.ts'
import { allContainers, podUid, type NodeContext } from '../context.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { latest, type World } from '../pods/world.ts'
import { runHandler, type Outcome } from './handlers.ts'
import { createProbeMetrics } from './metrics.ts'

export type ProbeKind = 'liveness' | 'readiness' | 'startup'

export interface Prober {
  /** Starts, goes on with and ends probes so that they fit the pod and its running containers. */
  sync(pod: core.Pod, world: World): void
  /** Ends liveness and startup probes: a pod that is going away is not restarted. Readiness goes on. */
  stopRestarting(uid: string): void
  forget(uid: string): void
  started(pod: core.Pod, name: string, containerId: string): boolean
  ready(pod: core.Pod, name: string, containerId: string): boolean
  /** Containers that must be restarted, with the kind of probe that says so: `liveness`. */
  unhealthy(uid: string, world: World): ReadonlyMap<string, string>
  /** The text of `/metrics/probes`, with its media type. */
  metrics(): Promise<{ readonly type: string; readonly text: string }>
}

interface Probe {
  readonly kind: ProbeKind
  readonly spec: core.Probe
  pod: core.Pod
  world: World
  readonly container: core.Container
  readonly fieldPath: string
  containerId: string
  result: boolean | undefined
  run: number
  lastOutcome: boolean | undefined
  timer: Timer | undefined
  busy: boolean
  stopped: boolean
}

const kinds = [['startup', 'startupProbe'], ['liveness', 'livenessProbe'], ['readiness', 'readinessProbe']] as const
const titles: Record<ProbeKind, string> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' }

/** `onChange` is told the uid of a pod when a probe of it changed its mind. */
export function createProber(context: NodeContext, onChange: (uid: string) => void): Prober {
  const pods = new Map<string, Map<string, Probe>>()
  const metrics = createProbeMetrics()
  const probeOf = (uid: string, name: string, kind: ProbeKind) => pods.get(uid)?.get(`${name}/${kind}`)

  const started = (pod: core.Pod, name: string, containerId: string): boolean => {
    const container = allContainers(pod).find((c) => c.container.name === name)?.container
    if (!container?.startupProbe) return true
    const probe = probeOf(podUid(pod), name, 'startup')
    if (probe?.containerId === containerId) return probe.result === true
    return reported(pod, name, containerId)?.started === true
  }

  const schedule = (probe: Probe, ms: number): void => {
    probe.timer?.cancel()
    probe.timer = probe.stopped ? undefined : context.clock.after(ms, () => void tick(probe))
  }

  const tick = async (probe: Probe): Promise<void> => {
    if (probe.busy || probe.stopped) return
    const status = latest(probe.world, probe.container.name)
    if (status?.state !== 'running' || status.id !== probe.containerId) return
    // Liveness and readiness wait for startup; startup is over once it has passed.
    const isStarted = started(probe.pod, probe.container.name, status.id)
    if (probe.kind === 'startup' ? probe.result === true : !isStarted) return
    probe.busy = true
    const id = probe.containerId
    const began = context.clock.now()
    const outcome = await attempt(context, probe)
    probe.busy = false
    if (probe.stopped || probe.containerId !== id) return
    tell(context, probe, outcome)
    if (!outcome.errored) {
      metrics.record(named(probe), outcome.success, (context.clock.now() - began) / 1000)
      record(probe, outcome.success)
    }
    const over = probe.kind === 'startup' ? probe.result !== undefined : probe.kind === 'liveness' && probe.result === false
    if (!over) schedule(probe, (probe.spec.periodSeconds || 10) * 1000)
  }

  const record = (probe: Probe, success: boolean): void => {
    probe.run = probe.lastOutcome === success ? probe.run + 1 : 1
    probe.lastOutcome = success
    const threshold = success ? (probe.spec.successThreshold || 1) : (probe.spec.failureThreshold || 3)
    if (probe.run < threshold || probe.result === success) return
    probe.result = success
    onChange(podUid(probe.pod))
    if (probe.kind === 'startup' && success) for (const other of pods.get(podUid(probe.pod))?.values() ?? []) if (other.container.name === probe.container.name && other.kind !== 'startup') schedule(other, untilFirst(context, other))
  }

  /** A container that (re)started is judged anew. */
  const begin = (probe: Probe, status: ContainerStatus): void => {
    probe.containerId = status.id
    probe.run = 0
    probe.lastOutcome = undefined
    const before = reported(probe.pod, probe.container.name, status.id)
    probe.result = probe.kind === 'liveness' ? true : probe.kind === 'startup' ? (before?.started === true ? true : undefined) : before?.ready === true
    schedule(probe, untilFirst(context, probe))
  }

  return {
    sync(pod, world) {
      const uid = podUid(pod)
      const probes = pods.get(uid) ?? new Map<string, Probe>()
      for (const { container, kind: sort, fieldPath } of allContainers(pod)) {
        if (sort === 'ephemeral') continue
        for (const [kind, field] of kinds) {
          const spec = container[field]
          if (!spec) continue
          const key = `${container.name}/${kind}`
          const probe = probes.get(key) ?? {
            kind, spec, pod, world, container, fieldPath, containerId: '', result: undefined, run: 0, lastOutcome: undefined, timer: undefined, busy: false, stopped: false,
          }
          probes.set(key, probe)
          probe.pod = pod
          probe.world = world
          const status = latest(world, container.name)
          if (status?.state === 'running' && status.id !== probe.containerId && !probe.stopped) begin(probe, status)
        }
      }
      if (probes.size > 0) pods.set(uid, probes)
    },
    stopRestarting(uid) {
      for (const probe of pods.get(uid)?.values() ?? []) {
        if (probe.kind === 'readiness') continue
        probe.stopped = true
        probe.timer?.cancel()
      }
    },
    forget(uid) {
      for (const probe of pods.get(uid)?.values() ?? []) {
        probe.stopped = true
        probe.timer?.cancel()
        metrics.forget(named(probe))
      }
      pods.delete(uid)
    },
    metrics: async () => ({ type: metrics.registry.contentType, text: await metrics.registry.metrics() }),
    started,
    ready(pod, name, containerId) {
      const container = allContainers(pod).find((c) => c.container.name === name)?.container
      if (!container?.readinessProbe) return true
      const probe = probeOf(podUid(pod), name, 'readiness')
      if (probe?.containerId === containerId) return probe.result === true
      return reported(pod, name, containerId)?.ready === true
    },
    unhealthy(uid, world) {
      const found = new Map<string, string>()
      for (const probe of pods.get(uid)?.values() ?? []) {
        if (probe.kind === 'readiness' || probe.stopped || probe.result !== false) continue
        if (latest(world, probe.container.name)?.id === probe.containerId) found.set(probe.container.name, probe.kind)
      }
      return found
    },
  }
}

function untilFirst({ clock }: NodeContext, { spec, world, container }: Probe): number {
  const age = clock.now() - (latest(world, container.name)?.startedAt ?? 0)
  return Math.max(0, (spec.initialDelaySeconds || 0) * 1000 - age)
}

function tell({ recorder }: NodeContext, { pod, fieldPath, kind }: Probe, { success, errored, warning, output }: Outcome): void {
  const subject = { ...pod, fieldPath }
  if (errored) recorder.event(subject, 'Warning', 'Unhealthy', `${titles[kind]} probe errored and resulted in unknown state: ${output}`)
  else if (!success) recorder.event(subject, 'Warning', 'Unhealthy', `${titles[kind]} probe failed: ${output}`)
  else if (warning) recorder.event(subject, 'Warning', 'ProbeWarning', `${titles[kind]} probe warning: ${output}`)
}

const named = ({ kind, pod, container }: Probe) => ({ type: titles[kind], pod, container: container.name })

/** What the API server was told of this very container before: it still holds after a restart of the node agent. */
function reported(pod: core.Pod, name: string, containerId: string): core.ContainerStatus | undefined {
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]
  return statuses.find((s) => s.name === name && s.containerID === `containerd://${containerId}`)
}

const attempts = 3

/** A probe that cannot be asked is asked again at once, and given up after three times. */
async function attempt(context: NodeContext, probe: Probe): Promise<Outcome> {
  const ips = probe.pod.spec.hostNetwork ? context.hostIPs : (probe.world.sandbox?.ips ?? [])
  const target = { pod: probe.pod, container: probe.container, containerId: probe.containerId, podIP: ips[0] ?? '', runtime: context.runtime }
  const ask = () => runHandler(target, probe.spec, probe.spec.timeoutSeconds || 1)
  let outcome = await ask()
  for (let i = 1; i < attempts && outcome.errored; i++) outcome = await ask()
  return outcome
}
