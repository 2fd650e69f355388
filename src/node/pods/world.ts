/** What the runtime has of one pod: its sandboxes and containers, the newest first. */
import type { ContainerStatus, RuntimeDriver, Sandbox, SandboxStatus } from '../runtime/driver.ts'
import { annotation } from './names.ts'

export interface World {
  readonly sandboxes: readonly Sandbox[]
  /** The newest sandbox in full, if there is one. */
  readonly sandbox: SandboxStatus | undefined
  /** Every attempt of every container, newest first. */
  readonly containers: readonly ContainerStatus[]
}

export const emptyWorld: World = { sandboxes: [], sandbox: undefined, containers: [] }

/** Asks the runtime for everything of the pod. */
export async function readWorld(runtime: RuntimeDriver, podUid: string): Promise<World> {
  const [sandboxes, containers] = await Promise.all([runtime.listSandboxes({ podUid }), runtime.listContainers({ podUid })])
  const newest = sandboxes.toSorted((a, b) => b.pod.attempt - a.pod.attempt || b.createdAt - a.createdAt)
  const [sandbox, ...statuses] = await Promise.all([
    newest[0] ? runtime.sandboxStatus(newest[0].id) : undefined,
    ...containers.map((c) => statusOf(runtime, c.id, c.sandboxId)),
  ])
  return { sandboxes: newest, sandbox, containers: ordered(statuses.filter((c) => c !== undefined)) }
}

/** A container in full. CRI leaves the sandbox out of a container's status: who asks knows it. */
async function statusOf(runtime: RuntimeDriver, id: string, sandboxId: string): Promise<ContainerStatus | undefined> {
  const status = await runtime.containerStatus(id)
  return status && { ...status, sandboxId }
}

/** The world with one container of the present sandbox looked up anew. */
export async function withFresh(runtime: RuntimeDriver, world: World, id: string): Promise<World> {
  const status = await statusOf(runtime, id, world.sandbox?.id ?? '')
  return status ? withContainer(world, status) : world
}

const ordered = (containers: readonly ContainerStatus[]) => containers.toSorted((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt)

/** The world with one container's status renewed, or added. */
function withContainer(world: World, status: ContainerStatus): World {
  return { ...world, containers: ordered([...world.containers.filter((c) => c.id !== status.id), status]) }
}

/** The newest attempt of a container. */
export const latest = (world: World, name: string): ContainerStatus | undefined => world.containers.find((c) => c.name === name)

/** The newest attempt that has ended, apart from the newest attempt itself. */
export const previous = (world: World, name: string): ContainerStatus | undefined =>
  world.containers.filter((c) => c.name === name).slice(1).find((c) => c.state === 'exited')

/** Whether the newest attempt of the container runs. */
export const isRunning = (world: World, name: string): boolean => latest(world, name)?.state === 'running'

/** How often the container was restarted before this attempt. */
export const restartCount = (status: ContainerStatus): number => Number(status.annotations[annotation.restartCount] ?? status.attempt)
