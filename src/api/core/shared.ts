import { bool, fill, int64, list, map, mapList, oneOf, opt, quantity, req, string, struct, time, zero, type Of } from '../schema.ts'

export const LocalObjectReference = struct('LocalObjectReference', {
  name: zero(1, string, { doc: 'The name of the object.', default: '' }),
}, { doc: 'An object of the same namespace.', atomic: true })
export interface LocalObjectReference extends Of<typeof LocalObjectReference> {}

export const ObjectReference = struct('ObjectReference', {
  kind: zero(1, string, 'Its kind.'),
  namespace: zero(2, string, 'Its namespace.'),
  name: zero(3, string, 'Its name.'),
  uid: zero(4, string, 'Its UID.'),
  apiVersion: zero(5, string, 'Its API version.'),
  resourceVersion: zero(6, string, 'Its resourceVersion.'),
  fieldPath: zero(7, string, 'The part of it that is meant.'),
}, { doc: 'An object, or a part of one.', atomic: true })
export interface ObjectReference extends Of<typeof ObjectReference> {}

export const SecretReference = struct('SecretReference', {
  name: zero(1, string, 'Its name.'),
  namespace: zero(2, string, 'Its namespace.'),
}, { doc: 'A secret.', atomic: true })
export interface SecretReference extends Of<typeof SecretReference> {}

export const TypedLocalObjectReference = struct('TypedLocalObjectReference', {
  apiGroup: opt(1, string, 'Its API group.'),
  kind: req(2, string, 'Its kind.'),
  name: req(3, string, 'Its name.'),
}, { doc: 'An object of the same namespace.', atomic: true })
export interface TypedLocalObjectReference extends Of<typeof TypedLocalObjectReference> {}

export const TypedObjectReference = struct('TypedObjectReference', {
  apiGroup: opt(1, string, 'Its API group.'),
  kind: req(2, string, 'Its kind.'),
  name: req(3, string, 'Its name.'),
  namespace: opt(4, string, { doc: 'Its namespace.', gate: 'CrossNamespaceVolumeDataSource' }),
}, 'An object.')
export interface TypedObjectReference extends Of<typeof TypedObjectReference> {}

export const ObjectFieldSelector = struct('ObjectFieldSelector', {
  apiVersion: zero(1, string, 'The version in which the field is named. Default v1.'),
  fieldPath: req(2, string, 'The path of the field.'),
}, { doc: 'A field of an object.', atomic: true })
export interface ObjectFieldSelector extends Of<typeof ObjectFieldSelector> {}

export const ResourceFieldSelector = struct('ResourceFieldSelector', {
  containerName: zero(1, string, 'The container; in volumes it must be named.'),
  resource: req(2, string, 'limits.cpu, requests.memory and the like.'),
  divisor: fill(3, quantity, 'The unit the value is given in. Default 1.'),
}, { doc: 'A limit or request of a container.', atomic: true })
export interface ResourceFieldSelector extends Of<typeof ResourceFieldSelector> {}

export const ConfigMapKeySelector = struct('ConfigMapKeySelector', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  key: req(2, string, 'The key of the entry.'),
  optional: opt(3, bool, 'Whether the config map or the entry may be missing.'),
}, { doc: 'An entry of a config map.', atomic: true })
export interface ConfigMapKeySelector extends Of<typeof ConfigMapKeySelector> {}

export const SecretKeySelector = struct('SecretKeySelector', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  key: req(2, string, 'The key of the entry.'),
  optional: opt(3, bool, 'Whether the secret or the entry may be missing.'),
}, { doc: 'An entry of a secret.', atomic: true })
export interface SecretKeySelector extends Of<typeof SecretKeySelector> {}

export const NodeSelectorOperator = oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt')
export type NodeSelectorOperator = Of<typeof NodeSelectorOperator>

export const NodeSelectorRequirement = struct('NodeSelectorRequirement', {
  key: req(1, string, 'The label that is looked at.'),
  operator: req(2, NodeSelectorOperator, 'In, NotIn, Exists, DoesNotExist, Gt or Lt.'),
  values: zero(3, list(string), 'Values to compare with; one integer for Gt and Lt.'),
}, 'One requirement on one label.')
export interface NodeSelectorRequirement extends Of<typeof NodeSelectorRequirement> {}

export const NodeSelectorTerm = struct('NodeSelectorTerm', {
  matchExpressions: zero(1, list(NodeSelectorRequirement), 'Requirements on labels of the node.'),
  matchFields: zero(2, list(NodeSelectorRequirement), 'Requirements on fields of the node; only metadata.name.'),
}, { doc: 'Requirements that must all hold.', atomic: true })
export interface NodeSelectorTerm extends Of<typeof NodeSelectorTerm> {}

export const NodeSelector = struct('NodeSelector', {
  nodeSelectorTerms: req(1, list(NodeSelectorTerm), 'Terms of which one must hold.'),
}, { doc: 'Chooses nodes.', atomic: true })
export interface NodeSelector extends Of<typeof NodeSelector> {}

export const TaintEffect = oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute')
export type TaintEffect = Of<typeof TaintEffect>

export const TolerationOperator = oneOf('Exists', 'Equal', 'Lt', 'Gt')
export type TolerationOperator = Of<typeof TolerationOperator>

export const Toleration = struct('Toleration', {
  key: zero(1, string, 'The key of the taint; empty, with Exists, for all.'),
  operator: zero(2, TolerationOperator, 'Equal (the default) or Exists.'),
  value: zero(3, string, 'The value of the taint.'),
  effect: zero(4, TaintEffect, 'NoSchedule, PreferNoSchedule or NoExecute; empty for all.'),
  tolerationSeconds: opt(5, int64, 'How long a NoExecute taint is put up with; for ever when left out.'),
}, 'A taint that does not keep the pod away.')
export interface Toleration extends Of<typeof Toleration> {}

export const Taint = struct('Taint', {
  key: req(1, string, 'The key.'),
  value: zero(2, string, 'The value.'),
  effect: req(3, TaintEffect, 'NoSchedule, PreferNoSchedule, or NoExecute, which also evicts.'),
  timeAdded: opt(4, time, 'When a NoExecute taint was added.'),
}, 'Keeps pods that do not tolerate it away from a node.')
export interface Taint extends Of<typeof Taint> {}

export const ResourceClaim = struct('ResourceClaim', {
  name: req(1, string, 'The name of the claim in the pod.'),
  request: zero(2, string, 'One request of the claim; all when left out.'),
}, 'A claim of the pod.')
export interface ResourceClaim extends Of<typeof ResourceClaim> {}

export const ResourceRequirements = struct('ResourceRequirements', {
  limits: zero(1, map(quantity), 'The most that may be used.'),
  requests: zero(2, map(quantity), 'What is set aside at the least. Default: the limits.'),
  claims: zero(3, mapList(ResourceClaim, ['name']), { doc: 'Claims of the pod whose devices are used.', gate: 'DynamicResourceAllocation' }),
}, 'What is requested of a node, and what is limited.')
export interface ResourceRequirements extends Of<typeof ResourceRequirements> {}

export const VolumeResourceRequirements = struct('VolumeResourceRequirements', {
  limits: zero(1, map(quantity), 'The most.'),
  requests: zero(2, map(quantity), 'What it must hold at the least, as storage.'),
}, 'How much storage.')
export interface VolumeResourceRequirements extends Of<typeof VolumeResourceRequirements> {}

export const TopologySelectorLabelRequirement = struct('TopologySelectorLabelRequirement', {
  key: req(1, string, 'The label.'),
  values: req(2, list(string), 'One of these.'),
})
export interface TopologySelectorLabelRequirement extends Of<typeof TopologySelectorLabelRequirement> {}

export const TopologySelectorTerm = struct('TopologySelectorTerm', {
  matchLabelExpressions: zero(1, list(TopologySelectorLabelRequirement), 'Must all hold.'),
}, { atomic: true })
export interface TopologySelectorTerm extends Of<typeof TopologySelectorTerm> {}

export const EventSource = struct('EventSource', {
  component: zero(1, string, 'The component.'),
  host: zero(2, string, 'The node it is on.'),
}, 'Who reported an event.')
export interface EventSource extends Of<typeof EventSource> {}

export const Protocol = oneOf('TCP', 'UDP', 'SCTP')
export type Protocol = Of<typeof Protocol>
