import { fill, list, map, mapList, oneOf, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const NamespaceSpec = struct('NamespaceSpec', {
  finalizers: zero(1, list(string), 'Who must be done before it may go.'),
}, 'What is wanted of a namespace.')
export interface NamespaceSpec extends Of<typeof NamespaceSpec> {}

export const NamespaceCondition = struct('NamespaceCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(4, time, 'When the status last changed.'),
  reason: zero(5, string, 'Why, in one word.'),
  message: zero(6, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface NamespaceCondition extends Of<typeof NamespaceCondition> {}

export const NamespacePhase = oneOf('Active', 'Terminating')
export type NamespacePhase = Of<typeof NamespacePhase>

export const NamespaceStatus = struct('NamespaceStatus', {
  phase: zero(1, NamespacePhase, 'Active, or Terminating while its contents are being deleted.'),
  conditions: zero(2, mapList(NamespaceCondition, ['type']), { doc: 'What keeps it from going.', patch: 'merge', key: 'type' }),
}, 'What is known of a namespace.')
export interface NamespaceStatus extends Of<typeof NamespaceStatus> {}

export const Namespace = root('Namespace', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, NamespaceSpec, 'What is wanted.'),
  status: fill(3, NamespaceStatus, 'What is.'),
}, 'A room for names: objects in different namespaces can have the same name.')
export interface Namespace extends Of<typeof Namespace> {}

export const ResourceQuotaScope = oneOf('Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity', 'VolumeAttributesClass')
export type ResourceQuotaScope = Of<typeof ResourceQuotaScope>

export const ScopeSelectorOperator = oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')
export type ScopeSelectorOperator = Of<typeof ScopeSelectorOperator>

export const ScopedResourceSelectorRequirement = struct('ScopedResourceSelectorRequirement', {
  scopeName: req(1, ResourceQuotaScope, 'The scope.'),
  operator: req(2, ScopeSelectorOperator, 'In, NotIn, Exists or DoesNotExist.'),
  values: zero(3, list(string), 'Values to compare with.'),
}, 'One requirement on the scope of an object.')
export interface ScopedResourceSelectorRequirement extends Of<typeof ScopedResourceSelectorRequirement> {}

export const ScopeSelector = struct('ScopeSelector', {
  matchExpressions: zero(1, list(ScopedResourceSelectorRequirement), 'Requirements that must all hold.'),
}, { doc: 'Chooses objects by their scope.', atomic: true })
export interface ScopeSelector extends Of<typeof ScopeSelector> {}

export const ResourceQuotaSpec = struct('ResourceQuotaSpec', {
  hard: zero(1, map(quantity), 'The most of each resource.'),
  scopes: zero(2, list(ResourceQuotaScope), 'Which objects are counted.'),
  scopeSelector: opt(3, ScopeSelector, 'Which objects are counted, in more words.'),
}, 'What a namespace may have.')
export interface ResourceQuotaSpec extends Of<typeof ResourceQuotaSpec> {}

export const ResourceQuotaStatus = struct('ResourceQuotaStatus', {
  hard: zero(1, map(quantity), 'The most of each resource.'),
  used: zero(2, map(quantity), 'What is used of each resource.'),
}, 'What a namespace has.')
export interface ResourceQuotaStatus extends Of<typeof ResourceQuotaStatus> {}

export const ResourceQuota = root('ResourceQuota', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, ResourceQuotaSpec, 'What may be.'),
  status: fill(3, ResourceQuotaStatus, 'What is.'),
}, 'How much of everything there may be in a namespace.')
export interface ResourceQuota extends Of<typeof ResourceQuota> {}

export const LimitRangeItem = struct('LimitRangeItem', {
  type: req(1, string, 'Container, Pod or PersistentVolumeClaim.'),
  max: zero(2, map(quantity), 'The most.'),
  min: zero(3, map(quantity), 'The least.'),
  default: zero(4, map(quantity), 'Limits of containers that state none.'),
  defaultRequest: zero(5, map(quantity), 'Requests of containers that state none.'),
  maxLimitRequestRatio: zero(6, map(quantity), 'How many times the request the limit may be.'),
}, 'Limits for one kind of thing.')
export interface LimitRangeItem extends Of<typeof LimitRangeItem> {}

export const LimitRangeSpec = struct('LimitRangeSpec', {
  limits: req(1, list(LimitRangeItem), 'The limits, one entry for each kind of thing.'),
}, 'Limits of a namespace.')
export interface LimitRangeSpec extends Of<typeof LimitRangeSpec> {}

export const LimitRange = root('LimitRange', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, LimitRangeSpec, 'The limits.'),
}, 'What single pods, containers and claims of a namespace may ask for.')
export interface LimitRange extends Of<typeof LimitRange> {}

const gv = groupVersion('', 'v1')

export const namespaces = gv.resource(Namespace, { plural: 'namespaces', short: ['ns'], verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'], subresources: ['status', 'finalize'] })
export const resourcequotas = gv.resource(ResourceQuota, { plural: 'resourcequotas', short: ['quota'], namespaced: true, subresources: ['status'] })
export const limitranges = gv.resource(LimitRange, { plural: 'limitranges', short: ['limits'], namespaced: true })
