import { bool, fill, int32, int64, list, map, mapList, oneOf, opt, quantity, req, root, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Taint } from './shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ConfigMapNodeConfigSource = struct('ConfigMapNodeConfigSource', {
  namespace: req(1, string, 'Of the config map.'),
  name: req(2, string, 'Of the config map.'),
  uid: zero(3, string, 'Of the config map.'),
  resourceVersion: zero(4, string, 'Of the config map.'),
  kubeletConfigKey: req(5, string, 'The entry that holds it.'),
})
export interface ConfigMapNodeConfigSource extends Of<typeof ConfigMapNodeConfigSource> {}

export const NodeConfigSource = struct('NodeConfigSource', {
  configMap: opt(2, ConfigMapNodeConfigSource, 'The config map that holds it.'),
})
export interface NodeConfigSource extends Of<typeof NodeConfigSource> {}

export const NodeSpec = struct('NodeSpec', {
  podCIDR: zero(1, string, 'The addresses of its pods.'),
  podCIDRs: zero(7, setOf(string), { doc: 'The addresses of its pods, one range of each family.', patch: 'merge' }),
  providerID: zero(3, string, 'What the provider of the machine calls it.'),
  unschedulable: zero(4, bool, 'True to keep new pods away (cordon).'),
  taints: zero(5, list(Taint), 'What keeps pods away that do not tolerate it.'),
  configSource: opt(6, NodeConfigSource, 'Has no effect any more.'),
  externalID: zero(2, string, 'Has no effect any more.'),
}, 'What is wanted of a node.')
export interface NodeSpec extends Of<typeof NodeSpec> {}

export const AttachedVolume = struct('AttachedVolume', {
  name: req(1, string, 'Of the volume.'),
  devicePath: req(2, string, 'Where it is attached.'),
})
export interface AttachedVolume extends Of<typeof AttachedVolume> {}

export const ContainerImage = struct('ContainerImage', {
  names: fill(1, list(string), 'Its names.'),
  sizeBytes: zero(2, int64, 'Its size.'),
}, 'An image that a node has.')
export interface ContainerImage extends Of<typeof ContainerImage> {}

export const NodeAddress = struct('NodeAddress', {
  type: req(1, string, 'Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.'),
  address: req(2, string, 'The name or address.'),
}, 'A name or address of a node.')
export interface NodeAddress extends Of<typeof NodeAddress> {}

export const NodeCondition = struct('NodeCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastHeartbeatTime: fill(3, time, 'When it was last heard of.'),
  lastTransitionTime: fill(4, time, 'When the status last changed.'),
  reason: zero(5, string, 'Why, in one word.'),
  message: zero(6, string, 'Why, for people.'),
}, 'One statement about the state of a node.')
export interface NodeCondition extends Of<typeof NodeCondition> {}

export const NodeConfigStatus = struct('NodeConfigStatus', {
  assigned: opt(1, NodeConfigSource, 'Has no effect any more.'),
  active: opt(2, NodeConfigSource, 'Has no effect any more.'),
  lastKnownGood: opt(3, NodeConfigSource, 'Has no effect any more.'),
  error: zero(4, string, 'Has no effect any more.'),
})
export interface NodeConfigStatus extends Of<typeof NodeConfigStatus> {}

export const DaemonEndpoint = struct('DaemonEndpoint', {
  Port: req(1, int32, 'The port.'),
}, 'A port of a daemon.')
export interface DaemonEndpoint extends Of<typeof DaemonEndpoint> {}

export const NodeDaemonEndpoints = struct('NodeDaemonEndpoints', {
  kubeletEndpoint: fill(1, DaemonEndpoint, 'Where the kubelet listens.'),
}, 'Ports of the daemons of a node.')
export interface NodeDaemonEndpoints extends Of<typeof NodeDaemonEndpoints> {}

export const NodeFeatures = struct('NodeFeatures', {
  supplementalGroupsPolicy: opt(1, bool, 'Whether supplementalGroupsPolicy is honoured.'),
})
export interface NodeFeatures extends Of<typeof NodeFeatures> {}

export const NodePhase = oneOf('Pending', 'Running', 'Terminated')
export type NodePhase = Of<typeof NodePhase>

export const NodeRuntimeHandlerFeatures = struct('NodeRuntimeHandlerFeatures', {
  recursiveReadOnlyMounts: opt(1, bool, 'Whether it can make recursive read-only mounts.'),
  userNamespaces: opt(2, bool, 'Whether it can make user namespaces.'),
})
export interface NodeRuntimeHandlerFeatures extends Of<typeof NodeRuntimeHandlerFeatures> {}

export const NodeRuntimeHandler = struct('NodeRuntimeHandler', {
  name: fill(1, string, 'Of the handler; empty for the default one.'),
  features: opt(2, NodeRuntimeHandlerFeatures, 'What it can do.'),
})
export interface NodeRuntimeHandler extends Of<typeof NodeRuntimeHandler> {}

export const NodeSwapStatus = struct('NodeSwapStatus', {
  capacity: opt(1, int64, 'Of the swap, in bytes.'),
})
export interface NodeSwapStatus extends Of<typeof NodeSwapStatus> {}

export const NodeSystemInfo = struct('NodeSystemInfo', {
  machineID: req(1, string, 'Identity of the machine.'),
  systemUUID: req(2, string, 'Identity of the hardware.'),
  bootID: req(3, string, 'Identity of the present boot.'),
  kernelVersion: req(4, string, 'The kernel.'),
  osImage: req(5, string, 'The operating system.'),
  containerRuntimeVersion: req(6, string, 'The container runtime.'),
  kubeletVersion: req(7, string, 'The kubelet.'),
  kubeProxyVersion: req(8, string, 'No longer set.'),
  operatingSystem: req(9, string, 'The kind of operating system.'),
  architecture: req(10, string, 'The kind of processor.'),
  swap: opt(11, NodeSwapStatus, 'The swap there is.'),
}, 'Versions of what runs on a node.')
export interface NodeSystemInfo extends Of<typeof NodeSystemInfo> {}

export const NodeStatus = struct('NodeStatus', {
  capacity: zero(1, map(quantity), 'All it has.'),
  allocatable: zero(2, map(quantity), 'What pods can have of it.'),
  phase: zero(3, NodePhase, 'Has no effect any more.'),
  conditions: zero(4, mapList(NodeCondition, ['type']), { doc: 'Ready, MemoryPressure, DiskPressure, PIDPressure and others.', patch: 'merge', key: 'type' }),
  addresses: zero(5, mapList(NodeAddress, ['type']), { doc: 'Names and addresses it is reached by.', patch: 'merge', key: 'type' }),
  daemonEndpoints: fill(6, NodeDaemonEndpoints, 'Ports of its daemons.'),
  nodeInfo: fill(7, NodeSystemInfo, 'Versions of what runs on it.'),
  images: zero(8, list(ContainerImage), 'Images it has.'),
  volumesInUse: zero(9, list(string), 'Volumes that are mounted.'),
  volumesAttached: zero(10, list(AttachedVolume), 'Volumes that are attached.'),
  config: opt(11, NodeConfigStatus, 'Has no effect any more.'),
  runtimeHandlers: zero(12, list(NodeRuntimeHandler), 'What its container runtime offers.'),
  features: opt(13, NodeFeatures, { doc: 'What the runtime can do.', gate: 'SupplementalGroupsPolicy' }),
  declaredFeatures: zero(14, list(string), { doc: 'Features that the node says it has.', gate: 'NodeDeclaredFeatures' }),
}, 'What is known of a node.')
export interface NodeStatus extends Of<typeof NodeStatus> {}

export const Node = root('Node', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, NodeSpec, 'What is wanted.'),
  status: fill(3, NodeStatus, 'What is, reported by its kubelet.'),
}, 'A machine that runs pods.')
export interface Node extends Of<typeof Node> {}

const gv = groupVersion('', 'v1')

export const nodes = gv.resource(Node, { plural: 'nodes', short: ['no'], subresources: ['status', 'proxy'] })
