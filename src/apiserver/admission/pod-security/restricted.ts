/** The restricted standard: baseline, and what hardened pods do without. */
import type { core } from '../../../api/index.ts'
import { addedCapabilities, baseline, unconfined } from './baseline.ts'
import type { Level } from './levels.ts'
import { containers, isWindows, violation, which, type AnyContainer, type Check, type Subject, type Violation } from './words.ts'

const allowedVolumes = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'])
const bindOnly = new Set(['NET_BIND_SERVICE'])
const filtered = ['RuntimeDefault', 'Localhost']

function restrictedVolumes(pod: Subject): Violation | undefined {
  const typeOf = (volume: core.Volume): string => Object.keys(volume).find((key) => key !== 'name' && volume[key as keyof core.Volume] !== undefined) ?? 'emptyDir'
  const bad = (pod.spec.volumes ?? []).filter((v) => !allowedVolumes.has(typeOf(v)))
  if (bad.length === 0) return undefined
  const types = [...new Set(bad.map(typeOf))].toSorted().map((t) => JSON.stringify(t))
  const names = bad.map((v) => JSON.stringify(v.name)).join(', ')
  return violation('restricted volume types', `${bad.length === 1 ? 'volume' : 'volumes'} ${names} ${bad.length === 1 ? 'uses' : 'use'} restricted volume ${types.length === 1 ? 'type' : 'types'} ${types.join(', ')}`)
}

function capabilities(pod: Subject): Violation | undefined {
  const keeping = which(pod, (c) => !(c.securityContext?.capabilities?.drop ?? []).includes('ALL'))
  return violation('unrestricted capabilities',
    keeping.length === 0 ? undefined : `${containers(keeping)} must set securityContext.capabilities.drop=["ALL"]`,
    addedCapabilities(pod, bindOnly))
}

/** The container's own word counts, else the pod's. */
function runAsNonRoot(pod: Subject): Violation | undefined {
  const ofPod = pod.spec.securityContext?.runAsNonRoot
  const bad = which(pod, (c) => c.securityContext?.runAsNonRoot === false)
  const silent = ofPod === true ? [] : which(pod, (c) => c.securityContext?.runAsNonRoot === undefined)
  const podIsBad = ofPod === false && silent.length > 0
  const who = [...(podIsBad ? ['pod'] : []), ...(bad.length > 0 ? [containers(bad)] : [])]
  return violation('runAsNonRoot != true',
    who.length > 0 ? `${who.join(' and ')} must not set securityContext.runAsNonRoot=false` : undefined,
    silent.length > 0 && !podIsBad ? `pod or ${containers(silent)} must set securityContext.runAsNonRoot=true` : undefined)
}

function runAsUser(pod: Subject): Violation | undefined {
  const names = which(pod, (c) => c.securityContext?.runAsUser === 0)
  const who = [...(pod.spec.securityContext?.runAsUser === 0 ? ['pod'] : []), ...(names.length > 0 ? [containers(names)] : [])]
  return who.length === 0 ? undefined : violation('runAsUser=0', `${who.join(' and ')} must not set runAsUser=0`)
}

function seccomp(pod: Subject): Violation | undefined {
  const typeOf = (c: AnyContainer) => c.securityContext?.seccompProfile?.type
  const podType = pod.spec.securityContext?.seccompProfile?.type
  const silent = podType !== undefined && filtered.includes(podType) ? [] : which(pod, (c) => typeOf(c) === undefined)
  return violation('seccompProfile',
    unconfined(pod, 'seccompProfile'),
    silent.length > 0 && podType === undefined ? `pod or ${containers(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"` : undefined)
}

/** What means nothing on Windows is not asked of pods that say that they are for it; before 1.25 they could not say so. */
const notOnWindows = (run: Check['run']): Check['run'] => (pod, minor) => (minor >= 25 && isWindows(pod) ? undefined : run(pod, minor))

const own: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation', since: 8,
    run: notOnWindows((pod) => {
      const names = which(pod, (c) => c.securityContext?.allowPrivilegeEscalation !== false)
      return names.length === 0 ? undefined : violation('allowPrivilegeEscalation != false', `${containers(names)} must set securityContext.allowPrivilegeEscalation=false`)
    }),
  },
  { id: 'capabilities_restricted', since: 22, run: notOnWindows(capabilities) },
  { id: 'restrictedVolumes', run: restrictedVolumes },
  { id: 'runAsNonRoot', run: runAsNonRoot },
  { id: 'runAsUser', since: 23, run: runAsUser },
  { id: 'seccompProfile_restricted', since: 19, run: notOnWindows(seccomp) },
]

/** Checks of the baseline that have a stricter one here, by its id. */
const replaced: ReadonlyMap<string, string> = new Map([['capabilities_baseline', 'capabilities_restricted'], ['hostPathVolumes', 'restrictedVolumes'], ['seccompProfile_baseline', 'seccompProfile_restricted']])

const known = new Map<string, readonly Check[]>()

/** The checks that a level has in a minor version of Kubernetes. */
export function checksOf(level: Level, minor: number): readonly Check[] {
  const key = `${level} ${minor}`
  let checks = known.get(key)
  if (!checks) known.set(key, (checks = made(level, minor)))
  return checks
}

function made(level: Level, minor: number): readonly Check[] {
  const of = (checks: readonly Check[]) => checks.filter(({ since = 0 }) => since <= minor)
  if (level === 'privileged') return []
  if (level === 'baseline') return of(baseline)
  const stricter = of(own)
  const ids = new Set(stricter.map(({ id }) => id))
  return [...of(baseline).filter(({ id }) => !ids.has(replaced.get(id) ?? '')), ...stricter]
}
