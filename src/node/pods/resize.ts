/** In-place resize: a running container's CPU and memory follow the pod's spec, with a restart only where its policy asks for one. */
import type { core } from '../../api/index.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { allContainers } from '../context.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import { stopContainer } from './kill.ts'
import { containerResources } from './resources.ts'
import { graceSeconds } from './start.ts'
import type { PodState } from './state.ts'
import type { Tools } from './tools.ts'
import { latest } from './world.ts'

const retryMs = 10_000

type Resources = Pick<core.ResourceRequirements, 'limits' | 'requests'>

const amounts = ({ limits, requests }: Resources): Resources => ({ ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) })

/** What a container was started with, or last resized to: as far as this agent saw it, else as it was reported. */
function applied(state: PodState, status: ContainerStatus, wanted: Resources): Resources {
  const known = state.resources.get(status.id)
  if (known) return known
  const reported = [...(state.pod.status.containerStatuses ?? []), ...(state.pod.status.initContainerStatuses ?? [])].find((s) => s.containerID === `containerd://${status.id}`)
  return reported?.resources ? amounts(reported.resources) : wanted
}

/** Brings running containers to the resources of the spec; what the kernel refuses is told in an event and tried again. Resolves with whether one was stopped to be started again. */
export async function resizeContainers(tools: Tools, state: PodState): Promise<boolean> {
  let stopped = false
  let resized = false
  for (const c of allContainers(state.pod)) {
    const status = latest(state.world, c.container.name)
    if (c.kind === 'ephemeral' || status?.state !== 'running') continue
    const wanted = amounts(c.container.resources)
    const before = applied(state, status, wanted)
    state.resources.set(status.id, wanted)
    if (deepEqual(before, wanted)) continue
    if (needsRestart(c.container, before, wanted)) {
      await stopContainer(tools, state, c, status, { message: `Container ${c.container.name} resize requires restart`, grace: graceSeconds(state.pod) })
      stopped = true
    } else {
      try {
        await tools.cgroups.create(state.pod, { unlimited: true })
        await tools.context.runtime.updateResources(status.id, containerResources(state.pod, c.container, tools.machine))
      } catch (error) {
        state.resources.set(status.id, before)
        tools.context.recorder.event({ ...state.pod, fieldPath: c.fieldPath }, 'Warning', 'ResizeError', `Error resizing container ${c.container.name}: ${error instanceof Error ? error.message : String(error)}`)
        state.wakeAfter(retryMs)
        continue
      }
    }
    resized = true
  }
  if (resized) await tools.cgroups.create(state.pod)
  return stopped
}

function needsRestart(container: core.Container, before: Resources, wanted: Resources): boolean {
  const changed = (name: string) => before.limits?.[name] !== wanted.limits?.[name] || before.requests?.[name] !== wanted.requests?.[name]
  return (container.resizePolicy ?? []).some((p) => p.restartPolicy === 'RestartContainer' && changed(p.resourceName))
}
