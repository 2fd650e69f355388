import { fill, list, map, mapList, oneOf, opt, quantity, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { NodeSelector, ObjectReference } from './shared.ts'
import { PersistentVolumeAccessMode, PersistentVolumeClaimSpec, PersistentVolumeMode, PersistentVolumeSource } from './volume.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const PersistentVolumeReclaimPolicy = oneOf('Recycle', 'Delete', 'Retain')
export type PersistentVolumeReclaimPolicy = Of<typeof PersistentVolumeReclaimPolicy>

export const VolumeNodeAffinity = struct('VolumeNodeAffinity', {
  required: opt(1, NodeSelector),
})
export interface VolumeNodeAffinity extends Of<typeof VolumeNodeAffinity> {}

export const PersistentVolumeSpec = struct('PersistentVolumeSpec', {
  capacity: zero(1, map(quantity)),
  persistentVolumeSource: fill(2, PersistentVolumeSource, { inline: true }),
  accessModes: zero(3, list(PersistentVolumeAccessMode)),
  claimRef: opt(4, ObjectReference),
  persistentVolumeReclaimPolicy: zero(5, PersistentVolumeReclaimPolicy),
  storageClassName: zero(6, string),
  mountOptions: zero(7, list(string)),
  volumeMode: opt(8, PersistentVolumeMode),
  nodeAffinity: opt(9, VolumeNodeAffinity),
  volumeAttributesClassName: opt(10, string, { gate: 'VolumeAttributesClass' }),
})
export interface PersistentVolumeSpec extends Of<typeof PersistentVolumeSpec> {}

export const PersistentVolumePhase = oneOf('Pending', 'Available', 'Bound', 'Released', 'Failed')
export type PersistentVolumePhase = Of<typeof PersistentVolumePhase>

export const PersistentVolumeStatus = struct('PersistentVolumeStatus', {
  phase: zero(1, PersistentVolumePhase),
  message: zero(2, string),
  reason: zero(3, string),
  lastPhaseTransitionTime: opt(4, time),
})
export interface PersistentVolumeStatus extends Of<typeof PersistentVolumeStatus> {}

export const PersistentVolume = root('PersistentVolume', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, PersistentVolumeSpec),
  status: fill(3, PersistentVolumeStatus),
})
export interface PersistentVolume extends Of<typeof PersistentVolume> {}

export const ClaimResourceStatus = oneOf('ControllerResizeInProgress', 'ControllerResizeInfeasible', 'NodeResizePending', 'NodeResizeInProgress', 'NodeResizeInfeasible')
export type ClaimResourceStatus = Of<typeof ClaimResourceStatus>

export const PersistentVolumeClaimModifyVolumeStatus = oneOf('Pending', 'InProgress', 'Infeasible')
export type PersistentVolumeClaimModifyVolumeStatus = Of<typeof PersistentVolumeClaimModifyVolumeStatus>

export const ModifyVolumeStatus = struct('ModifyVolumeStatus', {
  targetVolumeAttributesClassName: zero(1, string),
  status: req(2, PersistentVolumeClaimModifyVolumeStatus),
})
export interface ModifyVolumeStatus extends Of<typeof ModifyVolumeStatus> {}

export const PersistentVolumeClaimCondition = struct('PersistentVolumeClaimCondition', {
  type: req(1, string),
  status: req(2, string),
  lastProbeTime: fill(3, time),
  lastTransitionTime: fill(4, time),
  reason: zero(5, string),
  message: zero(6, string),
})
export interface PersistentVolumeClaimCondition extends Of<typeof PersistentVolumeClaimCondition> {}

export const PersistentVolumeClaimPhase = oneOf('Pending', 'Bound', 'Lost')
export type PersistentVolumeClaimPhase = Of<typeof PersistentVolumeClaimPhase>

export const PersistentVolumeClaimStatus = struct('PersistentVolumeClaimStatus', {
  phase: zero(1, PersistentVolumeClaimPhase),
  accessModes: zero(2, list(PersistentVolumeAccessMode)),
  capacity: zero(3, map(quantity)),
  conditions: zero(4, mapList(PersistentVolumeClaimCondition, ['type']), { patch: 'merge', key: 'type' }),
  allocatedResources: zero(5, map(quantity)),
  allocatedResourceStatuses: zero(7, map(ClaimResourceStatus)),
  currentVolumeAttributesClassName: opt(8, string, { gate: 'VolumeAttributesClass' }),
  modifyVolumeStatus: opt(9, ModifyVolumeStatus, { gate: 'VolumeAttributesClass' }),
})
export interface PersistentVolumeClaimStatus extends Of<typeof PersistentVolumeClaimStatus> {}

export const PersistentVolumeClaim = root('PersistentVolumeClaim', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, PersistentVolumeClaimSpec),
  status: fill(3, PersistentVolumeClaimStatus),
})
export interface PersistentVolumeClaim extends Of<typeof PersistentVolumeClaim> {}

const gv = groupVersion('', 'v1')

export const persistentvolumes = gv.resource(PersistentVolume, { plural: 'persistentvolumes', short: ['pv'], subresources: ['status'] })
export const persistentvolumeclaims = gv.resource(PersistentVolumeClaim, { plural: 'persistentvolumeclaims', short: ['pvc'], namespaced: true, subresources: ['status'] })
