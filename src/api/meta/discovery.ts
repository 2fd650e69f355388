import { bool, fill, list, req, root, string, struct, wrappedList, zero, type Of } from '../schema.ts'

export const GroupVersionForDiscovery = struct('GroupVersionForDiscovery', {
  groupVersion: req(1, string, 'group/version.'),
  version: req(2, string, 'The version alone.'),
})
export interface GroupVersionForDiscovery extends Of<typeof GroupVersionForDiscovery> {}

export const ServerAddressByClientCIDR = struct('ServerAddressByClientCIDR', {
  clientCIDR: req(1, string, 'Where the client is.'),
  serverAddress: req(2, string, 'What it should call.'),
})
export interface ServerAddressByClientCIDR extends Of<typeof ServerAddressByClientCIDR> {}

export const APIGroup = root('APIGroup', {
  name: req(1, string, 'Of the group.'),
  versions: req(2, list(GroupVersionForDiscovery), 'Its versions.'),
  preferredVersion: fill(3, GroupVersionForDiscovery, 'The version to use.'),
  serverAddressByClientCIDRs: zero(4, list(ServerAddressByClientCIDR), 'Where to call, by where one is.'),
})
export interface APIGroup extends Of<typeof APIGroup> {}

export const APIGroupList = root('APIGroupList', {
  groups: req(1, list(APIGroup), 'The groups there are.'),
})
export interface APIGroupList extends Of<typeof APIGroupList> {}

export const APIResource = struct('APIResource', {
  name: req(1, string, 'Its plural name.'),
  singularName: req(6, string, 'Its singular name.'),
  namespaced: req(2, bool, 'Whether its objects are in namespaces.'),
  group: zero(8, string, 'Of the kind, when it is another than that of the list.'),
  version: zero(9, string, 'Of the kind, when it is another than that of the list.'),
  kind: req(3, string, 'The kind of its objects.'),
  verbs: req(4, wrappedList(string), 'What can be done with it.'),
  shortNames: zero(5, list(string), 'What kubectl also knows it by.'),
  categories: zero(7, list(string), 'Groups such as all that it belongs to.'),
  storageVersionHash: zero(10, string, 'Stands for the version in which it is stored.'),
})
export interface APIResource extends Of<typeof APIResource> {}

export const APIResourceList = root('APIResourceList', {
  groupVersion: req(1, string, 'What the resources are in.'),
  resources: req(2, list(APIResource), 'The resources there are.'),
})
export interface APIResourceList extends Of<typeof APIResourceList> {}

export const APIVersions = root('APIVersions', {
  versions: req(1, list(string), 'The versions of the core group.'),
  serverAddressByClientCIDRs: req(2, list(ServerAddressByClientCIDR), 'Where to call, by where one is.'),
})
export interface APIVersions extends Of<typeof APIVersions> {}

export const RootPaths = struct('RootPaths', {
  paths: req(1, list(string), 'What can be asked for.'),
})
export interface RootPaths extends Of<typeof RootPaths> {}
