import { bool, fill, int32, int64, intOrString, list, mapList, must, oneOf, opt, rawExtension, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { PodTemplateSpec } from '../core/pod.ts'
import { PersistentVolumeClaim } from '../core/storage.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ControllerRevision = root('ControllerRevision', {
  metadata: fill(1, ObjectMeta),
  data: fill(2, rawExtension),
  revision: req(3, int64),
})
export interface ControllerRevision extends Of<typeof ControllerRevision> {}

export const DaemonSetUpdateStrategyType = oneOf('RollingUpdate', 'OnDelete')
export type DaemonSetUpdateStrategyType = Of<typeof DaemonSetUpdateStrategyType>

export const RollingUpdateDaemonSet = struct('RollingUpdateDaemonSet', {
  maxUnavailable: opt(1, intOrString),
  maxSurge: opt(2, intOrString),
})
export interface RollingUpdateDaemonSet extends Of<typeof RollingUpdateDaemonSet> {}

export const DaemonSetUpdateStrategy = struct('DaemonSetUpdateStrategy', {
  type: zero(1, DaemonSetUpdateStrategyType),
  rollingUpdate: opt(2, RollingUpdateDaemonSet),
})
export interface DaemonSetUpdateStrategy extends Of<typeof DaemonSetUpdateStrategy> {}

export const DaemonSetSpec = struct('DaemonSetSpec', {
  selector: must(1, LabelSelector),
  template: req(2, PodTemplateSpec),
  updateStrategy: fill(3, DaemonSetUpdateStrategy),
  minReadySeconds: zero(4, int32),
  revisionHistoryLimit: opt(6, int32),
})
export interface DaemonSetSpec extends Of<typeof DaemonSetSpec> {}

export const DaemonSetCondition = struct('DaemonSetCondition', {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: fill(3, time),
  reason: zero(4, string),
  message: zero(5, string),
})
export interface DaemonSetCondition extends Of<typeof DaemonSetCondition> {}

export const DaemonSetStatus = struct('DaemonSetStatus', {
  currentNumberScheduled: req(1, int32),
  numberMisscheduled: req(2, int32),
  desiredNumberScheduled: req(3, int32),
  numberReady: req(4, int32),
  observedGeneration: zero(5, int64),
  updatedNumberScheduled: zero(6, int32),
  numberAvailable: zero(7, int32),
  numberUnavailable: zero(8, int32),
  collisionCount: opt(9, int32),
  conditions: zero(10, mapList(DaemonSetCondition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface DaemonSetStatus extends Of<typeof DaemonSetStatus> {}

export const DaemonSet = root('DaemonSet', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, DaemonSetSpec),
  status: fill(3, DaemonSetStatus),
})
export interface DaemonSet extends Of<typeof DaemonSet> {}

export const DeploymentStrategyType = oneOf('Recreate', 'RollingUpdate')
export type DeploymentStrategyType = Of<typeof DeploymentStrategyType>

export const RollingUpdateDeployment = struct('RollingUpdateDeployment', {
  maxUnavailable: opt(1, intOrString),
  maxSurge: opt(2, intOrString),
})
export interface RollingUpdateDeployment extends Of<typeof RollingUpdateDeployment> {}

export const DeploymentStrategy = struct('DeploymentStrategy', {
  type: zero(1, DeploymentStrategyType),
  rollingUpdate: opt(2, RollingUpdateDeployment),
})
export interface DeploymentStrategy extends Of<typeof DeploymentStrategy> {}

export const DeploymentSpec = struct('DeploymentSpec', {
  replicas: opt(1, int32),
  selector: must(2, LabelSelector),
  template: req(3, PodTemplateSpec),
  strategy: fill(4, DeploymentStrategy, { patch: 'retainKeys' }),
  minReadySeconds: zero(5, int32),
  revisionHistoryLimit: opt(6, int32),
  paused: zero(7, bool),
  progressDeadlineSeconds: opt(9, int32),
})
export interface DeploymentSpec extends Of<typeof DeploymentSpec> {}

export const DeploymentCondition = struct('DeploymentCondition', {
  type: req(1, string),
  status: req(2, string),
  lastUpdateTime: fill(6, time),
  lastTransitionTime: fill(7, time),
  reason: zero(4, string),
  message: zero(5, string),
})
export interface DeploymentCondition extends Of<typeof DeploymentCondition> {}

export const DeploymentStatus = struct('DeploymentStatus', {
  observedGeneration: zero(1, int64),
  replicas: zero(2, int32),
  updatedReplicas: zero(3, int32),
  readyReplicas: zero(7, int32),
  availableReplicas: zero(4, int32),
  unavailableReplicas: zero(5, int32),
  terminatingReplicas: opt(9, int32),
  conditions: zero(6, mapList(DeploymentCondition, ['type']), { patch: 'merge', key: 'type' }),
  collisionCount: opt(8, int32),
})
export interface DeploymentStatus extends Of<typeof DeploymentStatus> {}

export const Deployment = root('Deployment', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, DeploymentSpec),
  status: fill(3, DeploymentStatus),
})
export interface Deployment extends Of<typeof Deployment> {}

export const PodManagementPolicyType = oneOf('OrderedReady', 'Parallel')
export type PodManagementPolicyType = Of<typeof PodManagementPolicyType>

export const ReplicaSetSpec = struct('ReplicaSetSpec', {
  replicas: opt(1, int32),
  minReadySeconds: zero(4, int32),
  selector: must(2, LabelSelector),
  template: fill(3, PodTemplateSpec),
})
export interface ReplicaSetSpec extends Of<typeof ReplicaSetSpec> {}

export const ReplicaSetCondition = struct('ReplicaSetCondition', {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: fill(3, time),
  reason: zero(4, string),
  message: zero(5, string),
})
export interface ReplicaSetCondition extends Of<typeof ReplicaSetCondition> {}

export const ReplicaSetStatus = struct('ReplicaSetStatus', {
  replicas: req(1, int32),
  fullyLabeledReplicas: zero(2, int32),
  readyReplicas: zero(4, int32),
  availableReplicas: zero(5, int32),
  terminatingReplicas: opt(7, int32),
  observedGeneration: zero(3, int64),
  conditions: zero(6, mapList(ReplicaSetCondition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface ReplicaSetStatus extends Of<typeof ReplicaSetStatus> {}

export const ReplicaSet = root('ReplicaSet', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ReplicaSetSpec),
  status: fill(3, ReplicaSetStatus),
})
export interface ReplicaSet extends Of<typeof ReplicaSet> {}

export const RollingUpdateStatefulSetStrategy = struct('RollingUpdateStatefulSetStrategy', {
  partition: opt(1, int32),
  maxUnavailable: opt(2, intOrString, { gate: 'MaxUnavailableStatefulSet' }),
})
export interface RollingUpdateStatefulSetStrategy extends Of<typeof RollingUpdateStatefulSetStrategy> {}

export const StatefulSetOrdinals = struct('StatefulSetOrdinals', {
  start: fill(1, int32),
})
export interface StatefulSetOrdinals extends Of<typeof StatefulSetOrdinals> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = struct('StatefulSetPersistentVolumeClaimRetentionPolicy', {
  whenDeleted: zero(1, string),
  whenScaled: zero(2, string),
})
export interface StatefulSetPersistentVolumeClaimRetentionPolicy extends Of<typeof StatefulSetPersistentVolumeClaimRetentionPolicy> {}

export const StatefulSetUpdateStrategyType = oneOf('RollingUpdate', 'OnDelete')
export type StatefulSetUpdateStrategyType = Of<typeof StatefulSetUpdateStrategyType>

export const StatefulSetUpdateStrategy = struct('StatefulSetUpdateStrategy', {
  type: zero(1, StatefulSetUpdateStrategyType),
  rollingUpdate: opt(2, RollingUpdateStatefulSetStrategy),
})
export interface StatefulSetUpdateStrategy extends Of<typeof StatefulSetUpdateStrategy> {}

export const StatefulSetSpec = struct('StatefulSetSpec', {
  replicas: opt(1, int32),
  selector: must(2, LabelSelector),
  template: req(3, PodTemplateSpec),
  volumeClaimTemplates: zero(4, list(PersistentVolumeClaim)),
  serviceName: fill(5, string),
  podManagementPolicy: zero(6, PodManagementPolicyType),
  updateStrategy: fill(7, StatefulSetUpdateStrategy),
  revisionHistoryLimit: opt(8, int32),
  minReadySeconds: zero(9, int32),
  persistentVolumeClaimRetentionPolicy: opt(10, StatefulSetPersistentVolumeClaimRetentionPolicy),
  ordinals: opt(11, StatefulSetOrdinals),
})
export interface StatefulSetSpec extends Of<typeof StatefulSetSpec> {}

export const StatefulSetCondition = struct('StatefulSetCondition', {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: fill(3, time),
  reason: zero(4, string),
  message: zero(5, string),
})
export interface StatefulSetCondition extends Of<typeof StatefulSetCondition> {}

export const StatefulSetStatus = struct('StatefulSetStatus', {
  observedGeneration: zero(1, int64),
  replicas: req(2, int32),
  readyReplicas: zero(3, int32),
  currentReplicas: zero(4, int32),
  updatedReplicas: zero(5, int32),
  currentRevision: zero(6, string),
  updateRevision: zero(7, string),
  collisionCount: opt(9, int32),
  conditions: zero(10, mapList(StatefulSetCondition, ['type']), { patch: 'merge', key: 'type' }),
  availableReplicas: fill(11, int32),
})
export interface StatefulSetStatus extends Of<typeof StatefulSetStatus> {}

export const StatefulSet = root('StatefulSet', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, StatefulSetSpec),
  status: fill(3, StatefulSetStatus),
})
export interface StatefulSet extends Of<typeof StatefulSet> {}

const gv = groupVersion('apps', 'v1')

export const controllerrevisions = gv.resource(ControllerRevision, { plural: 'controllerrevisions', namespaced: true })
export const daemonsets = gv.resource(DaemonSet, { plural: 'daemonsets', short: ['ds'], categories: ['all'], namespaced: true, subresources: ['status'] })
export const deployments = gv.resource(Deployment, { plural: 'deployments', short: ['deploy'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
export const replicasets = gv.resource(ReplicaSet, { plural: 'replicasets', short: ['rs'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
export const statefulsets = gv.resource(StatefulSet, { plural: 'statefulsets', short: ['sts'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
