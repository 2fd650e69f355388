/** Annotations that mean something for a pod, and must make sense. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { descendingPath } from './paths.ts'

type Annotations = Readonly<Record<string, string>>

const mirrorKey = 'kubernetes.io/config.mirror'
const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost'
const seccompPodKey = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const maxInt32 = 2147483647

/** Whether one of them means something here. */
export function anyAnnotation(annotations: Annotations): boolean {
  for (const key in annotations) {
    if (key === mirrorKey || key === deletionCostKey || key === seccompPodKey || key.startsWith(seccompPrefix) || key.startsWith(appArmorPrefix)) return true
  }
  return false
}

/** The annotations of a pod, or of the template of one. `at`: where they stand. */
export function podAnnotations(at: Place, annotations: Annotations, spec: core.PodSpec): void {
  for (const key in annotations) {
    const value = annotations[key] ?? ''
    if (key === mirrorKey) {
      if (!spec.nodeName) at.key(key).invalid(value, 'must set spec.nodeName if mirror pod annotation is set')
    } else if (key === deletionCostKey) {
      const plain = /^(?:0|-?[1-9]\d*)$/.test(value) && Number(value) <= maxInt32 && Number(value) >= -maxInt32 - 1
      if (!plain) at.key(key).invalid(value, 'must be a 32bit integer')
    } else if (key === seccompPodKey || key.startsWith(seccompPrefix)) seccomp(at.at(key), value)
    else if (key.startsWith(appArmorPrefix)) appArmor(at.key(key), key.slice(appArmorPrefix.length), value, spec)
  }
}

function seccomp(at: Place, profile: string): void {
  if (profile.startsWith('localhost/')) descendingPath(at, profile.slice('localhost/'.length))
  else if (!['runtime/default', 'docker/default', 'unconfined'].includes(profile)) at.invalid(profile, 'must be a valid seccomp profile')
}

function appArmor(at: Place, container: string, profile: string, spec: core.PodSpec): void {
  const all = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
  if (!all.some(({ name }) => name === container)) at.invalid(container, 'container not found')
  const known = profile === '' || profile === 'runtime/default' || profile === 'unconfined' || profile.startsWith('localhost/')
  if (!known) at.invalid(profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`)
}

const seccompNames: Readonly<Record<string, readonly string[]>> = { Unconfined: ['unconfined'], RuntimeDefault: ['runtime/default', 'docker/default'] }
const appArmorNames: Readonly<Record<string, readonly string[]>> = { Unconfined: ['unconfined'], RuntimeDefault: ['runtime/default'] }

type Profile = core.SeccompProfile | core.AppArmorProfile

/** What a new pod says twice of how it is confined, in annotations and in fields, must be the same. */
export function confinedAlike(at: Place, annotations: Annotations, spec: core.PodSpec): void {
  const { seccompProfile: ofPod, appArmorProfile } = spec.securityContext ?? {}
  if (ofPod && annotations[seccompPodKey] !== undefined) alike(at.at('securityContext').at('seccompProfile'), 'seccomp', annotations[seccompPodKey], ofPod)
  for (const name of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[name] ?? []).entries()) {
      const place = at.at(name).index(i).at('securityContext')
      const own = container.securityContext
      const seccompSaid = annotations[seccompPrefix + container.name]
      if (own?.seccompProfile && seccompSaid !== undefined) alike(place.at('seccompProfile'), 'seccomp', seccompSaid, own.seccompProfile)
      const said = spec.os?.name === 'windows' ? undefined : annotations[appArmorPrefix + container.name]
      const profile = own?.appArmorProfile ?? appArmorProfile
      if (profile && said !== undefined) alike(place.at('appArmorProfile'), 'apparmor', said, profile)
    }
  }
}

function alike(at: Place, kind: 'seccomp' | 'apparmor', said: string, profile: Profile): void {
  const local = 'localhost/'
  const others = (kind === 'seccomp' ? seccompNames : appArmorNames)[profile.type]
  const sameType = profile.type === 'Localhost' ? said.startsWith(local) : !others || others.includes(said)
  if (!sameType) at.at('type').forbidden(`${kind} type in annotation and field must match`)
  else if (profile.type === 'Localhost' && said.slice(local.length) !== profile.localhostProfile) at.at('localhostProfile').forbidden(`${kind} profile in annotation and field must match`)
}

/** Whether a pod stands for one that a kubelet runs from a file. */
export const isMirror = (pod: core.Pod): boolean => pod.metadata.annotations?.[mirrorKey] !== undefined

/** Annotations that say what a running pod is stay as they were. */
export function annotationUpdate(at: Place, next: Annotations = {}, current: Annotations = {}): void {
  const fixed = (key: string) => (key === mirrorKey ? 'mirror pod annotation' : key.startsWith(appArmorPrefix) ? 'AppArmor annotations' : undefined)
  for (const key in current) {
    const what = next[key] === current[key] ? undefined : fixed(key)
    if (what) at.key(key).forbidden(`may not remove or update ${what}`)
  }
  for (const key in next) {
    const what = current[key] === undefined ? fixed(key) : undefined
    if (what) at.key(key).forbidden(`may not add ${what}`)
  }
}
