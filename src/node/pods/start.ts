/** Bringing up what a plan asks for: the sandbox, and one container after the other. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { node, type core } from '../../api/index.ts'
import { podText, podUid, type AnyContainer } from '../context.ts'
import { ImageError } from '../images/pull.ts'
import type { Image, SandboxConfig } from '../runtime/driver.ts'
import { containerConfig } from './container-config.ts'
import { dnsWarnings, hostsFile } from './dns.ts'
import { ConfigError } from './env.ts'
import { runHook } from './hooks.ts'
import { stopContainer } from './kill.ts'
import { readMessages } from './messages.ts'
import { podLogDirectory } from './names.ts'
import { sandboxConfig } from './sandbox-config.ts'
import type { PodState } from './state.ts'
import type { Tools } from './tools.ts'
import { latest, restartCount, withFresh } from './world.ts'

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const retryMs = 10_000

/** The sandbox's configuration, as it was or will be made with this attempt. */
export function sandboxOf(tools: Tools, pod: core.Pod, attempt: number): SandboxConfig {
  const { context, cgroups, hostDns, seccompRoot } = tools
  return sandboxConfig(context, pod, { attempt, cgroupParent: cgroups.podPath(pod), hostDns: hostDns(), seccompRoot })
}

/** Makes the sandbox and its network. Throws what the runtime says, after telling it in an event. */
export async function startSandbox(tools: Tools, state: PodState, attempt: number): Promise<void> {
  const { context, cgroups } = tools
  const { pod } = state
  await Promise.all([mkdir(podLogDirectory(context.directories.logs, pod), { recursive: true, mode: 0o755 }), cgroups.create(pod)])
  for (const warning of dnsWarnings(pod, { clusterDns: context.clusterDns, clusterDomain: context.clusterDomain, host: tools.hostDns() })) context.recorder.event(pod, 'Warning', 'DNSConfigForming', warning)
  try {
    const runtimeHandler = await handlerOf(tools, pod)
    const id = await context.runtime.runSandbox({ ...sandboxOf(tools, pod, attempt), ...(runtimeHandler ? { runtimeHandler } : {}) })
    const sandbox = await context.runtime.sandboxStatus(id)
    if (!sandbox) throw new Error(`sandbox ${id} vanished`)
    state.world = { ...state.world, sandbox, sandboxes: [sandbox, ...state.world.sandboxes] }
  } catch (error) {
    context.recorder.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${text(error)}`)
    throw error
  }
}

/** The runtime's handler for the pod's runtime class. Throws for a class there is none of, and for what no runtime here can do. */
async function handlerOf({ context }: Tools, { spec }: core.Pod): Promise<string | undefined> {
  if (spec.hostUsers === false) throw new Error('user namespaces (hostUsers: false) are not supported by this node')
  if (spec.resourceClaims?.length) throw new Error('dynamic resources (resourceClaims) are not supported by this node')
  return spec.runtimeClassName ? (await context.client.get(node.runtimeclasses, spec.runtimeClassName)).handler : undefined
}

/** /etc/hosts of the pod, which knows its addresses once the sandbox is there. */
export async function writeHostsFile(tools: Tools, state: PodState): Promise<void> {
  const { pod, world } = state
  const directory = tools.volumes.podDirectory(podUid(pod))
  await mkdir(directory, { recursive: true, mode: 0o750 })
  const ips = pod.spec.hostNetwork ? tools.context.hostIPs : (world.sandbox?.ips ?? [])
  await writeFile(join(directory, 'etc-hosts'), hostsFile(pod, ips, tools.context.clusterDomain, pod.spec.hostNetwork ? await tools.hostsFile() : ''))
}

/** Starts one container. Resolves with whether it runs; if not, the state says what it waits for and when to try again. */
export async function startContainer(tools: Tools, state: PodState, c: AnyContainer): Promise<boolean> {
  const { context } = tools
  const { container } = c
  const wait = crashWait(tools, state, c)
  if (wait > 0) return false
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) => context.recorder.event({ ...state.pod, fieldPath: c.fieldPath }, type, reason, message)
  const fail = (reason: string, message: string, retry = retryMs): false => {
    state.waiting.set(container.name, { reason, message })
    state.wakeAfter(retry)
    return false
  }
  let image: Image
  try {
    image = await state.unlessStopped(() => tools.images.ensure(state.pod, c))
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
    event('Warning', 'Failed', `Error: ${error.reason}`)
    return fail(error.reason, error.message, error.retryAfter)
  }
  const id = await create(tools, state, c, image).catch((error: unknown) => {
    const reason = error instanceof ConfigError ? error.reason : 'CreateContainerError'
    event('Warning', 'Failed', `Error: ${text(error)}`)
    fail(reason, text(error))
  })
  if (id === undefined) return false
  event('Normal', 'Created', 'Container created')
  const before = latest(state.world, container.name)
  if (before?.state === 'exited') tools.crashes.next(crashKey(state.pod, container), before.finishedAt)
  try {
    await context.runtime.startContainer(id)
  } catch (error) {
    event('Warning', 'Failed', `Error: ${text(error)}`)
    await refresh(tools, state, id)
    return fail('RunContainerError', text(error), 1000)
  }
  event('Normal', 'Started', 'Container started')
  state.waiting.delete(container.name)
  await refresh(tools, state, id)
  return postStart(tools, state, c, id)
}

async function refresh(tools: Tools, state: PodState, id: string): Promise<void> {
  state.world = await withFresh(tools.context.runtime, state.world, id)
  await readMessages(tools, state)
}

/** A container that gets another image or other resources starts anew: it may have been mended. */
const crashKey = (pod: core.Pod, { name, image, resources }: core.Container) => `${podUid(pod)}/${name}/${image}/${JSON.stringify(resources)}`

/** Milliseconds the container still has to wait before it may run again; notes and tells why. */
function crashWait(tools: Tools, state: PodState, { container, fieldPath }: AnyContainer): number {
  const before = latest(state.world, container.name)
  if (before?.state !== 'exited') return 0
  const key = crashKey(state.pod, container)
  const wait = tools.crashes.remaining(key, before.finishedAt)
  if (wait === 0) return 0
  const delay = tools.crashes.delay(key)
  const shown = delay >= 60_000 ? `${Math.floor(delay / 60_000)}m${(delay % 60_000) / 1000}s` : `${delay / 1000}s`
  const message = `back-off ${shown} restarting failed container=${container.name} pod=${podText(state.pod)}`
  if (state.waiting.get(container.name)?.reason !== 'CrashLoopBackOff') {
    tools.context.recorder.event({ ...state.pod, fieldPath }, 'Warning', 'BackOff', `Back-off restarting failed container ${container.name} in pod ${podText(state.pod)}`)
  }
  state.waiting.set(container.name, { reason: 'CrashLoopBackOff', message })
  state.wakeAfter(wait)
  return wait
}

async function create(tools: Tools, state: PodState, c: AnyContainer, image: Image): Promise<string> {
  const { context } = tools
  const { pod, world } = state
  const sandbox = world.sandbox
  if (!sandbox) throw new Error('the pod has no sandbox')
  const before = latest(world, c.container.name)
  const { containerStatuses = [], initContainerStatuses = [] } = state.reported ?? pod.status
  const reported = [...containerStatuses, ...initContainerStatuses].find((s) => s.name === c.container.name)
  const attempt = before ? restartCount(before) + 1 : (reported?.restartCount ?? 0) + (reported?.containerID ? 1 : 0)
  const target = c.kind === 'ephemeral' ? (c.container as core.EphemeralContainer).targetContainerName : undefined
  const targetId = target ? latest(world, target)?.id : undefined
  if (target && !targetId) throw new ConfigError(`unable to find target container ${JSON.stringify(target)}`)
  const config = await containerConfig(context, pod, c.container, {
    attempt,
    image,
    podIPs: pod.spec.hostNetwork ? context.hostIPs : sandbox.ips,
    volumes: state.volumes ?? new Map(),
    podDirectory: tools.volumes.podDirectory(podUid(pod)),
    env: tools.env,
    seccompRoot: tools.seccompRoot,
    machine: tools.machine,
    ...(targetId ? { targetId } : {}),
  })
  return context.runtime.createContainer(sandbox.id, config, sandboxOf(tools, pod, sandbox.pod.attempt))
}

/** A container whose postStart hook fails is stopped; its restart policy decides what then. */
async function postStart(tools: Tools, state: PodState, c: AnyContainer, id: string): Promise<boolean> {
  const handler = c.container.lifecycle?.postStart
  if (!handler) return true
  try {
    const target = { pod: state.pod, container: c, containerId: id, podIP: (state.pod.spec.hostNetwork ? tools.context.hostIPs : state.world.sandbox?.ips ?? [])[0] ?? '' }
    await state.unlessStopped(() => runHook(tools.context, target, handler, 24 * 3600, state.stopping))
    return true
  } catch (error) {
    if (state.stopping.aborted) throw error
    // What the hook said may hold secrets: it is told in the log alone.
    tools.context.recorder.event({ ...state.pod, fieldPath: c.fieldPath }, 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
    tools.context.log.warn({ pod: podText(state.pod), container: c.container.name, error: text(error) }, 'postStart hook failed')
    const status = latest(state.world, c.container.name)
    if (status) await stopContainer(tools, state, c, status, { message: 'FailedPostStartHook', grace: graceSeconds(state.pod) })
    await refresh(tools, state, id)
    state.waiting.set(c.container.name, { reason: 'PostStartHookError', message: text(error) })
    state.wakeAfter(0)
    return false
  }
}

/** The pod's grace period, in seconds: of its deletion, or else its own. */
export const graceSeconds = (pod: core.Pod): number => Number(pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30)
