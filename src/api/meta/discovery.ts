import { bool, fill, list, req, root, string, struct, wrappedList, zero, type Of } from '../schema.ts'

export const GroupVersionForDiscovery = struct('GroupVersionForDiscovery', {
  groupVersion: req(1, string),
  version: req(2, string),
})
export interface GroupVersionForDiscovery extends Of<typeof GroupVersionForDiscovery> {}

export const ServerAddressByClientCIDR = struct('ServerAddressByClientCIDR', {
  clientCIDR: req(1, string),
  serverAddress: req(2, string),
})
export interface ServerAddressByClientCIDR extends Of<typeof ServerAddressByClientCIDR> {}

export const APIGroup = root('APIGroup', {
  name: req(1, string),
  versions: req(2, list(GroupVersionForDiscovery)),
  preferredVersion: fill(3, GroupVersionForDiscovery),
  serverAddressByClientCIDRs: zero(4, list(ServerAddressByClientCIDR)),
})
export interface APIGroup extends Of<typeof APIGroup> {}

export const APIGroupList = root('APIGroupList', {
  groups: req(1, list(APIGroup)),
})
export interface APIGroupList extends Of<typeof APIGroupList> {}

export const APIResource = struct('APIResource', {
  name: req(1, string),
  singularName: req(6, string),
  namespaced: req(2, bool),
  group: zero(8, string),
  version: zero(9, string),
  kind: req(3, string),
  verbs: req(4, wrappedList(string)),
  shortNames: zero(5, list(string)),
  categories: zero(7, list(string)),
  storageVersionHash: zero(10, string),
})
export interface APIResource extends Of<typeof APIResource> {}

export const APIResourceList = root('APIResourceList', {
  groupVersion: req(1, string),
  resources: req(2, list(APIResource)),
})
export interface APIResourceList extends Of<typeof APIResourceList> {}

export const APIVersions = root('APIVersions', {
  versions: req(1, list(string)),
  serverAddressByClientCIDRs: req(2, list(ServerAddressByClientCIDR)),
})
export interface APIVersions extends Of<typeof APIVersions> {}

export const RootPaths = struct('RootPaths', {
  paths: req(1, list(string)),
})
export interface RootPaths extends Of<typeof RootPaths> {}
