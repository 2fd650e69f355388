import { fill, list, mapList, opt, req, root, setOf, string, struct, zero, type Of } from '../schema.ts'
import { GroupVersionKind, ListMeta, ObjectMeta } from '../meta/meta.ts'

export const APISubresourceDiscovery = struct('APISubresourceDiscovery', {
  subresource: req(1, string, 'Its name.'),
  responseKind: opt(2, GroupVersionKind, 'The kind that is answered.'),
  acceptedTypes: zero(3, mapList(GroupVersionKind, ['group', 'version', 'kind']), 'The kinds that may be sent.'),
  verbs: req(4, setOf(string), 'What can be done with it.'),
})
export interface APISubresourceDiscovery extends Of<typeof APISubresourceDiscovery> {}

export const APIResourceDiscovery = struct('APIResourceDiscovery', {
  resource: req(1, string, 'Its plural name.'),
  responseKind: opt(2, GroupVersionKind, 'The kind that is answered.'),
  scope: req(3, string, 'Cluster or Namespaced.'),
  singularResource: req(4, string, 'Its singular name.'),
  verbs: req(5, setOf(string), 'What can be done with it.'),
  shortNames: zero(6, setOf(string), 'What kubectl also knows it by.'),
  categories: zero(7, setOf(string), 'Groups such as all that it belongs to.'),
  subresources: zero(8, mapList(APISubresourceDiscovery, ['subresource']), 'What hangs below its objects.'),
})
export interface APIResourceDiscovery extends Of<typeof APIResourceDiscovery> {}

export const APIVersionDiscovery = struct('APIVersionDiscovery', {
  version: req(1, string, 'Its name.'),
  resources: zero(2, mapList(APIResourceDiscovery, ['resource']), 'What is served in it.'),
  freshness: zero(3, string, 'Current, or Stale when its server could not be asked.'),
})
export interface APIVersionDiscovery extends Of<typeof APIVersionDiscovery> {}

export const APIGroupDiscovery = root('APIGroupDiscovery', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  versions: zero(2, mapList(APIVersionDiscovery, ['version']), 'Its versions, the preferred one first.'),
})
export interface APIGroupDiscovery extends Of<typeof APIGroupDiscovery> {}

export const APIGroupDiscoveryList = root('APIGroupDiscoveryList', {
  metadata: fill(1, ListMeta, 'Of the list.'),
  items: req(2, list(APIGroupDiscovery), 'The groups there are.'),
})
export interface APIGroupDiscoveryList extends Of<typeof APIGroupDiscoveryList> {}
