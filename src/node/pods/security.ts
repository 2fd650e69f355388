/** Security contexts of pod and container, put together for the runtime. */
import type { core } from '../../api/index.ts'
import { podText } from '../context.ts'
import type { ContainerSecurity, Image, NamespaceMode, SandboxSecurity, SecurityProfile } from '../runtime/driver.ts'
import { ConfigError } from './env.ts'

/** What a container sees of /proc only when it asks for `procMount: Unmasked`. */
const maskedPaths = [
  '/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug',
  '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** The runtime's own profile, unless the pod says otherwise: what kubelets do with `seccompDefault`. */
const seccompOf = (p: core.SeccompProfile | undefined, root: string): SecurityProfile => {
  if (p?.type === 'Localhost') return { kind: 'localhost', localhost: `${root}/${p.localhostProfile ?? ''}` }
  return { kind: p?.type === 'Unconfined' ? 'unconfined' : 'runtimeDefault' }
}
const appArmorOf = (p: core.AppArmorProfile | undefined): SecurityProfile | undefined => {
  if (!p) return undefined
  return p.type === 'Localhost' ? { kind: 'localhost', localhost: p.localhostProfile ?? '' } : { kind: p.type === 'Unconfined' ? 'unconfined' : 'runtimeDefault' }
}

export interface Namespaces { readonly network: NamespaceMode; readonly pid: NamespaceMode; readonly ipc: NamespaceMode }

const namespacesOf = (pod: core.Pod): Namespaces => ({
  network: pod.spec.hostNetwork ? 'node' : 'pod',
  pid: pod.spec.hostPID ? 'node' : pod.spec.shareProcessNamespace ? 'pod' : 'container',
  ipc: pod.spec.hostIPC ? 'node' : 'pod',
})

const groupsOf = (context: core.PodSecurityContext | undefined): readonly number[] =>
  [...(context?.supplementalGroups ?? []), ...(context?.fsGroup === undefined ? [] : [context.fsGroup])]

/** The security settings of a pod's sandbox. `seccompRoot`: where profiles of the host are. */
export function sandboxSecurity(pod: core.Pod, seccompRoot: string): SandboxSecurity {
  const context = pod.spec.securityContext
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const selinux = context?.seLinuxOptions
  return {
    ...namespacesOf(pod),
    privileged: containers.some((c) => c.securityContext?.privileged === true),
    ...(context?.runAsUser === undefined ? {} : { runAsUser: context.runAsUser }),
    ...(context?.runAsGroup === undefined || context.runAsUser === undefined ? {} : { runAsGroup: context.runAsGroup }),
    supplementalGroups: groupsOf(context),
    seccomp: context?.seccompProfile?.type === 'Localhost' ? seccompOf(context.seccompProfile, seccompRoot) : { kind: 'runtimeDefault' },
    ...(selinux ? { selinux: { user: selinux.user ?? '', role: selinux.role ?? '', type: selinux.type ?? '', level: selinux.level ?? '' } } : {}),
  }
}

/** Throws `ConfigError`, in Kubernetes's words, when `runAsNonRoot` cannot be kept. */
export function containerSecurity(pod: core.Pod, container: core.Container, image: Image | undefined, seccompRoot: string, targetId?: string): ContainerSecurity {
  const own = container.securityContext
  const context = pod.spec.securityContext
  const runAsUser = own?.runAsUser ?? context?.runAsUser
  const runAsGroup = own?.runAsGroup ?? context?.runAsGroup
  verifyNonRoot(pod, container, runAsUser, image)
  const unmasked = own?.procMount === 'Unmasked'
  const appArmor = appArmorOf(own?.appArmorProfile ?? context?.appArmorProfile)
  const user = runAsUser ?? image?.uid
  return {
    privileged: own?.privileged ?? false,
    addCapabilities: own?.capabilities?.add ?? [],
    dropCapabilities: own?.capabilities?.drop ?? [],
    ...namespacesOf(pod),
    ...(targetId ? { targetId } : {}),
    ...(user === undefined ? (image?.user ? { runAsUserName: image.user } : {}) : { runAsUser: user }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: groupsOf(context),
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    seccomp: seccompOf(own?.seccompProfile ?? context?.seccompProfile, seccompRoot),
    ...(appArmor ? { apparmor: appArmor } : {}),
    maskedPaths: unmasked || own?.privileged ? [] : maskedPaths,
    readonlyPaths: unmasked || own?.privileged ? [] : readonlyPaths,
  }
}

function verifyNonRoot(pod: core.Pod, container: core.Container, runAsUser: number | undefined, image: Image | undefined): void {
  const wanted = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot
  if (!wanted) return
  const where = `(pod: ${JSON.stringify(podText(pod))}, container: ${container.name})`
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`)
    return
  }
  if (image?.uid === 0 || (image?.uid === undefined && !image?.user)) throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`)
  if (image.uid === undefined) throw new ConfigError(`container has runAsNonRoot and image has non-numeric user (${image.user}), cannot verify user is non-root ${where}`)
}
