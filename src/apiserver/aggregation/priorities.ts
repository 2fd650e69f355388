/** Kubernetes's priorities of its own groups: in which order clients look through them. */

/** `spec.groupPriorityMinimum` of the API services of built-in groups. */
const groups: Readonly<Record<string, number>> = {
  '': 18_000,
  'apiregistration.k8s.io': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'storagemigration.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 15_900,
}
/** Groups of custom resources come after those that are built in. */
const customGroup = 1000
const customVersion = 100

/** Versions whose priority is not that of their stage. */
const versions: Readonly<Record<string, number>> = { '/v1': 1, 'autoscaling/v2': 30, 'flowcontrol.apiserver.k8s.io/v1': 21 }

export interface Priority { readonly group: number; readonly version: number }

/** Whether Kubernetes itself serves the group. */
export const isBuiltInGroup = (group: string): boolean => Object.hasOwn(groups, group)

/** Where a group version that this server has itself stands among the others. */
export function localPriority(group: string, version: string): Priority {
  if (!isBuiltInGroup(group)) return { group: customGroup, version: customVersion }
  const stage = version.includes('alpha') ? 9 : version.includes('beta') ? 12 : 15
  return { group: groups[group] as number, version: versions[`${group}/${version}`] ?? stage }
}
