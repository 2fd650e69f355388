/** Security contexts of pods and containers. */
import type { core } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { distinct, forEach, ifThere, within, type Check } from '../../checks.ts'
import { windowsOptions } from './os.ts'
import { descendingPath } from './paths.ts'

const maxId = 2147483647
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

/** The security context of one container. */
export function* securityContext(at: Path, context: core.SecurityContext | undefined, hostUsers: boolean | undefined): Check {
  if (!context) return
  yield* within(at.at('runAsUser'), context.runAsUser, 0, maxId)
  yield* within(at.at('runAsGroup'), context.runAsGroup, 0, maxId)
  yield* ifThere(at.at('procMount'), context.procMount, ['Default', 'Unmasked'])
  if (context.procMount === 'Unmasked' && hostUsers !== false) {
    yield at.at('procMount').invalid(context.procMount, '`hostUsers` must be false to use `Unmasked`')
  }
  yield* profile(at.at('seccompProfile'), context.seccompProfile, 'seccomp')
  yield* profile(at.at('appArmorProfile'), context.appArmorProfile, 'AppArmor')
  if (context.windowsOptions) yield* windowsOptions(at.at('windowsOptions'), context.windowsOptions)
  if (context.allowPrivilegeEscalation !== false) return
  if (context.privileged) yield at.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    yield at.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN')
  }
}

type Profile = core.SeccompProfile | core.AppArmorProfile

function* profile(at: Path, value: Profile | undefined, kind: 'seccomp' | 'AppArmor'): Check {
  if (!value) return
  const place = at.at('localhostProfile')
  const file = value.localhostProfile
  if (value.type !== 'Localhost') {
    if (!value.type) yield at.at('type').required(`type is required when ${kind === 'seccomp' ? 'seccompProfile' : 'appArmorProfile'} is set`)
    else yield* ifThere(at.at('type'), value.type, profileTypes)
    const known = profileTypes.includes(value.type)
    if (file !== undefined && (known || kind === 'seccomp')) yield place.invalid(kind === 'seccomp' ? value : file, `can only be set when ${kind} type is Localhost`)
  } else if (file === undefined || (kind === 'AppArmor' && file === '')) yield place.required(`must be set when ${kind} type is Localhost`)
  else if (kind === 'seccomp') yield* descendingPath(place, file)
  else {
    if (file.trim() !== file) yield place.invalid(file, 'must not be padded with whitespace')
    if (file.length > 4095) yield place.tooLong(4095)
  }
}

/** The security context of a pod, with what of the host it shares. */
export function* podSecurityContext(at: Path, spec: core.PodSpec): Check {
  const context = spec.securityContext
  if (!context) return
  yield* within(at.at('fsGroup'), context.fsGroup, 0, maxId)
  yield* within(at.at('runAsUser'), context.runAsUser, 0, maxId)
  yield* within(at.at('runAsGroup'), context.runAsGroup, 0, maxId)
  yield* forEach(at.at('supplementalGroups'), context.supplementalGroups, (group, place) => within(place, group, 0, maxId))
  yield* sysctls(at.at('sysctls'), spec)
  yield* ifThere(at.at('fsGroupChangePolicy'), context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'])
  yield* ifThere(at.at('supplementalGroupsPolicy'), context.supplementalGroupsPolicy, ['Merge', 'Strict'])
  yield* ifThere(at.at('seLinuxChangePolicy'), context.seLinuxChangePolicy, ['MountOption', 'Recursive'])
  yield* profile(at.at('seccompProfile'), context.seccompProfile, 'seccomp')
  yield* profile(at.at('appArmorProfile'), context.appArmorProfile, 'AppArmor')
  if (context.windowsOptions) yield* windowsOptions(at.at('windowsOptions'), context.windowsOptions)
}

/** The host's namespaces that a pod lives in, and what does not go together with them. */
export function* hostNamespaces(at: Path, spec: core.PodSpec): Check {
  if (spec.shareProcessNamespace && spec.hostPID) {
    yield at.at('securityContext').at('shareProcessNamespace').invalid(true, 'ShareProcessNamespace and HostPID cannot both be enabled')
  }
  if (spec.hostUsers !== false) return
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (spec[name]) yield at.at(name).forbidden('when `hostUsers` is false')
  }
}

const sysctlForm = String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
const sysctlName = new RegExp(sysctlForm)

function* sysctls(at: Path, spec: core.PodSpec): Check {
  const list = spec.securityContext?.sysctls
  yield* forEach(at, list, function* ({ name }, place) {
    if (!name) yield place.at('name').required()
    else if (name.length > 253 || !sysctlName.test(name)) {
      yield place.at('name').invalid(name, `must have at most 253 characters and match regex ${sysctlForm}`)
    } else yield* hostSysctl(place.at('name'), name, spec)
  })
  yield* distinct(at, list, (sysctl) => sysctl.name, 'name')
}

function* hostSysctl(at: Path, name: string, spec: core.PodSpec): Check {
  const dotted = name.replaceAll('/', '.')
  if (spec.hostNetwork && dotted.startsWith('net.')) yield at.invalid(name, "may not be specified when 'hostNetwork' is true")
  if (spec.hostIPC && /^(?:kernel\.(?:shm|msg|sem)|fs\.mqueue\.)/.test(dotted)) yield at.invalid(name, "may not be specified when 'hostIPC' is true")
}
