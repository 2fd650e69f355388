import { bool, fill, int64, list, opt, rawExtension, req, root, string, struct, zero, type Of } from '../schema.ts'
import { ListMeta } from './meta.ts'

export const ApplyOptions = root('ApplyOptions', {
  dryRun: zero(1, list(string)),
  force: req(2, bool),
  fieldManager: req(3, string),
})
export interface ApplyOptions extends Of<typeof ApplyOptions> {}

export const CreateOptions = root('CreateOptions', {
  dryRun: zero(1, list(string)),
  fieldManager: zero(3, string),
  fieldValidation: zero(4, string),
})
export interface CreateOptions extends Of<typeof CreateOptions> {}

export const Preconditions = struct('Preconditions', {
  uid: opt(1, string),
  resourceVersion: opt(2, string),
})
export interface Preconditions extends Of<typeof Preconditions> {}

export const DeleteOptions = root('DeleteOptions', {
  gracePeriodSeconds: opt(1, int64),
  preconditions: opt(2, Preconditions),
  orphanDependents: opt(3, bool),
  propagationPolicy: opt(4, string),
  dryRun: zero(5, list(string)),
  ignoreStoreReadErrorWithClusterBreakingPotential: opt(6, bool),
})
export interface DeleteOptions extends Of<typeof DeleteOptions> {}

export const FieldSelectorRequirement = struct('FieldSelectorRequirement', {
  key: req(1, string),
  operator: req(2, string),
  values: zero(3, list(string)),
})
export interface FieldSelectorRequirement extends Of<typeof FieldSelectorRequirement> {}

export const GetOptions = root('GetOptions', {
  resourceVersion: zero(1, string),
})
export interface GetOptions extends Of<typeof GetOptions> {}

export const GroupVersion = struct('GroupVersion', {
  group: req(1, string),
  version: req(2, string),
})
export interface GroupVersion extends Of<typeof GroupVersion> {}

export const List = root('List', {
  metadata: fill(1, ListMeta),
  items: req(2, list(rawExtension)),
})
export interface List extends Of<typeof List> {}

export const ListOptions = root('ListOptions', {
  labelSelector: zero(1, string),
  fieldSelector: zero(2, string),
  watch: zero(3, bool),
  allowWatchBookmarks: zero(9, bool),
  resourceVersion: zero(4, string),
  resourceVersionMatch: zero(10, string),
  timeoutSeconds: opt(5, int64),
  limit: zero(7, int64),
  continue: zero(8, string),
  sendInitialEvents: opt(11, bool),
  shardSelector: zero(15, string, { gate: 'ShardedListAndWatch' }),
})
export interface ListOptions extends Of<typeof ListOptions> {}

export const PatchOptions = root('PatchOptions', {
  dryRun: zero(1, list(string)),
  force: opt(2, bool),
  fieldManager: zero(3, string),
  fieldValidation: zero(4, string),
})
export interface PatchOptions extends Of<typeof PatchOptions> {}

export const UpdateOptions = root('UpdateOptions', {
  dryRun: zero(1, list(string)),
  fieldManager: zero(2, string),
  fieldValidation: zero(3, string),
})
export interface UpdateOptions extends Of<typeof UpdateOptions> {}
