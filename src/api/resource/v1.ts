import { bool, fill, int64, list, map, mapList, oneOf, opt, quantity, rawExtension, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { NodeSelector } from '../core/shared.ts'
import { Condition, ObjectMeta } from '../meta/meta.ts'

export const NetworkDeviceData = struct('NetworkDeviceData', {
  interfaceName: zero(1, string, 'Of the network interface.'),
  ips: zero(2, list(string), 'Its addresses, with the length of their prefix.'),
  hardwareAddress: zero(3, string, 'Its hardware address.'),
})
export interface NetworkDeviceData extends Of<typeof NetworkDeviceData> {}

export const AllocatedDeviceStatus = struct('AllocatedDeviceStatus', {
  driver: req(1, string, 'The driver that looks after it.'),
  pool: req(2, string, 'The pool it is in.'),
  device: req(3, string, 'Its name in the pool.'),
  shareID: opt(7, string, { doc: 'Which share of it.', gate: 'DRAConsumableCapacity' }),
  conditions: fill(4, mapList(Condition, ['type']), 'What is true of it at the moment, by type.'),
  data: opt(5, rawExtension, 'What the driver has to say.'),
  networkData: opt(6, NetworkDeviceData, 'Of a network device.'),
})
export interface AllocatedDeviceStatus extends Of<typeof AllocatedDeviceStatus> {}

export const AllocationConfigSource = oneOf('FromClass', 'FromClaim')
export type AllocationConfigSource = Of<typeof AllocationConfigSource>

export const OpaqueDeviceConfiguration = struct('OpaqueDeviceConfiguration', {
  driver: req(1, string, 'The driver that understands it.'),
  parameters: req(2, rawExtension, 'What the driver is told.'),
})
export interface OpaqueDeviceConfiguration extends Of<typeof OpaqueDeviceConfiguration> {}

export const DeviceConfiguration = struct('DeviceConfiguration', {
  opaque: opt(1, OpaqueDeviceConfiguration, 'For one driver.'),
})
export interface DeviceConfiguration extends Of<typeof DeviceConfiguration> {}

export const DeviceAllocationConfiguration = struct('DeviceAllocationConfiguration', {
  source: req(1, AllocationConfigSource, 'FromClass or FromClaim: who asked for it.'),
  requests: zero(2, list(string), 'Which requests it is for; empty is all.'),
  deviceConfiguration: fill(3, DeviceConfiguration, { inline: true }),
})
export interface DeviceAllocationConfiguration extends Of<typeof DeviceAllocationConfiguration> {}

export const DeviceTaintEffect = oneOf('None', 'NoSchedule', 'NoExecute')
export type DeviceTaintEffect = Of<typeof DeviceTaintEffect>

export const DeviceTolerationOperator = oneOf('Exists', 'Equal')
export type DeviceTolerationOperator = Of<typeof DeviceTolerationOperator>

export const DeviceToleration = struct('DeviceToleration', {
  key: zero(1, string, 'Of the taint; empty is every one.'),
  operator: zero(2, DeviceTolerationOperator, { doc: 'Exists or Equal.', default: 'Equal' }),
  value: zero(3, string, 'Of the taint.'),
  effect: zero(4, DeviceTaintEffect, 'Of the taint; empty is every one.'),
  tolerationSeconds: opt(5, int64, 'How long a NoExecute is put up with.'),
})
export interface DeviceToleration extends Of<typeof DeviceToleration> {}

export const DeviceRequestAllocationResult = struct('DeviceRequestAllocationResult', {
  request: req(1, string, 'The request that it answers.'),
  driver: req(2, string, 'The driver that looks after it.'),
  pool: req(3, string, 'The pool it is in.'),
  device: req(4, string, 'Its name in the pool.'),
  adminAccess: opt(5, bool, { doc: 'Others may use it at the same time; for administrators.', gate: 'DRAAdminAccess' }),
  tolerations: zero(6, list(DeviceToleration), { doc: 'Taints that are put up with.', gate: 'DRADeviceTaints' }),
  bindingConditions: zero(7, list(string), { doc: 'Must be true before the pod is bound.', gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  bindingFailureConditions: zero(8, list(string), { doc: 'The allocation is given up when one is true.', gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  shareID: opt(9, string, { doc: 'Which share of it.', gate: 'DRAConsumableCapacity' }),
  consumedCapacity: zero(10, map(quantity), { doc: 'How much of its capacity is taken.', gate: 'DRAConsumableCapacity' }),
})
export interface DeviceRequestAllocationResult extends Of<typeof DeviceRequestAllocationResult> {}

export const DeviceAllocationResult = struct('DeviceAllocationResult', {
  results: zero(1, list(DeviceRequestAllocationResult), 'The devices.'),
  config: zero(2, list(DeviceAllocationConfiguration), 'What their drivers are told.'),
})
export interface DeviceAllocationResult extends Of<typeof DeviceAllocationResult> {}

export const AllocationResult = struct('AllocationResult', {
  devices: fill(1, DeviceAllocationResult, 'The devices that were allocated.'),
  nodeSelector: opt(3, NodeSelector, 'The nodes from which they can be used.'),
  allocationTimestamp: opt(5, time, { doc: 'When.', gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
})
export interface AllocationResult extends Of<typeof AllocationResult> {}

export const CELDeviceSelector = struct('CELDeviceSelector', {
  expression: req(1, string, 'A CEL expression over device that must be true.'),
})
export interface CELDeviceSelector extends Of<typeof CELDeviceSelector> {}

export const CapacityRequestPolicyRange = struct('CapacityRequestPolicyRange', {
  min: opt(1, quantity, { doc: 'The least that can be taken.', required: true }),
  max: opt(2, quantity, 'The most that can be taken.'),
  step: opt(3, quantity, 'Only in such steps.'),
})
export interface CapacityRequestPolicyRange extends Of<typeof CapacityRequestPolicyRange> {}

export const CapacityRequestPolicy = struct('CapacityRequestPolicy', {
  default: opt(1, quantity, 'Taken where a request says nothing.'),
  validValues: zero(3, list(quantity), 'What can be taken.'),
  validRange: opt(4, CapacityRequestPolicyRange, 'The range of what can be taken.'),
})
export interface CapacityRequestPolicy extends Of<typeof CapacityRequestPolicy> {}

export const CapacityRequirements = struct('CapacityRequirements', {
  requests: zero(1, map(quantity), 'How much, by name.'),
})
export interface CapacityRequirements extends Of<typeof CapacityRequirements> {}

export const Counter = struct('Counter', {
  value: req(1, quantity, 'How much there is.'),
})
export interface Counter extends Of<typeof Counter> {}

export const CounterSet = struct('CounterSet', {
  name: req(1, string, 'Of the set.'),
  counters: zero(2, map(Counter), { doc: 'What is counted.', required: true }),
})
export interface CounterSet extends Of<typeof CounterSet> {}

export const DeviceAttribute = struct('DeviceAttribute', {
  int: opt(2, int64, 'A number.'),
  bool: opt(3, bool, 'True or false.'),
  string: opt(4, string, 'Text.'),
  version: opt(5, string, 'A semantic version.'),
  ints: zero(6, list(int64), { doc: 'Numbers.', gate: 'DRAListTypeAttributes' }),
  bools: zero(7, list(bool), { doc: 'True or false, several.', gate: 'DRAListTypeAttributes' }),
  strings: zero(8, list(string), { doc: 'Texts.', gate: 'DRAListTypeAttributes' }),
  versions: zero(9, list(string), { doc: 'Semantic versions.', gate: 'DRAListTypeAttributes' }),
})
export interface DeviceAttribute extends Of<typeof DeviceAttribute> {}

export const DeviceCapacity = struct('DeviceCapacity', {
  value: req(1, quantity, 'How much there is.'),
  requestPolicy: opt(2, CapacityRequestPolicy, { doc: 'How it can be shared.', gate: 'DRAConsumableCapacity' }),
})
export interface DeviceCapacity extends Of<typeof DeviceCapacity> {}

export const DeviceCounterConsumption = struct('DeviceCounterConsumption', {
  counterSet: req(1, string, 'Of which set.'),
  counters: zero(2, map(Counter), { doc: 'How much of each.', required: true }),
})
export interface DeviceCounterConsumption extends Of<typeof DeviceCounterConsumption> {}

export const DeviceTaint = struct('DeviceTaint', {
  key: req(1, string, 'Its name.'),
  value: zero(2, string, 'Its value.'),
  effect: req(3, DeviceTaintEffect, 'None, NoSchedule or NoExecute.'),
  timeAdded: opt(4, time, 'When it was added.'),
})
export interface DeviceTaint extends Of<typeof DeviceTaint> {}

export const NodeAllocatableResourceMapping = struct('NodeAllocatableResourceMapping', {
  capacityKey: opt(1, string, 'The capacity that stands for it.'),
  allocationMultiplier: opt(2, quantity, 'How much of the node one unit takes.'),
})
export interface NodeAllocatableResourceMapping extends Of<typeof NodeAllocatableResourceMapping> {}

export const Device = struct('Device', {
  name: req(1, string, 'Unique in the pool.'),
  attributes: zero(2, map(DeviceAttribute), 'What it is like.'),
  capacity: zero(3, map(DeviceCapacity), 'How much it has of what.'),
  consumesCounters: zero(4, list(DeviceCounterConsumption), { doc: 'What it takes of counters that devices share.', gate: 'DRAPartitionableDevices' }),
  nodeName: opt(5, string, { doc: 'The node it can be used from.', gate: 'DRAPartitionableDevices' }),
  nodeSelector: opt(6, NodeSelector, { doc: 'The nodes it can be used from.', gate: 'DRAPartitionableDevices' }),
  allNodes: opt(7, bool, { doc: 'It can be used from every node.', gate: 'DRAPartitionableDevices' }),
  taints: zero(8, list(DeviceTaint), { doc: 'Keep requests away that do not put up with them.', gate: 'DRADeviceTaints' }),
  bindsToNode: opt(9, bool, { doc: 'A claim that uses it is bound to one node.', gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  bindingConditions: zero(10, list(string), { doc: 'Must be true before a pod is bound.', gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  bindingFailureConditions: zero(11, list(string), { doc: 'The allocation is given up when one is true.', gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  allowMultipleAllocations: opt(12, bool, { doc: 'Several requests may share it.', gate: 'DRAConsumableCapacity' }),
  nodeAllocatableResourceMappings: zero(13, map(NodeAllocatableResourceMapping), { doc: 'What it takes of the resources of the node.', gate: 'DRANodeAllocatableResources' }),
})
export interface Device extends Of<typeof Device> {}

export const DeviceClaimConfiguration = struct('DeviceClaimConfiguration', {
  requests: zero(1, list(string), 'Which requests it is for; empty is all.'),
  deviceConfiguration: fill(2, DeviceConfiguration, { inline: true }),
})
export interface DeviceClaimConfiguration extends Of<typeof DeviceClaimConfiguration> {}

export const DeviceConstraint = struct('DeviceConstraint', {
  requests: zero(1, list(string), 'Which requests it is about; empty is all.'),
  matchAttribute: opt(2, string, 'All devices have the same value of it.'),
  distinctAttribute: opt(3, string, { doc: 'No two devices have the same value of it.', gate: 'DRAConsumableCapacity' }),
})
export interface DeviceConstraint extends Of<typeof DeviceConstraint> {}

export const DeviceSelector = struct('DeviceSelector', {
  cel: opt(1, CELDeviceSelector, 'An expression.'),
})
export interface DeviceSelector extends Of<typeof DeviceSelector> {}

export const DeviceSubRequest = struct('DeviceSubRequest', {
  name: req(1, string, 'Unique among them.'),
  deviceClassName: req(2, string, 'The class of the devices.'),
  selectors: zero(3, list(DeviceSelector), 'Must all hold of a device.'),
  allocationMode: zero(4, string, 'ExactCount or All.'),
  count: zero(5, int64, 'How many; 1 when left out.'),
  tolerations: zero(6, list(DeviceToleration), { doc: 'Taints that are put up with.', gate: 'DRADeviceTaints' }),
  capacity: opt(7, CapacityRequirements, { doc: 'How much of each device.', gate: 'DRAConsumableCapacity' }),
})
export interface DeviceSubRequest extends Of<typeof DeviceSubRequest> {}

export const ExactDeviceRequest = struct('ExactDeviceRequest', {
  deviceClassName: req(1, string, 'The class of the devices.'),
  selectors: zero(2, list(DeviceSelector), 'What must hold for each device.'),
  allocationMode: zero(3, string, 'ExactCount (the default) or All.'),
  count: zero(4, int64, 'How many. Default 1.'),
  adminAccess: opt(5, bool, { doc: 'Others may use them at the same time; for administrators.', gate: 'DRAAdminAccess' }),
  tolerations: zero(6, list(DeviceToleration), { doc: 'Taints that are put up with.', gate: 'DRADeviceTaints' }),
  capacity: opt(7, CapacityRequirements, { doc: 'How much of each device.', gate: 'DRAConsumableCapacity' }),
}, 'What is asked for.')
export interface ExactDeviceRequest extends Of<typeof ExactDeviceRequest> {}

export const DeviceRequest = struct('DeviceRequest', {
  name: req(1, string, 'Its name.'),
  exactly: opt(2, ExactDeviceRequest, 'What is asked for.'),
  firstAvailable: zero(3, list(DeviceSubRequest), { doc: 'What is asked for, the best first.', gate: 'DRAPrioritizedList' }),
}, 'One request: one of exactly and firstAvailable.')
export interface DeviceRequest extends Of<typeof DeviceRequest> {}

export const DeviceClaim = struct('DeviceClaim', {
  requests: fill(1, list(DeviceRequest), 'What is asked for.'),
  constraints: zero(2, list(DeviceConstraint), 'What must hold between the devices.'),
  config: zero(3, list(DeviceClaimConfiguration), 'Settings for the drivers.'),
}, 'Devices that are claimed.')
export interface DeviceClaim extends Of<typeof DeviceClaim> {}

export const DeviceClassConfiguration = struct('DeviceClassConfiguration', {
  deviceConfiguration: fill(1, DeviceConfiguration, { inline: true }),
})
export interface DeviceClassConfiguration extends Of<typeof DeviceClassConfiguration> {}

export const DeviceClassSpec = struct('DeviceClassSpec', {
  selectors: zero(1, list(DeviceSelector), 'Must all hold of a device.'),
  config: zero(2, list(DeviceClassConfiguration), 'What drivers are told.'),
  extendedResourceName: opt(4, string, { doc: 'The extended resource that the class stands for.', gate: 'DRAExtendedResource' }),
})
export interface DeviceClassSpec extends Of<typeof DeviceClassSpec> {}

export const DeviceClass = root('DeviceClass', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, DeviceClassSpec, 'What is wanted.'),
}, 'A kind of devices.')
export interface DeviceClass extends Of<typeof DeviceClass> {}

export const ResourceClaimSpec = struct('ResourceClaimSpec', {
  devices: fill(1, DeviceClaim, 'The devices.'),
}, 'What is claimed.')
export interface ResourceClaimSpec extends Of<typeof ResourceClaimSpec> {}

export const ResourceClaimConsumerReference = struct('ResourceClaimConsumerReference', {
  apiGroup: zero(1, string, 'Empty for the core group.'),
  resource: req(3, string, 'pods, mostly.'),
  name: req(4, string, 'Of the object.'),
  uid: req(5, string, 'Of the object.'),
})
export interface ResourceClaimConsumerReference extends Of<typeof ResourceClaimConsumerReference> {}

export const ResourceClaimStatus = struct('ResourceClaimStatus', {
  allocation: opt(1, AllocationResult, 'What was allocated.'),
  reservedFor: zero(2, mapList(ResourceClaimConsumerReference, ['uid']), { doc: 'Who may use it now.', patch: 'merge', key: 'uid' }),
  devices: zero(4, mapList(AllocatedDeviceStatus, ['driver', 'device', 'pool', 'shareID']), { doc: 'What drivers say of the devices.', gate: 'DRAResourceClaimDeviceStatus' }),
})
export interface ResourceClaimStatus extends Of<typeof ResourceClaimStatus> {}

export const ResourceClaim = root('ResourceClaim', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, ResourceClaimSpec, 'What is wanted.'),
  status: fill(3, ResourceClaimStatus, 'What is, reported by the system.'),
}, 'A claim for devices.')
export interface ResourceClaim extends Of<typeof ResourceClaim> {}

export const ResourceClaimTemplateSpec = struct('ResourceClaimTemplateSpec', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  spec: req(2, ResourceClaimSpec, 'Of the claims that are made.'),
})
export interface ResourceClaimTemplateSpec extends Of<typeof ResourceClaimTemplateSpec> {}

export const ResourceClaimTemplate = root('ResourceClaimTemplate', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, ResourceClaimTemplateSpec, 'What is wanted.'),
}, 'What the claims of pods look like.')
export interface ResourceClaimTemplate extends Of<typeof ResourceClaimTemplate> {}

export const ResourcePool = struct('ResourcePool', {
  name: req(1, string, 'Of the pool.'),
  generation: req(2, int64, 'Goes up when the pool changes; older slices are ignored.'),
  resourceSliceCount: req(3, int64, 'How many slices the pool has in this generation.'),
})
export interface ResourcePool extends Of<typeof ResourcePool> {}

export const ResourceSliceSpec = struct('ResourceSliceSpec', {
  driver: req(1, string, 'Whose devices they are.'),
  pool: req(2, ResourcePool, 'The pool they are in.'),
  nodeName: opt(3, string, 'The node they can be used from.'),
  nodeSelector: opt(4, NodeSelector, 'The nodes they can be used from.'),
  allNodes: opt(5, bool, 'They can be used from every node.'),
  devices: zero(6, list(Device), 'The devices.'),
  perDeviceNodeSelection: opt(7, bool, { doc: 'Each device says by itself from where it can be used.', gate: 'DRAPartitionableDevices' }),
  sharedCounters: zero(8, list(CounterSet), { doc: 'What devices share.', gate: 'DRAPartitionableDevices' }),
})
export interface ResourceSliceSpec extends Of<typeof ResourceSliceSpec> {}

export const ResourceSlice = root('ResourceSlice', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, ResourceSliceSpec, 'What is wanted.'),
}, 'Devices that a driver offers.')
export interface ResourceSlice extends Of<typeof ResourceSlice> {}

const gv = groupVersion('resource.k8s.io', 'v1')

export const deviceclasses = gv.resource(DeviceClass, { plural: 'deviceclasses' })
export const resourceclaims = gv.resource(ResourceClaim, { plural: 'resourceclaims', namespaced: true, subresources: ['status'] })
export const resourceclaimtemplates = gv.resource(ResourceClaimTemplate, { plural: 'resourceclaimtemplates', namespaced: true })
export const resourceslices = gv.resource(ResourceSlice, { plural: 'resourceslices' })
