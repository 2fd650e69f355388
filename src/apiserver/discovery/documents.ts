/** The discovery documents: one per path for clients of every age, and the aggregated form that needs two requests. */
import { createHash } from 'node:crypto'
import { declared, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { storageOf } from '../registry/conversions.ts'
import { isStored } from '../registry/served.ts'
import type { GroupEntry, VersionEntry } from './groups.ts'
import { subresourceInfo } from './subresources.ts'

/** What this server can speak about a group version: `meta.v1.APIResourceList`. */
export function resourceList(version: VersionEntry): ApiObject {
  const core = version.groupVersion === version.version
  return { kind: 'APIResourceList', ...(core ? {} : { apiVersion: 'v1' }), groupVersion: version.groupVersion, resources: version.resources.flatMap(apiResources) } as unknown as ApiObject
}

/** Changes when objects come to be stored in another version: how clients that migrate them see that there is something to do. */
function storageVersionHash(resource: Resource): string {
  const { group, version, kind } = storageOf(resource)
  return createHash('sha256').update(`${group}/${resource.storedVersion ?? version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

/** In alphabetical order where the kind is built in; of others the status comes before the scale. */
const subresourcesOf = (resource: Resource): readonly string[] =>
  (declared.includes(resource) ? resource.subresources.toSorted() : resource.subresources.toSorted().toReversed())

function apiResources(resource: Resource): object[] {
  const own = {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(isStored(resource) ? { storageVersionHash: storageVersionHash(resource) } : {}),
  }
  const subresources = subresourcesOf(resource).map((name) => {
    const info = subresourceInfo(resource, name)
    const foreign = info.group !== resource.group || info.version !== resource.version
    return {
      name: `${resource.plural}/${name}`,
      singularName: '',
      namespaced: resource.namespaced,
      ...(foreign ? { group: info.group, version: info.version } : {}),
      kind: info.kind,
      verbs: info.verbs,
    }
  })
  return [own, ...subresources]
}

/** `meta.v1.APIGroup`, with or without its TypeMeta. */
export function apiGroup(group: GroupEntry, root: boolean): ApiObject {
  const versions = group.versions.map((v) => ({ groupVersion: v.groupVersion, version: v.version }))
  return { ...(root ? { kind: 'APIGroup', apiVersion: 'v1' } : {}), name: group.name, versions, preferredVersion: versions[0] } as unknown as ApiObject
}

/** `/apis`: every named group. */
export const apiGroupList = (groups: readonly GroupEntry[]): ApiObject =>
  ({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((g) => g.name !== '').map((g) => apiGroup(g, false)) }) as unknown as ApiObject

/** `/api`: the versions of the core group and where the server is reached (`host:port`). */
export const apiVersions = (serverAddress: string): ApiObject =>
  ({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] }) as unknown as ApiObject

/** `apidiscovery.k8s.io/v2` APIGroupDiscoveryList of these groups. */
export function aggregated(groups: readonly GroupEntry[]): ApiObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name ? { name: group.name } : {},
      versions: group.versions.map((v) => ({ version: v.version, resources: v.remote?.resources ?? v.resources.map(resourceDiscovery), freshness: v.remote?.freshness ?? 'Current' })),
    })),
  } as unknown as ApiObject
}

function resourceDiscovery(resource: Resource): object {
  const builtIn = declared.includes(resource)
  const subresources = subresourcesOf(resource).map((name) => {
    const { group, version, kind, verbs } = subresourceInfo(resource, name)
    const same = builtIn && group === resource.group && version === resource.version
    return { subresource: name, responseKind: same ? { group: '', version: '', kind } : { group, version, kind }, verbs }
  })
  return {
    resource: resource.plural,
    // What is built in is of the group and version that it stands under, without saying so.
    responseKind: builtIn ? { group: '', version: '', kind: resource.kind } : { group: resource.group, version: resource.version, kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}
