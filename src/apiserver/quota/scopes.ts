/** Which pods (and claims) a quota with scopes is about. */
import type { core } from '../../api/index.ts'

/** Whether the quota counts this object. Quotas with scopes count pods only, those about volume attributes classes claims only. */
export const inScope = (quota: core.ResourceQuota, groupResource: string, object: unknown): boolean =>
  requirementsOf(quota).every((requirement) => matchesScope(requirement, groupResource, object))

/** Whether the object has what one requirement of a scope asks for. */
export function matchesScope(requirement: Requirement, groupResource: string, object: unknown): boolean {
  if (requirement.scopeName === 'VolumeAttributesClass') return groupResource === 'persistentvolumeclaims' && compare(requirement, (object as core.PersistentVolumeClaim).spec.volumeAttributesClassName)
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
    case 'Terminating': return pod.spec.activeDeadlineSeconds !== undefined
    case 'NotTerminating': return pod.spec.activeDeadlineSeconds === undefined
    case 'BestEffort': return isBestEffort(pod)
    case 'NotBestEffort': return !isBestEffort(pod)
    case 'PriorityClass': return compare(requirement, pod.spec.priorityClassName)
    case 'CrossNamespacePodAffinity': return reachesOut(pod)
    default: return false
  }
}

function compare({ operator, values }: Requirement, name: string | undefined): boolean {
  const has = name !== undefined && name !== ''
  switch (operator) {
    case 'Exists': return has
    case 'DoesNotExist': return !has
    case 'In': return has && (values ?? []).includes(name)
    default: return !has || !(values ?? []).includes(name)
  }
}

const isBestEffort = ({ spec }: core.Pod): boolean =>
  [spec, ...spec.containers, ...(spec.initContainers ?? [])].every((c) => ['cpu', 'memory'].every((name) => c.resources?.requests?.[name] === undefined && c.resources?.limits?.[name] === undefined))

/** Affinity terms that name other namespaces, or select them. */
function reachesOut({ spec }: core.Pod): boolean {
  const terms = [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity].flatMap((a) => [
    ...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => p.podAffinityTerm),
  ])
  return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined)
}
