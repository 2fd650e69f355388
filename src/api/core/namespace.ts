import { fill, list, map, mapList, oneOf, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const NamespaceSpec = struct('NamespaceSpec', {
  finalizers: zero(1, list(string)),
})
export interface NamespaceSpec extends Of<typeof NamespaceSpec> {}

export const NamespaceCondition = struct('NamespaceCondition', {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: fill(4, time),
  reason: zero(5, string),
  message: zero(6, string),
})
export interface NamespaceCondition extends Of<typeof NamespaceCondition> {}

export const NamespacePhase = oneOf('Active', 'Terminating')
export type NamespacePhase = Of<typeof NamespacePhase>

export const NamespaceStatus = struct('NamespaceStatus', {
  phase: zero(1, NamespacePhase),
  conditions: zero(2, mapList(NamespaceCondition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface NamespaceStatus extends Of<typeof NamespaceStatus> {}

export const Namespace = root('Namespace', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, NamespaceSpec),
  status: fill(3, NamespaceStatus),
})
export interface Namespace extends Of<typeof Namespace> {}

export const ResourceQuotaScope = oneOf('Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity', 'VolumeAttributesClass')
export type ResourceQuotaScope = Of<typeof ResourceQuotaScope>

export const ScopeSelectorOperator = oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')
export type ScopeSelectorOperator = Of<typeof ScopeSelectorOperator>

export const ScopedResourceSelectorRequirement = struct('ScopedResourceSelectorRequirement', {
  scopeName: req(1, ResourceQuotaScope),
  operator: req(2, ScopeSelectorOperator),
  values: zero(3, list(string)),
})
export interface ScopedResourceSelectorRequirement extends Of<typeof ScopedResourceSelectorRequirement> {}

export const ScopeSelector = struct('ScopeSelector', {
  matchExpressions: zero(1, list(ScopedResourceSelectorRequirement)),
}, { atomic: true })
export interface ScopeSelector extends Of<typeof ScopeSelector> {}

export const ResourceQuotaSpec = struct('ResourceQuotaSpec', {
  hard: zero(1, map(quantity)),
  scopes: zero(2, list(ResourceQuotaScope)),
  scopeSelector: opt(3, ScopeSelector),
})
export interface ResourceQuotaSpec extends Of<typeof ResourceQuotaSpec> {}

export const ResourceQuotaStatus = struct('ResourceQuotaStatus', {
  hard: zero(1, map(quantity)),
  used: zero(2, map(quantity)),
})
export interface ResourceQuotaStatus extends Of<typeof ResourceQuotaStatus> {}

export const ResourceQuota = root('ResourceQuota', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ResourceQuotaSpec),
  status: fill(3, ResourceQuotaStatus),
})
export interface ResourceQuota extends Of<typeof ResourceQuota> {}

export const LimitRangeItem = struct('LimitRangeItem', {
  type: req(1, string),
  max: zero(2, map(quantity)),
  min: zero(3, map(quantity)),
  default: zero(4, map(quantity)),
  defaultRequest: zero(5, map(quantity)),
  maxLimitRequestRatio: zero(6, map(quantity)),
})
export interface LimitRangeItem extends Of<typeof LimitRangeItem> {}

export const LimitRangeSpec = struct('LimitRangeSpec', {
  limits: req(1, list(LimitRangeItem)),
})
export interface LimitRangeSpec extends Of<typeof LimitRangeSpec> {}

export const LimitRange = root('LimitRange', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, LimitRangeSpec),
})
export interface LimitRange extends Of<typeof LimitRange> {}

const gv = groupVersion('', 'v1')

export const namespaces = gv.resource(Namespace, { plural: 'namespaces', short: ['ns'], verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'], subresources: ['status', 'finalize'] })
export const resourcequotas = gv.resource(ResourceQuota, { plural: 'resourcequotas', short: ['quota'], namespaced: true, subresources: ['status'] })
export const limitranges = gv.resource(LimitRange, { plural: 'limitranges', short: ['limits'], namespaced: true })
