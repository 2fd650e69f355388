import { bool, fill, int32, int64, list, map, mapList, oneOf, opt, quantity, req, root, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { TopologySelectorTerm } from '../core/shared.ts'
import { PersistentVolumeReclaimPolicy, PersistentVolumeSpec } from '../core/storage.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const TokenRequest = struct('TokenRequest', {
  audience: req(1, string, 'Whom the token is for.'),
  expirationSeconds: opt(2, int64, 'How long it holds.'),
})
export interface TokenRequest extends Of<typeof TokenRequest> {}

export const CSIDriverSpec = struct('CSIDriverSpec', {
  attachRequired: opt(1, bool, 'Whether volumes must be attached to a node first. Default true.'),
  podInfoOnMount: opt(2, bool, 'Whether it is told which pod mounts a volume. Default false.'),
  volumeLifecycleModes: zero(3, setOf(string), 'Persistent (the default), Ephemeral.'),
  storageCapacity: opt(4, bool, { doc: 'Whether it says how much room it has.', gate: 'CSIStorageCapacity' }),
  fsGroupPolicy: opt(5, string, 'Whether the group of volumes can be changed.'),
  tokenRequests: zero(6, list(TokenRequest), 'Tokens of the pod it is given.'),
  requiresRepublish: opt(7, bool, 'Whether mounts are refreshed.'),
  seLinuxMount: opt(8, bool, { doc: 'Whether volumes can be mounted with an SELinux label.', gate: 'SELinuxMountReadWriteOncePod' }),
  nodeAllocatableUpdatePeriodSeconds: opt(9, int64, { doc: 'How often the node asks the driver how many volumes there can be.', gate: 'MutableCSINodeAllocatableCount' }),
  serviceAccountTokenInSecrets: opt(10, bool, { doc: 'Tokens are handed over as secrets.', gate: 'CSIServiceAccountTokenSecrets' }),
  preventPodSchedulingIfMissing: opt(11, bool, { doc: 'Pods wait until the driver is on the node.', gate: 'VolumeLimitScaling' }),
}, 'What a driver can do.')
export interface CSIDriverSpec extends Of<typeof CSIDriverSpec> {}

export const CSIDriver = root('CSIDriver', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like; the name is that of the driver.'),
  spec: req(2, CSIDriverSpec, 'What it can do.'),
}, 'A driver for volumes.')
export interface CSIDriver extends Of<typeof CSIDriver> {}

export const VolumeNodeResources = struct('VolumeNodeResources', {
  count: opt(1, int32, 'How many volumes at most.'),
})
export interface VolumeNodeResources extends Of<typeof VolumeNodeResources> {}

export const CSINodeDriver = struct('CSINodeDriver', {
  name: req(1, string, 'Of the driver.'),
  nodeID: req(2, string, 'What the driver calls the node.'),
  topologyKeys: fill(3, list(string), 'The labels by which the driver knows places.'),
  allocatable: opt(4, VolumeNodeResources, 'What the node can take.'),
})
export interface CSINodeDriver extends Of<typeof CSINodeDriver> {}

export const CSINodeSpec = struct('CSINodeSpec', {
  drivers: req(1, mapList(CSINodeDriver, ['name']), { doc: 'The drivers on the node.', patch: 'merge', key: 'name' }),
})
export interface CSINodeSpec extends Of<typeof CSINodeSpec> {}

export const CSINode = root('CSINode', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like; the name is that of the node.'),
  spec: req(2, CSINodeSpec, 'The drivers.'),
}, 'Drivers of a node.')
export interface CSINode extends Of<typeof CSINode> {}

export const CSIStorageCapacity = root('CSIStorageCapacity', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  nodeTopology: opt(2, LabelSelector, 'From which nodes it is reached.'),
  storageClassName: req(3, string, 'The class.'),
  capacity: opt(4, quantity, 'How much room there is.'),
  maximumVolumeSize: opt(5, quantity, 'The largest volume that can be made.'),
}, 'How much room there is for volumes of a class.')
export interface CSIStorageCapacity extends Of<typeof CSIStorageCapacity> {}

export const VolumeBindingMode = oneOf('Immediate', 'WaitForFirstConsumer')
export type VolumeBindingMode = Of<typeof VolumeBindingMode>

export const StorageClass = root('StorageClass', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  provisioner: req(2, string, 'Who makes the volumes.'),
  parameters: zero(3, map(string), 'Settings for who makes them.'),
  reclaimPolicy: opt(4, PersistentVolumeReclaimPolicy, 'What becomes of a volume when its claim is gone: Delete (the default) or Retain.'),
  mountOptions: zero(5, list(string), 'Options for mounting the volumes.'),
  allowVolumeExpansion: opt(6, bool, 'Whether claims can be made larger.'),
  volumeBindingMode: opt(7, VolumeBindingMode, 'Immediate (the default), or WaitForFirstConsumer to wait for a pod.'),
  allowedTopologies: zero(8, list(TopologySelectorTerm), 'Where volumes may be made.'),
}, 'A kind of storage that volumes are made of on demand.')
export interface StorageClass extends Of<typeof StorageClass> {}

export const VolumeAttachmentSource = struct('VolumeAttachmentSource', {
  persistentVolumeName: opt(1, string, 'The volume.'),
  inlineVolumeSpec: opt(2, PersistentVolumeSpec, 'The volume itself, for in-tree ones.'),
})
export interface VolumeAttachmentSource extends Of<typeof VolumeAttachmentSource> {}

export const VolumeAttachmentSpec = struct('VolumeAttachmentSpec', {
  attacher: req(1, string, 'The driver that does it.'),
  source: req(2, VolumeAttachmentSource, 'The volume.'),
  nodeName: req(3, string, 'The node.'),
}, 'What is to be attached where.')
export interface VolumeAttachmentSpec extends Of<typeof VolumeAttachmentSpec> {}

export const VolumeError = struct('VolumeError', {
  time: fill(1, time, 'When.'),
  message: zero(2, string, 'What went wrong.'),
  errorCode: opt(3, int32, { doc: 'As gRPC has it.', gate: 'MutableCSINodeAllocatableCount' }),
})
export interface VolumeError extends Of<typeof VolumeError> {}

export const VolumeAttachmentStatus = struct('VolumeAttachmentStatus', {
  attached: req(1, bool, 'Whether it is.'),
  attachmentMetadata: zero(2, map(string), 'What the driver said of it.'),
  attachError: opt(3, VolumeError, 'What went wrong when attaching.'),
  detachError: opt(4, VolumeError, 'What went wrong when detaching.'),
}, 'Whether it is attached.')
export interface VolumeAttachmentStatus extends Of<typeof VolumeAttachmentStatus> {}

export const VolumeAttachment = root('VolumeAttachment', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, VolumeAttachmentSpec, 'What is wanted.'),
  status: fill(3, VolumeAttachmentStatus, 'What is.'),
}, 'A volume that is to be attached to a node.')
export interface VolumeAttachment extends Of<typeof VolumeAttachment> {}

export const VolumeAttributesClass = root('VolumeAttributesClass', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  driverName: req(2, string, 'The driver they are for.'),
  parameters: zero(3, map(string), 'The attributes.'),
}, 'A kind of attributes that volumes can be given.')
export interface VolumeAttributesClass extends Of<typeof VolumeAttributesClass> {}

const gv = groupVersion('storage.k8s.io', 'v1')

export const csidrivers = gv.resource(CSIDriver, { plural: 'csidrivers' })
export const csinodes = gv.resource(CSINode, { plural: 'csinodes' })
export const csistoragecapacities = gv.resource(CSIStorageCapacity, { plural: 'csistoragecapacities', namespaced: true })
export const storageclasses = gv.resource(StorageClass, { plural: 'storageclasses', short: ['sc'] })
export const volumeattachments = gv.resource(VolumeAttachment, { plural: 'volumeattachments', subresources: ['status'] })
export const volumeattributesclasses = gv.resource(VolumeAttributesClass, { plural: 'volumeattributesclasses', short: ['vac'] })
