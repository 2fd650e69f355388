import { bool, fill, int64, list, opt, rawExtension, req, root, string, struct, zero, type Of } from '../schema.ts'
import { ListMeta } from './meta.ts'

export const ApplyOptions = root('ApplyOptions', {
  dryRun: zero(1, list(string), 'All: do everything but store it.'),
  force: req(2, bool, 'Take fields over from other managers.'),
  fieldManager: req(3, string, 'Who the fields belong to from now on.'),
})
export interface ApplyOptions extends Of<typeof ApplyOptions> {}

export const CreateOptions = root('CreateOptions', {
  dryRun: zero(1, list(string), 'All: do everything but store it.'),
  fieldManager: zero(3, string, 'Who the fields belong to from now on.'),
  fieldValidation: zero(4, string, 'What becomes of unknown and repeated fields: Ignore, Warn or Strict.'),
})
export interface CreateOptions extends Of<typeof CreateOptions> {}

export const Preconditions = struct('Preconditions', {
  uid: opt(1, string, 'The object must have this uid.'),
  resourceVersion: opt(2, string, 'The object must be at this version.'),
})
export interface Preconditions extends Of<typeof Preconditions> {}

export const DeleteOptions = root('DeleteOptions', {
  gracePeriodSeconds: opt(1, int64, 'How long it may take to end; 0 is at once.'),
  preconditions: opt(2, Preconditions, 'What must be true of the object.'),
  orphanDependents: opt(3, bool, 'Use propagationPolicy.'),
  propagationPolicy: opt(4, string, 'What becomes of what it owns: Orphan, Background or Foreground.'),
  dryRun: zero(5, list(string), 'All: do everything but store it.'),
  ignoreStoreReadErrorWithClusterBreakingPotential: opt(6, bool, 'Delete an object that can no longer be read.'),
})
export interface DeleteOptions extends Of<typeof DeleteOptions> {}

export const FieldSelectorRequirement = struct('FieldSelectorRequirement', {
  key: req(1, string, 'The field.'),
  operator: req(2, string, 'In, NotIn, Exists or DoesNotExist.'),
  values: zero(3, list(string), 'The values, for In and NotIn.'),
})
export interface FieldSelectorRequirement extends Of<typeof FieldSelectorRequirement> {}

export const GetOptions = root('GetOptions', {
  resourceVersion: zero(1, string, 'Not older than this version.'),
})
export interface GetOptions extends Of<typeof GetOptions> {}

export const GroupVersion = struct('GroupVersion', {
  group: req(1, string, 'Empty for the core group.'),
  version: req(2, string, 'Of the group.'),
})
export interface GroupVersion extends Of<typeof GroupVersion> {}

export const List = root('List', {
  metadata: fill(1, ListMeta, 'Name, namespace, labels and all else that every object has.'),
  items: req(2, list(rawExtension), 'The objects.'),
})
export interface List extends Of<typeof List> {}

export const ListOptions = root('ListOptions', {
  labelSelector: zero(1, string, 'Only objects with such labels.'),
  fieldSelector: zero(2, string, 'Only objects with such fields.'),
  watch: zero(3, bool, 'Tell what changes, instead of a list.'),
  allowWatchBookmarks: zero(9, bool, 'Tell from time to time how far the watch is.'),
  resourceVersion: zero(4, string, 'The version to list at or to watch from.'),
  resourceVersionMatch: zero(10, string, 'How that version is meant: Exact or NotOlderThan.'),
  timeoutSeconds: opt(5, int64, 'How long at most.'),
  limit: zero(7, int64, 'How many objects at most; there is a next page.'),
  continue: zero(8, string, 'Where the last page ended.'),
  sendInitialEvents: opt(11, bool, 'Begin a watch with what is there.'),
  shardSelector: zero(15, string, { doc: 'Only a part of all objects.', gate: 'ShardedListAndWatch' }),
})
export interface ListOptions extends Of<typeof ListOptions> {}

export const PatchOptions = root('PatchOptions', {
  dryRun: zero(1, list(string), 'All: do everything but store it.'),
  force: opt(2, bool, 'Take fields over from other managers.'),
  fieldManager: zero(3, string, 'Who the fields belong to from now on.'),
  fieldValidation: zero(4, string, 'What becomes of unknown and repeated fields: Ignore, Warn or Strict.'),
})
export interface PatchOptions extends Of<typeof PatchOptions> {}

export const UpdateOptions = root('UpdateOptions', {
  dryRun: zero(1, list(string), 'All: do everything but store it.'),
  fieldManager: zero(2, string, 'Who the fields belong to from now on.'),
  fieldValidation: zero(3, string, 'What becomes of unknown and repeated fields: Ignore, Warn or Strict.'),
})
export interface UpdateOptions extends Of<typeof UpdateOptions> {}
