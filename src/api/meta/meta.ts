import { bool, fieldsV1, int64, list, map, mapList, opt, req, setOf, string, struct, time, zero, type Of } from '../schema.ts'

export const ManagedFieldsEntry = struct('ManagedFieldsEntry', {
  manager: zero(1, string, 'Who set the fields.'),
  operation: zero(2, string, 'Apply, or Update for all other ways of writing.'),
  apiVersion: zero(3, string, 'The version in which the fields are named.'),
  time: opt(4, time, 'When the manager last changed its fields.'),
  fieldsType: zero(6, string, 'The form of the field set; always FieldsV1.'),
  fieldsV1: opt(7, fieldsV1, 'The set of fields.'),
  subresource: zero(8, string, 'The subresource through which the fields were set.'),
}, 'The fields that one manager has set.')
export interface ManagedFieldsEntry extends Of<typeof ManagedFieldsEntry> {}

export const OwnerReference = struct('OwnerReference', {
  apiVersion: req(5, string, 'API version of the owner.'),
  kind: req(1, string, 'Kind of the owner.'),
  name: req(3, string, 'Name of the owner.'),
  uid: req(4, string, 'UID of the owner.'),
  controller: opt(6, bool, 'True if the owner is the one that manages the object.'),
  blockOwnerDeletion: opt(7, bool, 'True if a foreground deletion of the owner waits for this object.'),
}, { doc: 'The object that another one depends on, in the same namespace or in none.', atomic: true })
export interface OwnerReference extends Of<typeof OwnerReference> {}

export const ObjectMeta = struct('ObjectMeta', {
  name: zero(1, string, 'The name, unique among objects of the kind in a namespace. It cannot be changed.'),
  generateName: zero(2, string, 'A prefix from which the server makes a name of its own when none is given.'),
  namespace: zero(3, string, 'The namespace the object lives in; empty for kinds that belong to the cluster.'),
  selfLink: zero(4, string, 'No longer set.'),
  uid: zero(5, string, 'An identity that no other object ever has, given by the server.'),
  resourceVersion: zero(6, string, 'Changes with every write. An update that states it fails when somebody else was faster.'),
  generation: zero(7, int64, 'Counts changes of what is wanted, so that controllers can say up to where they have acted.'),
  creationTimestamp: zero(8, time, 'When the object was created, set by the server.'),
  deletionTimestamp: opt(9, time, 'When the object is to be gone. Set by a delete; the object stays until its grace period and finalizers are over.'),
  deletionGracePeriodSeconds: opt(10, int64, 'How many seconds a deleted object has to end well.'),
  labels: zero(11, map(string), 'Keys and values to find and group objects by.'),
  annotations: zero(12, map(string), 'Keys and values that tools and people attach; nothing selects by them.'),
  ownerReferences: zero(13, mapList(OwnerReference, ['uid']), { doc: 'Objects this one depends on: when all of them are gone, it is deleted.', patch: 'merge', key: 'uid' }),
  finalizers: zero(14, setOf(string), { doc: 'What must be done before the object may go. Each entry is taken away by who did it.', patch: 'merge' }),
  managedFields: zero(17, list(ManagedFieldsEntry), 'Who last set which field; kept for server-side apply.'),
}, 'What every object carries beside what it is about: its name, its labels, its history.')
export interface ObjectMeta extends Of<typeof ObjectMeta> {}

export const ShardInfo = struct('ShardInfo', {
  selector: req(1, string, 'Which part of all objects it is.'),
})
export interface ShardInfo extends Of<typeof ShardInfo> {}

export const ListMeta = struct('ListMeta', {
  selfLink: zero(1, string, 'No longer set.'),
  resourceVersion: zero(2, string, 'The state of the cluster that the list shows; watches can start from it.'),
  continue: zero(3, string, 'A token for the next page; empty when there is none.'),
  remainingItemCount: opt(4, int64, 'How many items are left after this page, if known.'),
  shardInfo: opt(5, ShardInfo, { doc: 'Which part of all objects this is.', gate: 'ShardedListAndWatch' }),
}, 'What a list carries beside its items.')
export interface ListMeta extends Of<typeof ListMeta> {}

export const LabelSelectorRequirement = struct('LabelSelectorRequirement', {
  key: req(1, string, 'The label that is looked at.'),
  operator: req(2, string, 'In, NotIn, Exists or DoesNotExist.'),
  values: zero(3, list(string), 'Values to compare with; none for Exists and DoesNotExist.'),
}, 'One requirement on one label.')
export interface LabelSelectorRequirement extends Of<typeof LabelSelectorRequirement> {}

export const LabelSelector = struct('LabelSelector', {
  matchLabels: zero(1, map(string), 'Labels that must be there with these very values.'),
  matchExpressions: zero(2, list(LabelSelectorRequirement), 'Requirements on labels.'),
}, { doc: 'Chooses objects by their labels. All requirements must hold; an empty selector chooses everything.', atomic: true })
export interface LabelSelector extends Of<typeof LabelSelector> {}

export const Condition = struct('Condition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  observedGeneration: zero(3, int64, 'The generation of the object that the statement is about.'),
  lastTransitionTime: req(4, time, 'When the status last changed.'),
  reason: req(5, string, 'Why, in one word for programs.'),
  message: req(6, string, 'Why, for people.'),
}, 'One statement about the state of an object.')
export interface Condition extends Of<typeof Condition> {}

export const GroupVersionKind = struct('GroupVersionKind', {
  group: req(1, string, 'Empty for the core group.'),
  version: req(2, string, 'Of the group.'),
  kind: req(3, string, 'The kind.'),
})
export interface GroupVersionKind extends Of<typeof GroupVersionKind> {}

export const GroupVersionResource = struct('GroupVersionResource', {
  group: req(1, string, 'Empty for the core group.'),
  version: req(2, string, 'Of the group.'),
  resource: req(3, string, 'The plural name.'),
})
export interface GroupVersionResource extends Of<typeof GroupVersionResource> {}

export const GroupKind = struct('GroupKind', {
  group: req(1, string, 'Empty for the core group.'),
  kind: req(2, string, 'The kind.'),
})
export interface GroupKind extends Of<typeof GroupKind> {}

export const GroupResource = struct('GroupResource', {
  group: req(1, string, 'Empty for the core group.'),
  resource: req(2, string, 'The plural name.'),
})
export interface GroupResource extends Of<typeof GroupResource> {}
