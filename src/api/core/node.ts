import { bool, fill, int32, int64, list, map, mapList, oneOf, opt, quantity, req, root, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Taint } from './shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ConfigMapNodeConfigSource = struct('ConfigMapNodeConfigSource', {
  namespace: req(1, string),
  name: req(2, string),
  uid: zero(3, string),
  resourceVersion: zero(4, string),
  kubeletConfigKey: req(5, string),
})
export interface ConfigMapNodeConfigSource extends Of<typeof ConfigMapNodeConfigSource> {}

export const NodeConfigSource = struct('NodeConfigSource', {
  configMap: opt(2, ConfigMapNodeConfigSource),
})
export interface NodeConfigSource extends Of<typeof NodeConfigSource> {}

export const NodeSpec = struct('NodeSpec', {
  podCIDR: zero(1, string),
  podCIDRs: zero(7, setOf(string), { patch: 'merge' }),
  providerID: zero(3, string),
  unschedulable: zero(4, bool),
  taints: zero(5, list(Taint)),
  configSource: opt(6, NodeConfigSource),
  externalID: zero(2, string),
})
export interface NodeSpec extends Of<typeof NodeSpec> {}

export const AttachedVolume = struct('AttachedVolume', {
  name: req(1, string),
  devicePath: req(2, string),
})
export interface AttachedVolume extends Of<typeof AttachedVolume> {}

export const ContainerImage = struct('ContainerImage', {
  names: fill(1, list(string)),
  sizeBytes: zero(2, int64),
})
export interface ContainerImage extends Of<typeof ContainerImage> {}

export const NodeAddress = struct('NodeAddress', {
  type: req(1, string),
  address: req(2, string),
})
export interface NodeAddress extends Of<typeof NodeAddress> {}

export const NodeCondition = struct('NodeCondition', {
  type: req(1, string),
  status: req(2, string),
  lastHeartbeatTime: fill(3, time),
  lastTransitionTime: fill(4, time),
  reason: zero(5, string),
  message: zero(6, string),
})
export interface NodeCondition extends Of<typeof NodeCondition> {}

export const NodeConfigStatus = struct('NodeConfigStatus', {
  assigned: opt(1, NodeConfigSource),
  active: opt(2, NodeConfigSource),
  lastKnownGood: opt(3, NodeConfigSource),
  error: zero(4, string),
})
export interface NodeConfigStatus extends Of<typeof NodeConfigStatus> {}

export const DaemonEndpoint = struct('DaemonEndpoint', {
  Port: req(1, int32),
})
export interface DaemonEndpoint extends Of<typeof DaemonEndpoint> {}

export const NodeDaemonEndpoints = struct('NodeDaemonEndpoints', {
  kubeletEndpoint: fill(1, DaemonEndpoint),
})
export interface NodeDaemonEndpoints extends Of<typeof NodeDaemonEndpoints> {}

export const NodeFeatures = struct('NodeFeatures', {
  supplementalGroupsPolicy: opt(1, bool),
})
export interface NodeFeatures extends Of<typeof NodeFeatures> {}

export const NodePhase = oneOf('Pending', 'Running', 'Terminated')
export type NodePhase = Of<typeof NodePhase>

export const NodeRuntimeHandlerFeatures = struct('NodeRuntimeHandlerFeatures', {
  recursiveReadOnlyMounts: opt(1, bool),
  userNamespaces: opt(2, bool),
})
export interface NodeRuntimeHandlerFeatures extends Of<typeof NodeRuntimeHandlerFeatures> {}

export const NodeRuntimeHandler = struct('NodeRuntimeHandler', {
  name: fill(1, string),
  features: opt(2, NodeRuntimeHandlerFeatures),
})
export interface NodeRuntimeHandler extends Of<typeof NodeRuntimeHandler> {}

export const NodeSwapStatus = struct('NodeSwapStatus', {
  capacity: opt(1, int64),
})
export interface NodeSwapStatus extends Of<typeof NodeSwapStatus> {}

export const NodeSystemInfo = struct('NodeSystemInfo', {
  machineID: req(1, string),
  systemUUID: req(2, string),
  bootID: req(3, string),
  kernelVersion: req(4, string),
  osImage: req(5, string),
  containerRuntimeVersion: req(6, string),
  kubeletVersion: req(7, string),
  kubeProxyVersion: req(8, string),
  operatingSystem: req(9, string),
  architecture: req(10, string),
  swap: opt(11, NodeSwapStatus),
})
export interface NodeSystemInfo extends Of<typeof NodeSystemInfo> {}

export const NodeStatus = struct('NodeStatus', {
  capacity: zero(1, map(quantity)),
  allocatable: zero(2, map(quantity)),
  phase: zero(3, NodePhase),
  conditions: zero(4, mapList(NodeCondition, ['type']), { patch: 'merge', key: 'type' }),
  addresses: zero(5, mapList(NodeAddress, ['type']), { patch: 'merge', key: 'type' }),
  daemonEndpoints: fill(6, NodeDaemonEndpoints),
  nodeInfo: fill(7, NodeSystemInfo),
  images: zero(8, list(ContainerImage)),
  volumesInUse: zero(9, list(string)),
  volumesAttached: zero(10, list(AttachedVolume)),
  config: opt(11, NodeConfigStatus),
  runtimeHandlers: zero(12, list(NodeRuntimeHandler)),
  features: opt(13, NodeFeatures, { gate: 'SupplementalGroupsPolicy' }),
  declaredFeatures: zero(14, list(string), { gate: 'NodeDeclaredFeatures' }),
})
export interface NodeStatus extends Of<typeof NodeStatus> {}

export const Node = root('Node', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, NodeSpec),
  status: fill(3, NodeStatus),
})
export interface Node extends Of<typeof Node> {}

const gv = groupVersion('', 'v1')

export const nodes = gv.resource(Node, { plural: 'nodes', short: ['no'], subresources: ['status', 'proxy'] })
