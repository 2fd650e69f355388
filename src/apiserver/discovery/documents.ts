/** The discovery documents: one per path for clients of every age, and the aggregated form that needs two requests. */
import { createHash } from 'node:crypto'
import type { Resource } from '../../api/index.ts'
import { storageOf } from '../registry/conversions.ts'
import { isStored } from '../registry/served.ts'
import type { GroupEntry, VersionEntry } from './groups.ts'
import { subresourceInfo } from './subresources.ts'

/** What this server can speak about a group version: `meta.v1.APIResourceList`. */
export function resourceList(version: VersionEntry): object {
  const core = version.groupVersion === version.version
  return { kind: 'APIResourceList', ...(core ? {} : { apiVersion: 'v1' }), groupVersion: version.groupVersion, resources: version.resources.flatMap(apiResources) }
}

/** Changes when objects come to be stored in another version: how clients that migrate them see that there is something to do. */
function storageVersionHash(resource: Resource): string {
  const { group, version, kind } = storageOf(resource)
  return createHash('sha256').update(`${group}/${resource.storedVersion ?? version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

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
  const subresources = resource.subresources.toSorted().map((name) => {
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
export function apiGroup(group: GroupEntry, root: boolean): object {
  const versions = group.versions.map((v) => ({ groupVersion: v.groupVersion, version: v.version }))
  return { ...(root ? { kind: 'APIGroup', apiVersion: 'v1' } : {}), name: group.name, versions, preferredVersion: versions[0] }
}

/** `/apis`: every named group. */
export const apiGroupList = (groups: readonly GroupEntry[]): object =>
  ({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((g) => g.name !== '').map((g) => apiGroup(g, false)) })

/** `/api`: the versions of the core group and where the server is reached (`host:port`). */
export const apiVersions = (serverAddress: string): object =>
  ({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] })

/** `apidiscovery.k8s.io` APIGroupDiscoveryList of these groups; `v2` and `v2beta1` have the same shape. */
export function aggregated(groups: readonly GroupEntry[], version: 'v2' | 'v2beta1'): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group.name ? { name: group.name } : {}), creationTimestamp: null },
      versions: group.versions.map((v) => ({ version: v.version, resources: v.remote?.resources ?? v.resources.map(resourceDiscovery), freshness: v.remote?.freshness ?? 'Current' })),
    })),
  }
}

function resourceDiscovery(resource: Resource): object {
  const subresources = resource.subresources.toSorted().map((name) => {
    const { group, version, kind, verbs } = subresourceInfo(resource, name)
    return { subresource: name, responseKind: { group, version, kind }, verbs }
  })
  return {
    resource: resource.plural,
    responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}
