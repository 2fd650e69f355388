/** Dead containers: one of each name is kept, for its log and its last state; older ones go with their logs and files. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerStatus } from '../runtime/driver.ts'
import { annotation, podLogDirectory } from './names.ts'
import type { PodState } from './state.ts'
import type { Tools } from './tools.ts'

/** Removes what is not needed any more. What cannot be removed now is tried again with the next restart. */
export async function pruneDead(tools: Tools, state: PodState): Promise<void> {
  const { runtime, log } = tools.context
  const seen = new Map<string, number>()
  for (const status of state.world.containers) {
    const newer = seen.get(status.name) ?? 0
    seen.set(status.name, newer + 1)
    if (newer < 2 || status.state === 'running') continue
    try {
      await runtime.removeContainer(status.id)
      await removeFiles(tools, state, status)
    } catch (error) {
      log.debug({ container: status.id, error: String(error) }, 'dead container not removed')
      continue
    }
    state.world = { ...state.world, containers: state.world.containers.filter((c) => c.id !== status.id) }
    state.messages.delete(status.id)
    state.resources.delete(status.id)
  }
}

async function removeFiles(tools: Tools, state: PodState, status: ContainerStatus): Promise<void> {
  const message = status.annotations[annotation.terminationMessageFile]
  if (message) await rm(message, { force: true })
  const directory = join(podLogDirectory(tools.context.directories.logs, state.pod), status.name)
  const own = `${status.attempt}.log`
  for (const file of await readdir(directory).catch(() => [])) if (file === own || file.startsWith(`${own}.`)) await rm(join(directory, file), { force: true })
}
