/** Stopping: one container with its preStop hook, or a whole pod within its grace period. */
import type { core } from '../../api/index.ts'
import { allContainers, isSidecar, podText, type AnyContainer } from '../context.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { runHook } from './hooks.ts'
import type { PodState } from './state.ts'
import type { Tools } from './tools.ts'

/** However little time there is, the process gets this long between SIGTERM and SIGKILL (Kubernetes's minimum). */
const leastGrace = 2

/** Why a container is stopped, for the `Killing` event, and its grace period in seconds. */
interface Stop { readonly message: string; readonly grace: number }

/** preStop, SIGTERM, and SIGKILL when the grace period is over. Resolves when the container has ended. */
export async function stopContainer(tools: Tools, state: PodState, c: AnyContainer, status: ContainerStatus, { message, grace }: Stop): Promise<void> {
  const { context } = tools
  const startedAt = context.clock.now()
  context.recorder.event({ ...state.pod, fieldPath: c.fieldPath }, 'Normal', 'Killing', message)
  const preStop = c.container.lifecycle?.preStop
  if (preStop && grace > 0) {
    const target = { pod: state.pod, container: c, containerId: status.id, podIP: (state.pod.spec.hostNetwork ? context.hostIPs : state.world.sandbox?.ips ?? [])[0] ?? '' }
    const hook = runHook(context, target, preStop, grace).catch((error: unknown) => {
      context.recorder.event({ ...state.pod, fieldPath: c.fieldPath }, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
      context.log.warn({ pod: podText(state.pod), container: c.container.name, error: String(error) }, 'preStop hook failed')
    })
    await Promise.race([hook, context.clock.sleep(grace * 1000)])
  }
  const left = grace - (context.clock.now() - startedAt) / 1000
  await context.runtime.stopContainer(status.id, grace === 0 ? 0 : Math.max(leastGrace, left))
}

/** Stops everything that runs in the pod: the app containers together, then the sidecars, the last one first. */
export async function stopAll(tools: Tools, state: PodState, grace: number): Promise<void> {
  const { clock } = tools.context
  const deadline = clock.now() + grace * 1000
  const running = state.world.containers.filter((c) => c.state === 'running' || c.state === 'unknown')
  const described = allContainers(state.pod)
  const find = (status: ContainerStatus): AnyContainer =>
    described.find((c) => c.container.name === status.name) ?? { container: unknownContainer(status.name), kind: 'app', fieldPath: `spec.containers{${status.name}}` }
  const sidecars = running.filter((s) => { const c = find(s); return c.kind === 'init' && isSidecar(c.container) })
  const others = running.filter((s) => !sidecars.includes(s))
  const stop = (status: ContainerStatus, seconds: number) => stopContainer(tools, state, find(status), status, { message: `Stopping container ${status.name}`, grace: seconds })
  await Promise.all(others.map((s) => stop(s, grace)))
  const order = described.map((c) => c.container.name)
  for (const sidecar of sidecars.toSorted((a, b) => order.indexOf(b.name) - order.indexOf(a.name))) {
    await stop(sidecar, Math.max(0, Math.ceil((deadline - clock.now()) / 1000)))
  }
}

const unknownContainer = (name: string): core.Container => ({ name, resources: {} }) as core.Container
