import { fill, granular, list, map, mapList, oneOf, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { NodeSelector, ObjectReference } from './shared.ts'
import { PersistentVolumeAccessMode, PersistentVolumeClaimSpec, PersistentVolumeMode, PersistentVolumeSource } from './volume.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const PersistentVolumeReclaimPolicy = oneOf('Recycle', 'Delete', 'Retain')
export type PersistentVolumeReclaimPolicy = Of<typeof PersistentVolumeReclaimPolicy>

export const VolumeNodeAffinity = struct('VolumeNodeAffinity', {
  required: opt(1, NodeSelector, 'What must hold for the node.'),
}, 'Nodes from which a volume can be reached.')
export interface VolumeNodeAffinity extends Of<typeof VolumeNodeAffinity> {}

export const PersistentVolumeSpec = struct('PersistentVolumeSpec', {
  capacity: zero(1, map(quantity), 'How much it holds.'),
  persistentVolumeSource: fill(2, PersistentVolumeSource, { inline: true }),
  accessModes: zero(3, list(PersistentVolumeAccessMode), 'How it can be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.'),
  claimRef: opt(4, granular(ObjectReference), 'The claim it is bound to.'),
  persistentVolumeReclaimPolicy: zero(5, PersistentVolumeReclaimPolicy, 'What becomes of it when its claim is gone: Retain (the default for volumes made by hand), Delete or Recycle.'),
  storageClassName: zero(6, string, 'The class it belongs to.'),
  mountOptions: zero(7, list(string), 'Options for mounting it.'),
  volumeMode: opt(8, PersistentVolumeMode, 'Filesystem (the default) or Block.'),
  nodeAffinity: opt(9, VolumeNodeAffinity, 'Nodes from which it can be reached.'),
  volumeAttributesClassName: opt(10, string, { doc: 'The class of its attributes.', gate: 'VolumeAttributesClass' }),
}, 'What a persistent volume is: exactly one source.')
export interface PersistentVolumeSpec extends Of<typeof PersistentVolumeSpec> {}

export const PersistentVolumePhase = oneOf('Pending', 'Available', 'Bound', 'Released', 'Failed')
export type PersistentVolumePhase = Of<typeof PersistentVolumePhase>

export const PersistentVolumeStatus = struct('PersistentVolumeStatus', {
  phase: zero(1, PersistentVolumePhase, 'Pending, Available, Bound, Released or Failed.'),
  message: zero(2, string, 'Why, for people.'),
  reason: zero(3, string, 'Why, in one word.'),
  lastPhaseTransitionTime: opt(4, time, 'When the phase last changed.'),
}, 'What is known of a persistent volume.')
export interface PersistentVolumeStatus extends Of<typeof PersistentVolumeStatus> {}

export const PersistentVolume = root('PersistentVolume', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, PersistentVolumeSpec, 'What it is.'),
  status: fill(3, PersistentVolumeStatus, 'What is known of it.'),
}, 'A piece of storage of the cluster.')
export interface PersistentVolume extends Of<typeof PersistentVolume> {}

export const ClaimResourceStatus = oneOf('ControllerResizeInProgress', 'ControllerResizeInfeasible', 'NodeResizePending', 'NodeResizeInProgress', 'NodeResizeInfeasible')
export type ClaimResourceStatus = Of<typeof ClaimResourceStatus>

export const PersistentVolumeClaimModifyVolumeStatus = oneOf('Pending', 'InProgress', 'Infeasible')
export type PersistentVolumeClaimModifyVolumeStatus = Of<typeof PersistentVolumeClaimModifyVolumeStatus>

export const ModifyVolumeStatus = struct('ModifyVolumeStatus', {
  targetVolumeAttributesClassName: zero(1, string, 'The class that is wanted.'),
  status: req(2, PersistentVolumeClaimModifyVolumeStatus, 'Pending, InProgress or Infeasible.'),
})
export interface ModifyVolumeStatus extends Of<typeof ModifyVolumeStatus> {}

export const PersistentVolumeClaimCondition = struct('PersistentVolumeClaimCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastProbeTime: fill(3, time, 'When it was last checked.'),
  lastTransitionTime: fill(4, time, 'When the status last changed.'),
  reason: zero(5, string, 'Why, in one word.'),
  message: zero(6, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface PersistentVolumeClaimCondition extends Of<typeof PersistentVolumeClaimCondition> {}

export const PersistentVolumeClaimPhase = oneOf('Pending', 'Bound', 'Lost')
export type PersistentVolumeClaimPhase = Of<typeof PersistentVolumeClaimPhase>

export const PersistentVolumeClaimStatus = struct('PersistentVolumeClaimStatus', {
  phase: zero(1, PersistentVolumeClaimPhase, 'Pending, Bound or Lost.'),
  accessModes: zero(2, list(PersistentVolumeAccessMode), 'How the volume can be mounted.'),
  capacity: zero(3, map(quantity), 'How much the volume holds.'),
  conditions: zero(4, mapList(PersistentVolumeClaimCondition, ['type']), { doc: 'How a change of size stands.', patch: 'merge', key: 'type' }),
  allocatedResources: zero(5, map(quantity), 'The size it is being changed to.'),
  allocatedResourceStatuses: zero(7, map(ClaimResourceStatus), 'How far a resize is, by resource.'),
  currentVolumeAttributesClassName: opt(8, string, { doc: 'The class that the volume has.', gate: 'VolumeAttributesClass' }),
  modifyVolumeStatus: opt(9, ModifyVolumeStatus, { doc: 'How far a change of the class is.', gate: 'VolumeAttributesClass' }),
}, 'What is known of a claim.')
export interface PersistentVolumeClaimStatus extends Of<typeof PersistentVolumeClaimStatus> {}

export const PersistentVolumeClaim = root('PersistentVolumeClaim', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, PersistentVolumeClaimSpec, 'What is wanted.'),
  status: fill(3, PersistentVolumeClaimStatus, 'What is.'),
}, 'A claim for storage, met by a persistent volume.')
export interface PersistentVolumeClaim extends Of<typeof PersistentVolumeClaim> {}

const gv = groupVersion('', 'v1')

export const persistentvolumes = gv.resource(PersistentVolume, { plural: 'persistentvolumes', short: ['pv'], subresources: ['status'] })
export const persistentvolumeclaims = gv.resource(PersistentVolumeClaim, { plural: 'persistentvolumeclaims', short: ['pvc'], namespaced: true, subresources: ['status'] })
