import { bool, fieldsV1, int64, list, map, mapList, opt, req, setOf, string, struct, time, zero, type Of } from '../schema.ts'

export const ManagedFieldsEntry = struct('ManagedFieldsEntry', {
  manager: zero(1, string),
  operation: zero(2, string),
  apiVersion: zero(3, string),
  time: opt(4, time),
  fieldsType: zero(6, string),
  fieldsV1: opt(7, fieldsV1),
  subresource: zero(8, string),
})
export interface ManagedFieldsEntry extends Of<typeof ManagedFieldsEntry> {}

export const OwnerReference = struct('OwnerReference', {
  apiVersion: req(5, string),
  kind: req(1, string),
  name: req(3, string),
  uid: req(4, string),
  controller: opt(6, bool),
  blockOwnerDeletion: opt(7, bool),
}, { atomic: true })
export interface OwnerReference extends Of<typeof OwnerReference> {}

export const ObjectMeta = struct('ObjectMeta', {
  name: zero(1, string),
  generateName: zero(2, string),
  namespace: zero(3, string),
  selfLink: zero(4, string),
  uid: zero(5, string),
  resourceVersion: zero(6, string),
  generation: zero(7, int64),
  creationTimestamp: zero(8, time),
  deletionTimestamp: opt(9, time),
  deletionGracePeriodSeconds: opt(10, int64),
  labels: zero(11, map(string)),
  annotations: zero(12, map(string)),
  ownerReferences: zero(13, mapList(OwnerReference, ['uid']), { patch: 'merge', key: 'uid' }),
  finalizers: zero(14, setOf(string), { patch: 'merge' }),
  managedFields: zero(17, list(ManagedFieldsEntry)),
})
export interface ObjectMeta extends Of<typeof ObjectMeta> {}

export const ShardInfo = struct('ShardInfo', {
  selector: req(1, string),
})
export interface ShardInfo extends Of<typeof ShardInfo> {}

export const ListMeta = struct('ListMeta', {
  selfLink: zero(1, string),
  resourceVersion: zero(2, string),
  continue: zero(3, string),
  remainingItemCount: opt(4, int64),
  shardInfo: opt(5, ShardInfo, { gate: 'ShardedListAndWatch' }),
})
export interface ListMeta extends Of<typeof ListMeta> {}

export const LabelSelectorRequirement = struct('LabelSelectorRequirement', {
  key: req(1, string),
  operator: req(2, string),
  values: zero(3, list(string)),
})
export interface LabelSelectorRequirement extends Of<typeof LabelSelectorRequirement> {}

export const LabelSelector = struct('LabelSelector', {
  matchLabels: zero(1, map(string)),
  matchExpressions: zero(2, list(LabelSelectorRequirement)),
}, { atomic: true })
export interface LabelSelector extends Of<typeof LabelSelector> {}

export const Condition = struct('Condition', {
  type: req(1, string),
  status: req(2, string),
  observedGeneration: zero(3, int64),
  lastTransitionTime: req(4, time),
  reason: req(5, string),
  message: req(6, string),
})
export interface Condition extends Of<typeof Condition> {}

export const GroupVersionKind = struct('GroupVersionKind', {
  group: req(1, string),
  version: req(2, string),
  kind: req(3, string),
})
export interface GroupVersionKind extends Of<typeof GroupVersionKind> {}

export const GroupVersionResource = struct('GroupVersionResource', {
  group: req(1, string),
  version: req(2, string),
  resource: req(3, string),
})
export interface GroupVersionResource extends Of<typeof GroupVersionResource> {}

export const GroupKind = struct('GroupKind', {
  group: req(1, string),
  kind: req(2, string),
})
export interface GroupKind extends Of<typeof GroupKind> {}

export const GroupResource = struct('GroupResource', {
  group: req(1, string),
  resource: req(2, string),
})
export interface GroupResource extends Of<typeof GroupResource> {}
