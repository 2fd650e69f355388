/** What the runtime is told about a container. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../../api/index.ts'
import { randomSuffix } from '../../machinery/meta.ts'
import type { NodeContext } from '../context.ts'
import type { ContainerConfig, Device, Image, Mount } from '../runtime/driver.ts'
import { mountSubPath } from '../volumes/subpath.ts'
import { ConfigError, environment, type EnvSources, type EnvVariable } from './env.ts'
import { expand } from './expand.ts'
import { annotation, containerHash, containerLog, label, podLabels } from './names.ts'
import { containerResources } from './resources.ts'
import { containerSecurity } from './security.ts'

export interface ContainerInput {
  readonly attempt: number
  readonly image: Image
  readonly podIPs: readonly string[]
  readonly volumes: ReadonlyMap<string, string>
  /** `pods/<uid>` on this node. */
  readonly podDirectory: string
  readonly env: EnvSources
  readonly seccompRoot: string
  readonly machine: { readonly memoryBytes: number; readonly cgroupV2: boolean }
  /** For ephemeral containers: the container whose processes they see. */
  readonly targetId?: string
}

/** Puts the configuration together, making the files and mounts it needs. Throws `ConfigError` for what cannot be. */
export async function containerConfig(context: NodeContext, pod: core.Pod, container: core.Container, input: ContainerInput): Promise<ContainerConfig> {
  const env = await environment(pod, container, { podIPs: input.podIPs, hostIPs: context.hostIPs }, input.env)
  const value = (name: string) => env.find((v) => v.key === name)?.value
  const messageFile = await terminationFile(container, input)
  const { mounts, devices } = await mountsOf(context, pod, container, env, input)
  const messagePath = container.terminationMessagePath || '/dev/termination-log'
  return {
    name: container.name,
    attempt: input.attempt,
    image: input.image.id,
    userSpecifiedImage: container.image ?? '',
    command: (container.command ?? []).map((text) => expand(text, value)),
    args: (container.args ?? []).map((text) => expand(text, value)),
    workingDir: container.workingDir ?? '',
    env,
    mounts: [
      ...mounts,
      ...(mounts.some((m) => m.containerPath === '/etc/hosts') ? [] : [hostMount('/etc/hosts', join(input.podDirectory, 'etc-hosts'))]),
      hostMount(messagePath, messageFile),
    ],
    devices,
    labels: { ...podLabels(pod, context.owner), [label.containerName]: container.name },
    annotations: {
      [annotation.hash]: containerHash(container),
      [annotation.restartCount]: String(input.attempt),
      [annotation.terminationMessagePath]: messagePath,
      [annotation.terminationMessagePolicy]: container.terminationMessagePolicy || 'File',
      [annotation.terminationMessageFile]: messageFile,
      [annotation.gracePeriod]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
    },
    logPath: containerLog(container.name, input.attempt),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: containerResources(pod, container, input.machine),
    security: containerSecurity(pod, container, input.image, input.seccompRoot, input.targetId),
  }
}

const hostMount = (containerPath: string, hostPath: string): Mount => ({ containerPath, hostPath, readonly: false, propagation: 'private' })

/** A file of this attempt's own that the container writes its last words to, whoever it runs as. */
async function terminationFile(container: core.Container, input: ContainerInput): Promise<string> {
  const directory = join(input.podDirectory, 'containers', container.name)
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const file = join(directory, `${input.attempt}-${randomSuffix(8)}`)
  await writeFile(file, '')
  await chmod(file, 0o666)
  return file
}

const propagations = { None: 'private', HostToContainer: 'hostToContainer', Bidirectional: 'bidirectional' } as const

async function mountsOf(context: NodeContext, pod: core.Pod, container: core.Container, env: readonly EnvVariable[], input: ContainerInput): Promise<{ mounts: Mount[]; devices: Device[] }> {
  const mounts: Mount[] = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = pod.spec.volumes?.find((v) => v.name === mount.name)
    const path = input.volumes.get(mount.name)
    if (!volume || path === undefined) throw new ConfigError(`cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`)
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: await sourceOf(context, container, mount, index, path, env, input),
      readonly: (mount.readOnly ?? false) || isReadOnly(volume),
      propagation: propagations[mount.mountPropagation ?? 'None'],
    })
  }
  const devices = (container.volumeDevices ?? []).map((d) => {
    const path = input.volumes.get(d.name)
    if (path === undefined) throw new ConfigError(`cannot find volume ${JSON.stringify(d.name)} to pass into container ${JSON.stringify(container.name)}`)
    return { containerPath: d.devicePath, hostPath: path, permissions: 'mrw' }
  })
  return { mounts, devices }
}

async function sourceOf({ log }: NodeContext, container: core.Container, mount: core.VolumeMount, index: number, volume: string, env: readonly EnvVariable[], input: ContainerInput): Promise<string> {
  const subPath = mount.subPathExpr ? expandStrictly(mount.subPathExpr, env) : mount.subPath
  if (!subPath) return volume
  if (subPath.startsWith('/')) throw new ConfigError(`error SubPath \`${subPath}\` must not be an absolute path`)
  if (subPath.split('/').includes('..')) throw new ConfigError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`)
  const target = join(input.podDirectory, 'volume-subpaths', mount.name, container.name, String(index))
  try {
    await mountSubPath(volume, subPath, target)
  } catch (error) {
    // Where a link in the volume leads to, and whether there is something, is nothing that the pod's owner is told.
    log.warn({ container: container.name, volume: mount.name, error: error instanceof Error ? error.message : String(error) }, 'subPath not prepared')
    throw new ConfigError(`failed to prepare subPath for volumeMount ${JSON.stringify(mount.name)} of container ${JSON.stringify(container.name)}`)
  }
  return target
}

function expandStrictly(text: string, env: readonly EnvVariable[]): string {
  const missing = new Set<string>()
  const expanded = expand(text, (name) => {
    const value = env.find((v) => v.key === name)?.value
    if (!value) missing.add(name)
    return value
  })
  if (missing.size > 0) throw new ConfigError(`missing value for ${[...missing].toSorted().join(', ')}`)
  return expanded
}

/** Volumes that show API objects are read-only to the container, whatever the mount says. */
const isReadOnly = (v: core.Volume): boolean =>
  Boolean(v.configMap ?? v.secret ?? v.downwardAPI ?? v.projected) || (v.persistentVolumeClaim?.readOnly ?? false)
