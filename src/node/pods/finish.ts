/** The end of a pod: its containers stopped, its last status told, everything of it on the node gone, and at last its object. */
import { rm } from 'node:fs/promises'
import { core } from '../../api/index.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import { podName, podNamespace, podUid } from '../context.ts'
import { stopAll } from './kill.ts'
import { readMessages } from './messages.ts'
import { podLogDirectory } from './names.ts'
import { graceSeconds } from './start.ts'
import type { PodState } from './state.ts'
import type { Tools } from './tools.ts'
import { readWorld } from './world.ts'

export interface FinishOptions {
  /** The API server has no such pod any more. */
  readonly gone: boolean
  report(terminal: boolean): void
  /** Resolves once nothing is written into its volumes any more: that would be in the way of their removal. */
  volumesAtRest(): Promise<void>
}

/**
 * Ends what runs. A pod that is being deleted is then removed from node and API: `deleted`. One that has only run to its
 * end keeps its dead containers, for their logs: `kept`.
 */
export async function finishPod(tools: Tools, state: PodState, { gone, report, volumesAtRest }: FinishOptions): Promise<'deleted' | 'kept'> {
  const uid = podUid(state.pod)
  tools.prober.stopRestarting(uid)
  const running = state.world.containers.some((c) => c.state === 'running')
  if (running && !gone) report(false)
  if (running) await stopAll(tools, state, state.grace ?? graceSeconds(state.pod))
  await stopSandboxes(tools, state)
  state.world = await readWorld(tools.context.runtime, uid)
  await readMessages(tools, state)
  tools.prober.forget(uid)
  if (!gone) report(true)
  const deleting = gone || state.pod.metadata.deletionTimestamp !== undefined
  if (deleting) await removeFromRuntime(tools, state)
  await volumesAtRest()
  await Promise.all([tools.volumes.cleanup(uid), tools.cgroups.remove(uid)])
  state.volumes = undefined
  if (!deleting) return 'kept'
  await rm(podLogDirectory(tools.context.directories.logs, state.pod), { recursive: true, force: true })
  if (!gone) {
    await tools.statuses.flush(uid)
    await deleteObject(tools, state.pod)
  }
  return 'deleted'
}

async function stopSandboxes(tools: Tools, state: PodState): Promise<void> {
  await Promise.all(state.world.sandboxes.filter((s) => s.state === 'ready').map((s) => tools.context.runtime.stopSandbox(s.id)))
}

/** Sandboxes take their containers with them. */
async function removeFromRuntime(tools: Tools, state: PodState): Promise<void> {
  const { runtime } = tools.context
  await Promise.all(state.world.sandboxes.map((s) => runtime.removeSandbox(s.id)))
}

async function deleteObject(tools: Tools, pod: core.Pod): Promise<void> {
  try {
    await tools.context.client.delete(core.pods, podName(pod), { namespace: podNamespace(pod), gracePeriodSeconds: 0, preconditions: { uid: podUid(pod) } })
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}

/** Drops everything remembered about a pod. */
export function forgetPod(tools: Tools, uid: string): void {
  tools.prober.forget(uid)
  tools.images.forgetPod(uid)
  tools.crashes.forget(`${uid}/`)
  tools.statuses.forget(uid)
}
