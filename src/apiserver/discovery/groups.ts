/** Which groups there are, in which order clients look through them, and which version of each they should prefer. */
import type { Resource } from '../../api/index.ts'

export interface VersionEntry { readonly version: string; readonly groupVersion: string; readonly resources: readonly Resource[] }
export interface GroupEntry { readonly name: string; readonly versions: readonly VersionEntry[] }

/** The order in which a short name or a bare plural is looked up: Kubernetes's priorities of its own API groups. */
const priority: Readonly<Record<string, number>> = {
  '': 18_100,
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
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 15_900,
}
/** Groups that are not built in come after those that are. */
const otherPriority = 1_000

const stage = { v: 2, beta: 1, alpha: 0 } as const

/** [stage, major, minor] of `v2`, `v1beta3`; undefined when the version is not of that form. */
function versionParts(version: string): readonly [number, number, number] | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return undefined
  const name = (match[2] ?? 'v') as keyof typeof stage
  return [stage[name], Number(match[1]), Number(match[3] ?? 0)]
}

/** Kubernetes's order of versions, the preferred one first: stable before beta before alpha, newer before older, other names last in alphabetical order. */
export function compareVersions(a: string, b: string): number {
  const left = versionParts(a)
  const right = versionParts(b)
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2]
}

/** The resources by group and version; groups in Kubernetes's order, versions with the preferred one first, resources by name. */
export function groupsOf(resources: readonly Resource[]): readonly GroupEntry[] {
  const groups = Map.groupBy(resources, (r) => r.group)
  return [...groups]
    .map(([name, members]): GroupEntry => ({ name, versions: versionsOf(members) }))
    .sort((a, b) => rank(b.name) - rank(a.name) || (a.name < b.name ? -1 : 1))
}

const rank = (group: string): number => priority[group] ?? otherPriority

function versionsOf(members: readonly Resource[]): readonly VersionEntry[] {
  return [...Map.groupBy(members, (r) => r.version)]
    .map(([version, resources]): VersionEntry => ({
      version,
      groupVersion: (resources[0] as Resource).apiVersion,
      resources: resources.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)),
    }))
    .sort((a, b) => compareVersions(a.version, b.version))
}
