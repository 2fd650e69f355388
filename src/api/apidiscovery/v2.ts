import { fill, mapList, opt, req, root, setOf, string, struct, zero, type Of } from '../schema.ts'
import { GroupVersionKind, ObjectMeta } from '../meta/meta.ts'

export const APISubresourceDiscovery = struct('APISubresourceDiscovery', {
  subresource: req(1, string),
  responseKind: opt(2, GroupVersionKind),
  acceptedTypes: zero(3, mapList(GroupVersionKind, ['group', 'version', 'kind'])),
  verbs: req(4, setOf(string)),
})
export interface APISubresourceDiscovery extends Of<typeof APISubresourceDiscovery> {}

export const APIResourceDiscovery = struct('APIResourceDiscovery', {
  resource: req(1, string),
  responseKind: opt(2, GroupVersionKind),
  scope: req(3, string),
  singularResource: req(4, string),
  verbs: req(5, setOf(string)),
  shortNames: zero(6, setOf(string)),
  categories: zero(7, setOf(string)),
  subresources: zero(8, mapList(APISubresourceDiscovery, ['subresource'])),
})
export interface APIResourceDiscovery extends Of<typeof APIResourceDiscovery> {}

export const APIVersionDiscovery = struct('APIVersionDiscovery', {
  version: req(1, string),
  resources: zero(2, mapList(APIResourceDiscovery, ['resource'])),
  freshness: zero(3, string),
})
export interface APIVersionDiscovery extends Of<typeof APIVersionDiscovery> {}

export const APIGroupDiscovery = root('APIGroupDiscovery', {
  metadata: fill(1, ObjectMeta),
  versions: zero(2, mapList(APIVersionDiscovery, ['version'])),
})
export interface APIGroupDiscovery extends Of<typeof APIGroupDiscovery> {}
