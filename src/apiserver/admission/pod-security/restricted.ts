/** The restricted standard: baseline, and what hardened pods do without. */
import type { core } from '../../../api/index.ts'
import { addedCapabilities, baseline, looseSeccomp, ownUsers, procMount } from './baseline.ts'
import type { Level } from './levels.ts'
import { containers, distinct, hasOwnUsers, isWindows, named, quoted, sayers, violation, which, type Check, type Subject, type Violation } from './words.ts'

const allowedVolumes = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'])
const bindOnly = new Set(['NET_BIND_SERVICE'])

function restrictedVolumes(pod: Subject): Violation | undefined {
  const typeOf = (volume: core.Volume): string => Object.keys(volume).find((key) => key !== 'name' && volume[key as keyof core.Volume] !== undefined) ?? 'emptyDir'
  const bad = (pod.spec.volumes ?? []).filter((v) => !allowedVolumes.has(typeOf(v)))
  if (bad.length === 0) return undefined
  const types = distinct(bad.map(typeOf))
  const volumes = named('volume', 'volumes', bad.map((v) => v.name))
  return violation('restricted volume types', `${volumes} ${bad.length === 1 ? 'uses' : 'use'} restricted volume ${types.length === 1 ? 'type' : 'types'} ${quoted(types)}`)
}

function capabilities(pod: Subject): Violation | undefined {
  const keeping = which(pod, (c) => !(c.securityContext?.capabilities?.drop ?? []).includes('ALL'))
  return violation('unrestricted capabilities',
    keeping.length === 0 ? undefined : `${containers(keeping)} must set securityContext.capabilities.drop=["ALL"]`,
    addedCapabilities(pod, bindOnly))
}

/** The container's own word counts, else the pod's. Who says no is told of alone: those who say nothing come when nobody does. */
function runAsNonRoot(pod: Subject): Violation | undefined {
  const ofPod = pod.spec.securityContext?.runAsNonRoot
  const who = sayers(ofPod === false, which(pod, (c) => c.securityContext?.runAsNonRoot === false))
  const silent = ofPod === true ? [] : which(pod, (c) => c.securityContext?.runAsNonRoot === undefined)
  if (who.length > 0) return violation('runAsNonRoot != true', `${who.join(' and ')} must not set securityContext.runAsNonRoot=false`)
  return silent.length === 0 ? undefined : violation('runAsNonRoot != true', `pod or ${containers(silent)} must set securityContext.runAsNonRoot=true`)
}

function runAsUser(pod: Subject): Violation | undefined {
  const who = sayers(pod.spec.securityContext?.runAsUser === 0, which(pod, (c) => c.securityContext?.runAsUser === 0))
  return who.length === 0 ? undefined : violation('runAsUser=0', `${who.join(' and ')} must not set runAsUser=0`)
}

function seccomp(pod: Subject): Violation | undefined {
  const wrong = looseSeccomp(pod)
  if (wrong) return wrong
  const silent = pod.spec.securityContext?.seccompProfile ? [] : which(pod, (c) => c.securityContext?.seccompProfile === undefined)
  return silent.length === 0 ? undefined : violation('seccompProfile', `pod or ${containers(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`)
}

/** What means nothing on Windows is not asked of pods that say that they are for it; before 1.25 they could not say so. */
const notOnWindows = (run: Check['run']): Check['run'] => (pod, minor) => (minor >= 25 && isWindows(pod) ? undefined : run(pod, minor))

/** Root within a user namespace of the pod's own is nobody on the node. */
const notOfOwnUsers = (run: Check['run']): Check['run'] => (pod, minor) => (minor >= ownUsers && hasOwnUsers(pod) ? undefined : run(pod, minor))

const own: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation', since: 8,
    run: notOnWindows((pod) => {
      const names = which(pod, (c) => c.securityContext?.allowPrivilegeEscalation !== false)
      return names.length === 0 ? undefined : violation('allowPrivilegeEscalation != false', `${containers(names)} must set securityContext.allowPrivilegeEscalation=false`)
    }),
  },
  { id: 'capabilities_restricted', since: 22, run: notOnWindows(capabilities) },
  // What the baseline lets pods with users of their own do since then stays forbidden here.
  { id: 'procMount_restricted', since: ownUsers, run: procMount },
  { id: 'restrictedVolumes', run: restrictedVolumes },
  { id: 'runAsNonRoot', run: notOfOwnUsers(runAsNonRoot) },
  { id: 'runAsUser', since: 23, run: notOfOwnUsers(runAsUser) },
  { id: 'seccompProfile_restricted', since: 19, run: notOnWindows(seccomp) },
]

/** Checks of the baseline that have a stricter one here, by its id. */
const replaced: ReadonlyMap<string, string> = new Map([['capabilities_baseline', 'capabilities_restricted'], ['hostPathVolumes', 'restrictedVolumes'], ['procMount', 'procMount_restricted'], ['seccompProfile_baseline', 'seccompProfile_restricted']])

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
