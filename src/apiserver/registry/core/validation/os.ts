/** What depends on the operating system of a pod: options for Windows, and what only one of the two systems knows. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../../machinery/names.ts'
import { follows } from '../../checks.ts'

type AnyContainer = Pick<core.Container, 'securityContext'>

const maxCredentialSpec = 64 * 1024
const netBiosDomain = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const dnsPart = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const dnsDomain = new RegExp(`^${dnsPart}(?:\\.${dnsPart})*$`)

/** The options of a Windows container: names of credentials and of the user it runs as. */
export function windowsOptions(at: Place, options: core.WindowsSecurityContextOptions): void {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options
  if (gmsaCredentialSpecName !== undefined) follows(at.at('gmsaCredentialSpecName'), gmsaCredentialSpecName, dns1123Subdomain)
  if (gmsaCredentialSpec === '') at.at('gmsaCredentialSpec').invalid('', 'gmsaCredentialSpec cannot be an empty string')
  else if (gmsaCredentialSpec !== undefined && Buffer.byteLength(gmsaCredentialSpec) > maxCredentialSpec) {
    at.at('gmsaCredentialSpec').invalid(gmsaCredentialSpec, 'gmsaCredentialSpec size must be under 64 KiB')
  }
  if (runAsUserName !== undefined) for (const why of userNameProblems(runAsUserName)) at.at('runAsUserName').invalid(runAsUserName, why)
}

/** `DOMAIN\user`, of which the domain can be left out. */
function* userNameProblems(name: string): Generator<string> {
  if (name === '') return yield 'runAsUserName cannot be an empty string'
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(name)) return yield 'runAsUserName cannot contain control characters'
  const parts = name.split('\\')
  if (parts.length > 2) return yield 'runAsUserName cannot contain more than one backslash'
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined
  if (domain !== undefined) {
    if (domain.length >= 256) yield "runAsUserName's Domain length must be under 256 characters"
    if (!netBiosDomain.test(domain) && !dnsDomain.test(domain)) yield "runAsUserName's Domain doesn't match the NetBios nor the DNS format"
  }
  if (user === '') yield "runAsUserName's User cannot be empty"
  else if (user.length > 104) yield "runAsUserName's User length must not be longer than 104 characters"
  if (/^[. ]+$/.test(user)) yield "runAsUserName's User cannot contain only periods or spaces"
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) yield 'runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]'
}

function* everyContainer(at: Place, spec: core.PodSpec): Generator<readonly [AnyContainer, Place]> {
  for (const name of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[name] ?? []).entries()) yield [container, at.at(name).index(i)]
  }
}

const withOptions = ({ securityContext }: AnyContainer): boolean => securityContext?.windowsOptions !== undefined

/** Whether a pod says anything of its operating system: most do not. */
export const knowsWindows = (spec: core.PodSpec): boolean =>
  spec.os !== undefined || spec.securityContext?.windowsOptions !== undefined
  || spec.containers.some(withOptions) || (spec.initContainers?.some(withOptions) ?? false) || (spec.ephemeralContainers?.some(withOptions) ?? false)

/** The pod's operating system, and what does not go with it. */
export function operatingSystem(at: Place, spec: core.PodSpec): void {
  hostProcesses(at, spec)
  const name = spec.os?.name
  if (spec.os === undefined) return
  if (!name) at.at('os').at('name').required('cannot be empty')
  else if (name === 'linux') linux(at, spec)
  else if (name === 'windows') windows(at, spec)
  else at.at('os').notSupported(name, ['linux', 'windows'])
}

function linux(at: Place, spec: core.PodSpec): void {
  const why = 'windows options cannot be set for a linux pod'
  if (spec.securityContext?.windowsOptions) at.at('securityContext').at('windowsOptions').forbidden(why)
  for (const [container, place] of everyContainer(at, spec)) {
    if (container.securityContext?.windowsOptions) place.at('securityContext').at('windowsOptions').forbidden(why)
  }
}

const podOnly = [
  'appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls', 'runAsUser', 'runAsGroup',
  'supplementalGroups', 'supplementalGroupsPolicy', 'seLinuxChangePolicy',
] as const
const containerOnly = [
  'appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'readOnlyRootFilesystem', 'privileged', 'allowPrivilegeEscalation', 'procMount', 'runAsUser', 'runAsGroup',
] as const

function windows(at: Place, spec: core.PodSpec): void {
  const why = 'cannot be set for a windows pod'
  for (const name of ['hostUsers', 'shareProcessNamespace'] as const) if (spec[name] !== undefined) at.at(name).forbidden(why)
  for (const name of ['hostPID', 'hostIPC'] as const) if (spec[name]) at.at(name).forbidden(why)
  for (const name of podOnly) if (spec.securityContext?.[name] !== undefined) at.at('securityContext').at(name).forbidden(why)
  for (const [container, place] of everyContainer(at, spec)) {
    for (const name of containerOnly) if (container.securityContext?.[name] !== undefined) place.at('securityContext').at(name).forbidden(why)
  }
}

/** Containers that are processes of a Windows host: all of a pod's, or none, and on the host's network. */
function hostProcesses(at: Place, spec: core.PodSpec): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  let all = 0
  let onHost = 0
  for (const name of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    const list: readonly AnyContainer[] = spec[name] ?? []
    for (let i = 0; i < list.length; i++) {
      const own = list[i]?.securityContext?.windowsOptions?.hostProcess
      all++
      if (own ?? ofPod) onHost++
      if (ofPod !== undefined && own !== undefined && own !== ofPod) {
        at.at(name).index(i).at('securityContext').at('windowsOptions').at('hostProcess').invalid(own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`)
      }
    }
  }
  if (onHost === 0) return
  if (onHost !== all) at.invalid('', 'If pod contains any hostProcess containers then all containers must be HostProcess containers')
  if (!spec.hostNetwork) at.at('hostNetwork').invalid(false, 'hostNetwork must be true if pod contains any hostProcess containers')
}
