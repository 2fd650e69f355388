/** What is to be done next for a pod, decided from its spec, what the runtime has, and what probes say. Pure. */
import type { core } from '../../api/index.ts'
import { isSidecar } from '../context.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { annotation, containerHash } from './names.ts'
import { latest, type World } from './world.ts'

export interface PlanInput {
  readonly pod: core.Pod
  readonly world: World
  /** Containers whose liveness or startup probe failed, with the words for the event. */
  readonly unhealthy: ReadonlyMap<string, string>
  /** Sidecars hold back what comes after them until they have started (startup probe passed, postStart done). */
  started(name: string): boolean
}

export interface Plan {
  /** Everything of the pod is to be stopped: its sandbox is lost, or all that was to run has run. */
  readonly killPod: boolean
  /** A sandbox is to be made, with this attempt number. */
  readonly createSandbox: number | undefined
  readonly kill: readonly { readonly status: ContainerStatus; readonly container: core.Container; readonly message: string; readonly probe: core.Probe | undefined }[]
  readonly startInit: readonly core.Container[]
  readonly start: readonly core.Container[]
  readonly startEphemeral: readonly core.EphemeralContainer[]
}

const nothing: Plan = { killPod: false, createSandbox: undefined, kill: [], startInit: [], start: [], startEphemeral: [] }

/** Whether a container that ended is to run again. */
export function restarts(pod: core.Pod, container: core.Container, exitCode: number): boolean {
  if (container.restartPolicyRules?.some((rule) => rule.action === 'Restart' && matches(rule, exitCode))) return true
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always'
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

function matches(rule: core.ContainerRestartRule, exitCode: number): boolean {
  const isIn = rule.exitCodes?.values?.includes(exitCode) ?? false
  return rule.exitCodes?.operator === 'NotIn' ? !isIn : isIn
}

/** A container that is to run, or to run again: never ran, was lost, or ended and its policy restarts it. */
function shouldStart(pod: core.Pod, container: core.Container, status: ContainerStatus | undefined): boolean {
  if (!status || status.state === 'created' || status.state === 'unknown') return true
  return status.state === 'exited' && restarts(pod, container, status.exitCode)
}

/** What to do next for the pod. Pure. */
export function planPod(given: PlanInput): Plan {
  const { pod } = given
  if (given.world.sandbox?.state !== 'ready') return withoutSandbox(given)
  const input = { ...given, world: inSandbox(pod, given.world) }
  const { world } = input
  const kill = pod.spec.containers.flatMap((c) => killOf(input, c))
  const startEphemeral = (pod.spec.ephemeralContainers ?? []).filter((c) => !latest(world, c.name))
  const init = initPlan(input)
  if (init.failed) return { ...nothing, killPod: true }
  kill.push(...(pod.spec.initContainers ?? []).filter(isSidecar).flatMap((c) => killOf(input, c)))
  if (!init.done) return { ...nothing, kill, startInit: init.start, startEphemeral }
  const start = pod.spec.containers.filter((c) => shouldStart(pod, c, latest(world, c.name)))
  const alive = pod.spec.containers.some((c) => latest(world, c.name)?.state === 'running')
  if (!alive && start.length === 0) return { ...nothing, killPod: true }
  return { ...nothing, kill, start, startInit: init.start, startEphemeral }
}

/** Only what belongs to the present sandbox counts as run, and what ran to its end in an earlier one and is not to run again. */
function inSandbox(pod: core.Pod, world: World): World {
  const isFinal = (status: ContainerStatus) => {
    const container = pod.spec.containers.find((c) => c.name === status.name)
    return container !== undefined && status.state === 'exited' && !restarts(pod, container, status.exitCode)
  }
  const isEphemeral = (status: ContainerStatus) => pod.spec.ephemeralContainers?.some((c) => c.name === status.name)
  return { ...world, containers: world.containers.filter((c) => c.sandboxId === world.sandbox?.id || isFinal(c) || isEphemeral(c)) }
}

/** No sandbox that works: a new one, unless nothing is left to be run in it. */
function withoutSandbox({ pod, world }: PlanInput): Plan {
  const attempt = world.sandboxes[0] ? world.sandboxes[0].pod.attempt + 1 : 0
  const ran = pod.spec.containers.map((c) => ({ container: c, status: latest(world, c.name) }))
  const anyRan = world.containers.length > 0
  const policy = pod.spec.restartPolicy ?? 'Always'
  if (policy !== 'Always' && anyRan) {
    const finished = ran.every(({ container, status }) => status?.state === 'exited' && !restarts(pod, container, status.exitCode))
    const initFailed = policy === 'Never' && (pod.spec.initContainers ?? []).some((c) => !isSidecar(c) && (latest(world, c.name)?.exitCode ?? 0) !== 0)
    if (finished || initFailed) return { ...nothing, killPod: true }
  }
  return { ...nothing, killPod: world.sandboxes.length > 0, createSandbox: attempt }
}

function killOf({ pod, world, unhealthy }: PlanInput, container: core.Container): Plan['kill'][number][] {
  const status = latest(world, container.name)
  if (status?.state !== 'running') return []
  if (status.annotations[annotation.hash] !== containerHash(container)) {
    return [{ status, container, probe: undefined, message: `Container ${container.name} definition changed, will be restarted` }]
  }
  const why = unhealthy.get(container.name)
  if (why === undefined) return []
  return [{ status, container, probe: why === 'startup' ? container.startupProbe : container.livenessProbe, message: `Container ${container.name} failed ${why} probe${restarts(pod, container, 1) ? ', will be restarted' : ''}` }]
}

/** Init containers run one after the other; a sidecar lets the next one go once it has started, and is started again if it ends. */
function initPlan(input: PlanInput): { readonly done: boolean; readonly failed: boolean; readonly start: readonly core.Container[] } {
  const { pod, world, started } = input
  const start: core.Container[] = []
  const mainRan = pod.spec.containers.some((c) => latest(world, c.name))
  for (const container of pod.spec.initContainers ?? []) {
    const status = latest(world, container.name)
    if (isSidecar(container)) {
      if (status?.state !== 'running') start.push(container)
      if (!mainRan && !(status?.state === 'running' && started(container.name))) return { done: false, failed: false, start }
      continue
    }
    if (mainRan || (status?.state === 'exited' && status.exitCode === 0)) continue
    if (status?.state === 'running') return { done: false, failed: false, start }
    if (status?.state === 'exited' && !restartsInit(pod, container, status.exitCode)) return { done: false, failed: true, start }
    return { done: false, failed: false, start: [...start, container] }
  }
  return { done: true, failed: false, start }
}

/** A failed init container runs again unless the pod never restarts anything. */
const restartsInit = (pod: core.Pod, container: core.Container, exitCode: number): boolean =>
  (container.restartPolicy || container.restartPolicyRules?.length ? restarts(pod, container, exitCode) : pod.spec.restartPolicy !== 'Never')
