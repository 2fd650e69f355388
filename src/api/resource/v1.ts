import { bool, fill, int64, list, map, mapList, oneOf, opt, quantity, rawExtension, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { NodeSelector } from '../core/shared.ts'
import { Condition, ObjectMeta } from '../meta/meta.ts'

export const NetworkDeviceData = struct('NetworkDeviceData', {
  interfaceName: zero(1, string),
  ips: zero(2, list(string)),
  hardwareAddress: zero(3, string),
})
export interface NetworkDeviceData extends Of<typeof NetworkDeviceData> {}

export const AllocatedDeviceStatus = struct('AllocatedDeviceStatus', {
  driver: req(1, string),
  pool: req(2, string),
  device: req(3, string),
  shareID: opt(7, string, { gate: 'DRAConsumableCapacity' }),
  conditions: fill(4, mapList(Condition, ['type'])),
  data: opt(5, rawExtension),
  networkData: opt(6, NetworkDeviceData),
})
export interface AllocatedDeviceStatus extends Of<typeof AllocatedDeviceStatus> {}

export const AllocationConfigSource = oneOf('FromClass', 'FromClaim')
export type AllocationConfigSource = Of<typeof AllocationConfigSource>

export const OpaqueDeviceConfiguration = struct('OpaqueDeviceConfiguration', {
  driver: req(1, string),
  parameters: req(2, rawExtension),
})
export interface OpaqueDeviceConfiguration extends Of<typeof OpaqueDeviceConfiguration> {}

export const DeviceConfiguration = struct('DeviceConfiguration', {
  opaque: opt(1, OpaqueDeviceConfiguration),
})
export interface DeviceConfiguration extends Of<typeof DeviceConfiguration> {}

export const DeviceAllocationConfiguration = struct('DeviceAllocationConfiguration', {
  source: req(1, AllocationConfigSource),
  requests: zero(2, list(string)),
  deviceConfiguration: fill(3, DeviceConfiguration, { inline: true }),
})
export interface DeviceAllocationConfiguration extends Of<typeof DeviceAllocationConfiguration> {}

export const DeviceTaintEffect = oneOf('None', 'NoSchedule', 'NoExecute')
export type DeviceTaintEffect = Of<typeof DeviceTaintEffect>

export const DeviceTolerationOperator = oneOf('Exists', 'Equal')
export type DeviceTolerationOperator = Of<typeof DeviceTolerationOperator>

export const DeviceToleration = struct('DeviceToleration', {
  key: zero(1, string),
  operator: zero(2, DeviceTolerationOperator, { default: 'Equal' }),
  value: zero(3, string),
  effect: zero(4, DeviceTaintEffect),
  tolerationSeconds: opt(5, int64),
})
export interface DeviceToleration extends Of<typeof DeviceToleration> {}

export const DeviceRequestAllocationResult = struct('DeviceRequestAllocationResult', {
  request: req(1, string),
  driver: req(2, string),
  pool: req(3, string),
  device: req(4, string),
  adminAccess: opt(5, bool, { gate: 'DRAAdminAccess' }),
  tolerations: zero(6, list(DeviceToleration), { gate: 'DRADeviceTaints' }),
  bindingConditions: zero(7, list(string), { gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  bindingFailureConditions: zero(8, list(string), { gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  shareID: opt(9, string, { gate: 'DRAConsumableCapacity' }),
  consumedCapacity: zero(10, map(quantity), { gate: 'DRAConsumableCapacity' }),
})
export interface DeviceRequestAllocationResult extends Of<typeof DeviceRequestAllocationResult> {}

export const DeviceAllocationResult = struct('DeviceAllocationResult', {
  results: zero(1, list(DeviceRequestAllocationResult)),
  config: zero(2, list(DeviceAllocationConfiguration)),
})
export interface DeviceAllocationResult extends Of<typeof DeviceAllocationResult> {}

export const AllocationResult = struct('AllocationResult', {
  devices: fill(1, DeviceAllocationResult),
  nodeSelector: opt(3, NodeSelector),
  allocationTimestamp: opt(5, time, { gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
})
export interface AllocationResult extends Of<typeof AllocationResult> {}

export const CELDeviceSelector = struct('CELDeviceSelector', {
  expression: req(1, string),
})
export interface CELDeviceSelector extends Of<typeof CELDeviceSelector> {}

export const CapacityRequestPolicyRange = struct('CapacityRequestPolicyRange', {
  min: opt(1, quantity, { required: true }),
  max: opt(2, quantity),
  step: opt(3, quantity),
})
export interface CapacityRequestPolicyRange extends Of<typeof CapacityRequestPolicyRange> {}

export const CapacityRequestPolicy = struct('CapacityRequestPolicy', {
  default: opt(1, quantity),
  validValues: zero(3, list(quantity)),
  validRange: opt(4, CapacityRequestPolicyRange),
})
export interface CapacityRequestPolicy extends Of<typeof CapacityRequestPolicy> {}

export const CapacityRequirements = struct('CapacityRequirements', {
  requests: zero(1, map(quantity)),
})
export interface CapacityRequirements extends Of<typeof CapacityRequirements> {}

export const Counter = struct('Counter', {
  value: req(1, quantity),
})
export interface Counter extends Of<typeof Counter> {}

export const CounterSet = struct('CounterSet', {
  name: req(1, string),
  counters: zero(2, map(Counter), { required: true }),
})
export interface CounterSet extends Of<typeof CounterSet> {}

export const DeviceAttribute = struct('DeviceAttribute', {
  int: opt(2, int64),
  bool: opt(3, bool),
  string: opt(4, string),
  version: opt(5, string),
  ints: zero(6, list(int64), { gate: 'DRAListTypeAttributes' }),
  bools: zero(7, list(bool), { gate: 'DRAListTypeAttributes' }),
  strings: zero(8, list(string), { gate: 'DRAListTypeAttributes' }),
  versions: zero(9, list(string), { gate: 'DRAListTypeAttributes' }),
})
export interface DeviceAttribute extends Of<typeof DeviceAttribute> {}

export const DeviceCapacity = struct('DeviceCapacity', {
  value: req(1, quantity),
  requestPolicy: opt(2, CapacityRequestPolicy, { gate: 'DRAConsumableCapacity' }),
})
export interface DeviceCapacity extends Of<typeof DeviceCapacity> {}

export const DeviceCounterConsumption = struct('DeviceCounterConsumption', {
  counterSet: req(1, string),
  counters: zero(2, map(Counter), { required: true }),
})
export interface DeviceCounterConsumption extends Of<typeof DeviceCounterConsumption> {}

export const DeviceTaint = struct('DeviceTaint', {
  key: req(1, string),
  value: zero(2, string),
  effect: req(3, DeviceTaintEffect),
  timeAdded: opt(4, time),
})
export interface DeviceTaint extends Of<typeof DeviceTaint> {}

export const NodeAllocatableResourceMapping = struct('NodeAllocatableResourceMapping', {
  capacityKey: opt(1, string),
  allocationMultiplier: opt(2, quantity),
})
export interface NodeAllocatableResourceMapping extends Of<typeof NodeAllocatableResourceMapping> {}

export const Device = struct('Device', {
  name: req(1, string),
  attributes: zero(2, map(DeviceAttribute)),
  capacity: zero(3, map(DeviceCapacity)),
  consumesCounters: zero(4, list(DeviceCounterConsumption), { gate: 'DRAPartitionableDevices' }),
  nodeName: opt(5, string, { gate: 'DRAPartitionableDevices' }),
  nodeSelector: opt(6, NodeSelector, { gate: 'DRAPartitionableDevices' }),
  allNodes: opt(7, bool, { gate: 'DRAPartitionableDevices' }),
  taints: zero(8, list(DeviceTaint), { gate: 'DRADeviceTaints' }),
  bindsToNode: opt(9, bool, { gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  bindingConditions: zero(10, list(string), { gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  bindingFailureConditions: zero(11, list(string), { gate: 'DRADeviceBindingConditions,DRAResourceClaimDeviceStatus' }),
  allowMultipleAllocations: opt(12, bool, { gate: 'DRAConsumableCapacity' }),
  nodeAllocatableResourceMappings: zero(13, map(NodeAllocatableResourceMapping), { gate: 'DRANodeAllocatableResources' }),
})
export interface Device extends Of<typeof Device> {}

export const DeviceClaimConfiguration = struct('DeviceClaimConfiguration', {
  requests: zero(1, list(string)),
  deviceConfiguration: fill(2, DeviceConfiguration, { inline: true }),
})
export interface DeviceClaimConfiguration extends Of<typeof DeviceClaimConfiguration> {}

export const DeviceConstraint = struct('DeviceConstraint', {
  requests: zero(1, list(string)),
  matchAttribute: opt(2, string),
  distinctAttribute: opt(3, string, { gate: 'DRAConsumableCapacity' }),
})
export interface DeviceConstraint extends Of<typeof DeviceConstraint> {}

export const DeviceSelector = struct('DeviceSelector', {
  cel: opt(1, CELDeviceSelector),
})
export interface DeviceSelector extends Of<typeof DeviceSelector> {}

export const DeviceSubRequest = struct('DeviceSubRequest', {
  name: req(1, string),
  deviceClassName: req(2, string),
  selectors: zero(3, list(DeviceSelector)),
  allocationMode: zero(4, string),
  count: zero(5, int64),
  tolerations: zero(6, list(DeviceToleration), { gate: 'DRADeviceTaints' }),
  capacity: opt(7, CapacityRequirements, { gate: 'DRAConsumableCapacity' }),
})
export interface DeviceSubRequest extends Of<typeof DeviceSubRequest> {}

export const ExactDeviceRequest = struct('ExactDeviceRequest', {
  deviceClassName: req(1, string, 'The class of the devices.'),
  selectors: zero(2, list(DeviceSelector), 'What must hold for each device.'),
  allocationMode: zero(3, string, 'ExactCount (the default) or All.'),
  count: zero(4, int64, 'How many. Default 1.'),
  adminAccess: opt(5, bool, { gate: 'DRAAdminAccess' }),
  tolerations: zero(6, list(DeviceToleration), { gate: 'DRADeviceTaints' }),
  capacity: opt(7, CapacityRequirements, { gate: 'DRAConsumableCapacity' }),
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
  selectors: zero(1, list(DeviceSelector)),
  config: zero(2, list(DeviceClassConfiguration)),
  extendedResourceName: opt(4, string, { gate: 'DRAExtendedResource' }),
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
  apiGroup: zero(1, string),
  resource: req(3, string),
  name: req(4, string),
  uid: req(5, string),
})
export interface ResourceClaimConsumerReference extends Of<typeof ResourceClaimConsumerReference> {}

export const ResourceClaimStatus = struct('ResourceClaimStatus', {
  allocation: opt(1, AllocationResult),
  reservedFor: zero(2, mapList(ResourceClaimConsumerReference, ['uid']), { patch: 'merge', key: 'uid' }),
  devices: zero(4, mapList(AllocatedDeviceStatus, ['driver', 'device', 'pool', 'shareID']), { gate: 'DRAResourceClaimDeviceStatus' }),
})
export interface ResourceClaimStatus extends Of<typeof ResourceClaimStatus> {}

export const ResourceClaim = root('ResourceClaim', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, ResourceClaimSpec, 'What is wanted.'),
  status: fill(3, ResourceClaimStatus, 'What is, reported by the system.'),
}, 'A claim for devices.')
export interface ResourceClaim extends Of<typeof ResourceClaim> {}

export const ResourceClaimTemplateSpec = struct('ResourceClaimTemplateSpec', {
  metadata: fill(1, ObjectMeta),
  spec: req(2, ResourceClaimSpec),
})
export interface ResourceClaimTemplateSpec extends Of<typeof ResourceClaimTemplateSpec> {}

export const ResourceClaimTemplate = root('ResourceClaimTemplate', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, ResourceClaimTemplateSpec, 'What is wanted.'),
}, 'What the claims of pods look like.')
export interface ResourceClaimTemplate extends Of<typeof ResourceClaimTemplate> {}

export const ResourcePool = struct('ResourcePool', {
  name: req(1, string),
  generation: req(2, int64),
  resourceSliceCount: req(3, int64),
})
export interface ResourcePool extends Of<typeof ResourcePool> {}

export const ResourceSliceSpec = struct('ResourceSliceSpec', {
  driver: req(1, string),
  pool: req(2, ResourcePool),
  nodeName: opt(3, string),
  nodeSelector: opt(4, NodeSelector),
  allNodes: opt(5, bool),
  devices: zero(6, list(Device)),
  perDeviceNodeSelection: opt(7, bool, { gate: 'DRAPartitionableDevices' }),
  sharedCounters: zero(8, list(CounterSet), { gate: 'DRAPartitionableDevices' }),
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
