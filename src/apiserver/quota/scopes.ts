/** Which pods (and claims) a quota with scopes is about. */
import type { core } from '../../api/index.ts'
import { qosClass } from '../registry/core/qos.ts'
import { isTerminating } from './pods.ts'

/** Whether the quota counts this object. Quotas with scopes count pods only, those about volume attributes classes claims only. */
export const inScope = (quota: core.ResourceQuota, groupResource: string, object: unknown): boolean =>
  requirementsOf(quota).every((requirement) => matchesScope(requirement, groupResource, object))

/** Whether the object has what one requirement of a scope asks for. */
export function matchesScope(requirement: Requirement, groupResource: string, object: unknown): boolean {
  if (requirement.scopeName === 'VolumeAttributesClass') return groupResource === 'persistentvolumeclaims' && compare(requirement, attributesClassesOf(object as core.PersistentVolumeClaim))
  return groupResource === 'pods' && matchesPod(requirement, object as core.Pod)
}

type Requirement = core.ScopedResourceSelectorRequirement

/** Scopes and the scope selector, which must all hold. */
export const requirementsOf = ({ spec }: core.ResourceQuota): readonly Requirement[] => [
  ...(spec.scopes ?? []).map((scopeName): Requirement => ({ scopeName, operator: 'Exists' })),
  ...(spec.scopeSelector?.matchExpressions ?? []),
]

function matchesPod(requirement: Requirement, pod: core.Pod): boolean {
  switch (requirement.scopeName) {
    case 'Terminating': return isTerminating(pod)
    case 'NotTerminating': return !isTerminating(pod)
    case 'BestEffort': return isBestEffort(pod)
    case 'NotBestEffort': return !isBestEffort(pod)
    case 'PriorityClass': return compare(requirement, pod.spec.priorityClassName ? [pod.spec.priorityClassName] : [])
    case 'CrossNamespacePodAffinity': return reachesOut(pod)
    default: return false
  }
}

/** `names`: what the object has; one that fits is enough. */
function compare({ operator, values = [] }: Requirement, names: readonly string[]): boolean {
  switch (operator) {
    case 'Exists': return names.length > 0
    case 'DoesNotExist': return names.length === 0
    case 'In': return names.some((name) => values.includes(name))
    default: return names.length === 0 || names.some((name) => !values.includes(name))
  }
}

/** The class that a claim's volume is to have, the one it has, and the one it is on its way to. */
const attributesClassesOf = ({ spec, status }: core.PersistentVolumeClaim): readonly string[] =>
  [spec.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName].filter((name): name is string => Boolean(name))

const isBestEffort = ({ spec, status }: core.Pod): boolean => (status?.qosClass || qosClass(spec)) === 'BestEffort'

/** Affinity terms that name other namespaces, or select them. */
function reachesOut({ spec }: core.Pod): boolean {
  const terms = [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity].flatMap((a) => [
    ...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => p.podAffinityTerm),
  ])
  return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined)
}
