/** Which groups there are, in which order clients look through them, and which version of each they should prefer. */
import type { Resource } from '../../api/index.ts'
import type { RemoteVersion } from '../aggregation/aggregator.ts'
import { localPriority, type Priority } from '../aggregation/priorities.ts'

export interface VersionEntry {
  readonly version: string
  readonly groupVersion: string
  readonly resources: readonly Resource[]
  /** What another server says of it, in place of `resources`. */
  readonly remote?: RemoteVersion
  readonly priority: Priority
}
export interface GroupEntry { readonly name: string; readonly versions: readonly VersionEntry[] }

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

/** Groups and versions, this server's own and those of others; groups in the order of their priority, versions with the preferred one first, resources by name. */
export function groupsOf(resources: readonly Resource[], remote: readonly RemoteVersion[] = []): readonly GroupEntry[] {
  const elsewhere = new Set(remote.map((r) => `${r.group}/${r.version}`))
  const versions = [
    ...[...Map.groupBy(resources, (r) => `${r.group}/${r.version}`)].filter(([name]) => !elsewhere.has(name)).map(([, members]) => localVersion(members)),
    ...remote.map(remoteVersion),
  ]
  return [...Map.groupBy(versions, ({ version, groupVersion }) => groupVersion.slice(0, -version.length - 1))]
    .map(([name, members]): GroupEntry => ({ name, versions: members.toSorted((a, b) => b.priority.version - a.priority.version || compareVersions(a.version, b.version)) }))
    .sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1))
}

/** A group stands where the version of it that wants to be first says. */
const rank = ({ versions }: GroupEntry): number => Math.max(...versions.map((v) => v.priority.group))

function localVersion(members: readonly Resource[]): VersionEntry {
  const { group, version, apiVersion } = members[0] as Resource
  return { version, groupVersion: apiVersion, resources: members.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)), priority: localPriority(group, version) }
}

const remoteVersion = (remote: RemoteVersion): VersionEntry =>
  ({ version: remote.version, groupVersion: `${remote.group}/${remote.version}`, resources: [], remote, priority: remote.priority })
