import { bool, fill, int64, list, map, mapList, oneOf, opt, quantity, req, string, struct, time, zero, type Of } from '../schema.ts'

export const LocalObjectReference = struct('LocalObjectReference', {
  name: zero(1, string, { default: '' }),
}, { atomic: true })
export interface LocalObjectReference extends Of<typeof LocalObjectReference> {}

export const ObjectReference = struct('ObjectReference', {
  kind: zero(1, string),
  namespace: zero(2, string),
  name: zero(3, string),
  uid: zero(4, string),
  apiVersion: zero(5, string),
  resourceVersion: zero(6, string),
  fieldPath: zero(7, string),
}, { atomic: true })
export interface ObjectReference extends Of<typeof ObjectReference> {}

export const SecretReference = struct('SecretReference', {
  name: zero(1, string),
  namespace: zero(2, string),
}, { atomic: true })
export interface SecretReference extends Of<typeof SecretReference> {}

export const TypedLocalObjectReference = struct('TypedLocalObjectReference', {
  apiGroup: opt(1, string),
  kind: req(2, string),
  name: req(3, string),
}, { atomic: true })
export interface TypedLocalObjectReference extends Of<typeof TypedLocalObjectReference> {}

export const TypedObjectReference = struct('TypedObjectReference', {
  apiGroup: opt(1, string),
  kind: req(2, string),
  name: req(3, string),
  namespace: opt(4, string, { gate: 'CrossNamespaceVolumeDataSource' }),
})
export interface TypedObjectReference extends Of<typeof TypedObjectReference> {}

export const ObjectFieldSelector = struct('ObjectFieldSelector', {
  apiVersion: zero(1, string),
  fieldPath: req(2, string),
}, { atomic: true })
export interface ObjectFieldSelector extends Of<typeof ObjectFieldSelector> {}

export const ResourceFieldSelector = struct('ResourceFieldSelector', {
  containerName: zero(1, string),
  resource: req(2, string),
  divisor: fill(3, quantity),
}, { atomic: true })
export interface ResourceFieldSelector extends Of<typeof ResourceFieldSelector> {}

export const ConfigMapKeySelector = struct('ConfigMapKeySelector', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  key: req(2, string),
  optional: opt(3, bool),
}, { atomic: true })
export interface ConfigMapKeySelector extends Of<typeof ConfigMapKeySelector> {}

export const SecretKeySelector = struct('SecretKeySelector', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  key: req(2, string),
  optional: opt(3, bool),
}, { atomic: true })
export interface SecretKeySelector extends Of<typeof SecretKeySelector> {}

export const NodeSelectorOperator = oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt')
export type NodeSelectorOperator = Of<typeof NodeSelectorOperator>

export const NodeSelectorRequirement = struct('NodeSelectorRequirement', {
  key: req(1, string),
  operator: req(2, NodeSelectorOperator),
  values: zero(3, list(string)),
})
export interface NodeSelectorRequirement extends Of<typeof NodeSelectorRequirement> {}

export const NodeSelectorTerm = struct('NodeSelectorTerm', {
  matchExpressions: zero(1, list(NodeSelectorRequirement)),
  matchFields: zero(2, list(NodeSelectorRequirement)),
}, { atomic: true })
export interface NodeSelectorTerm extends Of<typeof NodeSelectorTerm> {}

export const NodeSelector = struct('NodeSelector', {
  nodeSelectorTerms: req(1, list(NodeSelectorTerm)),
}, { atomic: true })
export interface NodeSelector extends Of<typeof NodeSelector> {}

export const TaintEffect = oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute')
export type TaintEffect = Of<typeof TaintEffect>

export const TolerationOperator = oneOf('Exists', 'Equal', 'Lt', 'Gt')
export type TolerationOperator = Of<typeof TolerationOperator>

export const Toleration = struct('Toleration', {
  key: zero(1, string),
  operator: zero(2, TolerationOperator),
  value: zero(3, string),
  effect: zero(4, TaintEffect),
  tolerationSeconds: opt(5, int64),
})
export interface Toleration extends Of<typeof Toleration> {}

export const Taint = struct('Taint', {
  key: req(1, string),
  value: zero(2, string),
  effect: req(3, TaintEffect),
  timeAdded: opt(4, time),
})
export interface Taint extends Of<typeof Taint> {}

export const ResourceClaim = struct('ResourceClaim', {
  name: req(1, string),
  request: zero(2, string),
})
export interface ResourceClaim extends Of<typeof ResourceClaim> {}

export const ResourceRequirements = struct('ResourceRequirements', {
  limits: zero(1, map(quantity)),
  requests: zero(2, map(quantity)),
  claims: zero(3, mapList(ResourceClaim, ['name']), { gate: 'DynamicResourceAllocation' }),
})
export interface ResourceRequirements extends Of<typeof ResourceRequirements> {}

export const VolumeResourceRequirements = struct('VolumeResourceRequirements', {
  limits: zero(1, map(quantity)),
  requests: zero(2, map(quantity)),
})
export interface VolumeResourceRequirements extends Of<typeof VolumeResourceRequirements> {}

export const TopologySelectorLabelRequirement = struct('TopologySelectorLabelRequirement', {
  key: req(1, string),
  values: req(2, list(string)),
})
export interface TopologySelectorLabelRequirement extends Of<typeof TopologySelectorLabelRequirement> {}

export const TopologySelectorTerm = struct('TopologySelectorTerm', {
  matchLabelExpressions: zero(1, list(TopologySelectorLabelRequirement)),
}, { atomic: true })
export interface TopologySelectorTerm extends Of<typeof TopologySelectorTerm> {}

export const EventSource = struct('EventSource', {
  component: zero(1, string),
  host: zero(2, string),
})
export interface EventSource extends Of<typeof EventSource> {}

export const Protocol = oneOf('TCP', 'UDP', 'SCTP')
export type Protocol = Of<typeof Protocol>
