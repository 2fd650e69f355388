/** Security contexts of pods and containers. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { isZeroValue } from '../../../../machinery/zero.ts'
import { distinct, forEach, ifThere, within } from '../../checks.ts'
import { windowsOptions } from './os.ts'
import { descendingPath } from './paths.ts'

const maxId = 2147483647
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

/** The security context of one container. */
export function securityContext(at: Place, context: core.SecurityContext | undefined, hostUsers: boolean | undefined): void {
  if (!context) return
  within(at.at('runAsUser'), context.runAsUser, 0, maxId)
  within(at.at('runAsGroup'), context.runAsGroup, 0, maxId)
  ifThere(at.at('procMount'), context.procMount, ['Default', 'Unmasked'])
  if (context.procMount === 'Unmasked' && hostUsers !== false) {
    at.at('procMount').invalid(context.procMount, '`hostUsers` must be false to use `Unmasked`')
  }
  profile(at.at('seccompProfile'), context.seccompProfile, 'seccomp')
  profile(at.at('appArmorProfile'), context.appArmorProfile, 'AppArmor')
  if (context.windowsOptions) windowsOptions(at.at('windowsOptions'), context.windowsOptions)
  if (context.allowPrivilegeEscalation !== false) return
  if (context.privileged) at.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    at.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN')
  }
}

type Profile = core.SeccompProfile | core.AppArmorProfile

function profile(at: Place, value: Profile | undefined, kind: 'seccomp' | 'AppArmor'): void {
  if (!value) return
  const place = at.at('localhostProfile')
  const file = value.localhostProfile
  if (value.type !== 'Localhost') {
    if (!value.type) at.at('type').required(`type is required when ${kind === 'seccomp' ? 'seccompProfile' : 'appArmorProfile'} is set`)
    else ifThere(at.at('type'), value.type, profileTypes)
    const known = profileTypes.includes(value.type)
    if (file !== undefined && (known || kind === 'seccomp')) place.invalid(kind === 'seccomp' ? value : file, `can only be set when ${kind} type is Localhost`)
  } else if (file === undefined || (kind === 'AppArmor' && file === '')) place.required(`must be set when ${kind} type is Localhost`)
  else if (kind === 'seccomp') descendingPath(place, file)
  else {
    if (file.trim() !== file) place.invalid(file, 'must not be padded with whitespace')
    if (file.length > 4095) place.tooLong(4095)
  }
}

/** The security context of a pod, with what of the host it shares. */
export function podSecurityContext(at: Place, spec: core.PodSpec): void {
  const context = spec.securityContext
  // Nearly every pod has one, and nothing in it.
  if (!context || isZeroValue(context)) return
  within(at.at('fsGroup'), context.fsGroup, 0, maxId)
  within(at.at('runAsUser'), context.runAsUser, 0, maxId)
  within(at.at('runAsGroup'), context.runAsGroup, 0, maxId)
  forEach(at.at('supplementalGroups'), context.supplementalGroups, (group, place) => within(place, group, 0, maxId))
  sysctls(at.at('sysctls'), spec)
  ifThere(at.at('fsGroupChangePolicy'), context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'])
  ifThere(at.at('supplementalGroupsPolicy'), context.supplementalGroupsPolicy, ['Merge', 'Strict'])
  ifThere(at.at('seLinuxChangePolicy'), context.seLinuxChangePolicy, ['MountOption', 'Recursive'])
  profile(at.at('seccompProfile'), context.seccompProfile, 'seccomp')
  profile(at.at('appArmorProfile'), context.appArmorProfile, 'AppArmor')
  if (context.windowsOptions) windowsOptions(at.at('windowsOptions'), context.windowsOptions)
}

/** The host's namespaces that a pod lives in, and what does not go together with them. */
export function hostNamespaces(at: Place, spec: core.PodSpec): void {
  if (spec.shareProcessNamespace && spec.hostPID) {
    at.at('securityContext').at('shareProcessNamespace').invalid(true, 'ShareProcessNamespace and HostPID cannot both be enabled')
  }
  if (spec.hostUsers !== false) return
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (spec[name]) at.at(name).forbidden('when `hostUsers` is false')
  }
}

const sysctlForm = String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
const sysctlName = new RegExp(sysctlForm)

function sysctls(at: Place, spec: core.PodSpec): void {
  const list = spec.securityContext?.sysctls
  forEach(at, list, ({ name }, place) => {
    if (!name) place.at('name').required()
    else if (name.length > 253 || !sysctlName.test(name)) {
      place.at('name').invalid(name, `must have at most 253 characters and match regex ${sysctlForm}`)
    } else hostSysctl(place.at('name'), name, spec)
  })
  distinct(at, list, (sysctl) => sysctl.name, 'name')
}

/** Other settings of the kernel may begin the same, and are the host's alone. */
const ofIpcNamespace = /^(?:kernel\.(?:sem|shm|shmall|shmmax|shmmni|shm_rmid_forced|msg|msgmax|msgmnb|msgmni)$|fs\.mqueue\.)/

function hostSysctl(at: Place, name: string, spec: core.PodSpec): void {
  const dotted = name.replaceAll('/', '.')
  if (spec.hostNetwork && dotted.startsWith('net.')) at.invalid(name, "may not be specified when 'hostNetwork' is true")
  if (spec.hostIPC && ofIpcNamespace.test(dotted)) at.invalid(name, "may not be specified when 'hostIPC' is true")
}
