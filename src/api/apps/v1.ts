import { bool, fill, int32, int64, intOrString, list, mapList, must, oneOf, opt, rawExtension, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { PodTemplateSpec } from '../core/pod.ts'
import { PersistentVolumeClaim } from '../core/storage.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ControllerRevision = root('ControllerRevision', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  data: fill(2, rawExtension, 'The template.'),
  revision: req(3, int64, 'Its number: higher is newer.'),
}, 'What a template was, kept to go back to.')
export interface ControllerRevision extends Of<typeof ControllerRevision> {}

export const DaemonSetUpdateStrategyType = oneOf('RollingUpdate', 'OnDelete')
export type DaemonSetUpdateStrategyType = Of<typeof DaemonSetUpdateStrategyType>

export const RollingUpdateDaemonSet = struct('RollingUpdateDaemonSet', {
  maxUnavailable: opt(1, intOrString, 'On how many nodes the pod may be missing at a time. Default 1.'),
  maxSurge: opt(2, intOrString, 'On how many nodes a second pod may run at a time. Default 0.'),
}, 'The pace of a rolling update.')
export interface RollingUpdateDaemonSet extends Of<typeof RollingUpdateDaemonSet> {}

export const DaemonSetUpdateStrategy = struct('DaemonSetUpdateStrategy', {
  type: zero(1, DaemonSetUpdateStrategyType, 'RollingUpdate (the default), or OnDelete to wait until somebody deletes them.'),
  rollingUpdate: opt(2, RollingUpdateDaemonSet, 'The pace of a rolling update.'),
}, 'How pods are replaced.')
export interface DaemonSetUpdateStrategy extends Of<typeof DaemonSetUpdateStrategy> {}

export const DaemonSetSpec = struct('DaemonSetSpec', {
  selector: must(1, LabelSelector, 'Labels of its pods. It cannot be changed.'),
  template: req(2, PodTemplateSpec, 'What its pods look like; its nodeSelector and affinity choose the nodes.'),
  updateStrategy: fill(3, DaemonSetUpdateStrategy, 'How pods are replaced when the template changes.'),
  minReadySeconds: zero(4, int32, 'How long a pod must be ready to count as available.'),
  revisionHistoryLimit: opt(6, int32, 'How many old templates are kept to go back to. Default 10.'),
}, 'What is wanted of a daemon set.')
export interface DaemonSetSpec extends Of<typeof DaemonSetSpec> {}

export const DaemonSetCondition = struct('DaemonSetCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface DaemonSetCondition extends Of<typeof DaemonSetCondition> {}

export const DaemonSetStatus = struct('DaemonSetStatus', {
  currentNumberScheduled: req(1, int32, 'Nodes that run the pod and should.'),
  numberMisscheduled: req(2, int32, 'Nodes that run the pod and should not.'),
  desiredNumberScheduled: req(3, int32, 'Nodes that should run the pod.'),
  numberReady: req(4, int32, 'Nodes whose pod is ready.'),
  observedGeneration: zero(5, int64, 'The generation that was acted on.'),
  updatedNumberScheduled: zero(6, int32, 'Nodes whose pod has the present template.'),
  numberAvailable: zero(7, int32, 'Nodes whose pod is available.'),
  numberUnavailable: zero(8, int32, 'Nodes whose pod is missing.'),
  collisionCount: opt(9, int32, 'How often the name of a new revision was taken already.'),
  conditions: zero(10, mapList(DaemonSetCondition, ['type']), { doc: 'What is true of it at the moment, by type.', patch: 'merge', key: 'type' }),
}, 'What is known of a daemon set.')
export interface DaemonSetStatus extends Of<typeof DaemonSetStatus> {}

export const DaemonSet = root('DaemonSet', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, DaemonSetSpec, 'What is wanted.'),
  status: fill(3, DaemonSetStatus, 'What is.'),
}, 'Runs one pod on every node, or on some.')
export interface DaemonSet extends Of<typeof DaemonSet> {}

export const DeploymentStrategyType = oneOf('Recreate', 'RollingUpdate')
export type DeploymentStrategyType = Of<typeof DeploymentStrategyType>

export const RollingUpdateDeployment = struct('RollingUpdateDeployment', {
  maxUnavailable: opt(1, intOrString, 'How many pods may be missing at a time, as a number or a percentage. Default 25%.'),
  maxSurge: opt(2, intOrString, 'How many pods there may be too many at a time. Default 25%.'),
}, 'The pace of a rolling update.')
export interface RollingUpdateDeployment extends Of<typeof RollingUpdateDeployment> {}

export const DeploymentStrategy = struct('DeploymentStrategy', {
  type: zero(1, DeploymentStrategyType, 'RollingUpdate (the default), or Recreate to stop all old pods first.'),
  rollingUpdate: opt(2, RollingUpdateDeployment, 'The pace of a rolling update.'),
}, 'How pods are replaced.')
export interface DeploymentStrategy extends Of<typeof DeploymentStrategy> {}

export const DeploymentSpec = struct('DeploymentSpec', {
  replicas: opt(1, int32, 'How many pods. Default 1.'),
  selector: must(2, LabelSelector, 'Labels of its pods. It cannot be changed, and must match those of the template.'),
  template: req(3, PodTemplateSpec, 'What its pods look like.'),
  strategy: fill(4, DeploymentStrategy, { doc: 'How pods are replaced when the template changes.', patch: 'retainKeys' }),
  minReadySeconds: zero(5, int32, 'How long a pod must be ready to count as available.'),
  revisionHistoryLimit: opt(6, int32, 'How many old replica sets are kept to go back to. Default 10.'),
  paused: zero(7, bool, 'True to act on nothing until it is false again.'),
  progressDeadlineSeconds: opt(9, int32, 'How long an update may stand still before it counts as failed. Default 600.'),
}, 'What is wanted of a deployment.')
export interface DeploymentSpec extends Of<typeof DeploymentSpec> {}

export const DeploymentCondition = struct('DeploymentCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastUpdateTime: fill(6, time, 'When it was last said.'),
  lastTransitionTime: fill(7, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface DeploymentCondition extends Of<typeof DeploymentCondition> {}

export const DeploymentStatus = struct('DeploymentStatus', {
  observedGeneration: zero(1, int64, 'The generation that was acted on.'),
  replicas: zero(2, int32, 'How many pods there are.'),
  updatedReplicas: zero(3, int32, 'How many run the present template.'),
  readyReplicas: zero(7, int32, 'How many are ready.'),
  availableReplicas: zero(4, int32, 'How many are available.'),
  unavailableReplicas: zero(5, int32, 'How many are missing.'),
  terminatingReplicas: opt(9, int32, 'How many are on their way out.'),
  conditions: zero(6, mapList(DeploymentCondition, ['type']), { doc: 'Available, Progressing, ReplicaFailure.', patch: 'merge', key: 'type' }),
  collisionCount: opt(8, int32, 'How often the name of a new replica set was taken.'),
}, 'What is known of a deployment.')
export interface DeploymentStatus extends Of<typeof DeploymentStatus> {}

export const Deployment = root('Deployment', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, DeploymentSpec, 'What is wanted.'),
  status: fill(3, DeploymentStatus, 'What is.'),
}, 'Keeps a number of equal pods running, and replaces them step by step when their template changes.')
export interface Deployment extends Of<typeof Deployment> {}

export const PodManagementPolicyType = oneOf('OrderedReady', 'Parallel')
export type PodManagementPolicyType = Of<typeof PodManagementPolicyType>

export const ReplicaSetSpec = struct('ReplicaSetSpec', {
  replicas: opt(1, int32, 'How many pods. Default 1.'),
  minReadySeconds: zero(4, int32, 'How long a pod must be ready to count as available.'),
  selector: must(2, LabelSelector, 'Labels of its pods. It cannot be changed.'),
  template: fill(3, PodTemplateSpec, 'What its pods look like.'),
}, 'What is wanted of a replica set.')
export interface ReplicaSetSpec extends Of<typeof ReplicaSetSpec> {}

export const ReplicaSetCondition = struct('ReplicaSetCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface ReplicaSetCondition extends Of<typeof ReplicaSetCondition> {}

export const ReplicaSetStatus = struct('ReplicaSetStatus', {
  replicas: req(1, int32, 'How many pods there are.'),
  fullyLabeledReplicas: zero(2, int32, 'How many have all labels of the template.'),
  readyReplicas: zero(4, int32, 'How many are ready.'),
  availableReplicas: zero(5, int32, 'How many are available.'),
  terminatingReplicas: opt(7, int32, 'Pods that are on their way out.'),
  observedGeneration: zero(3, int64, 'The generation that was acted on.'),
  conditions: zero(6, mapList(ReplicaSetCondition, ['type']), { doc: 'Statements about its state.', patch: 'merge', key: 'type' }),
}, 'What is known of a replica set.')
export interface ReplicaSetStatus extends Of<typeof ReplicaSetStatus> {}

export const ReplicaSet = root('ReplicaSet', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, ReplicaSetSpec, 'What is wanted.'),
  status: fill(3, ReplicaSetStatus, 'What is.'),
}, 'Keeps a number of equal pods running. Mostly made by deployments.')
export interface ReplicaSet extends Of<typeof ReplicaSet> {}

export const RollingUpdateStatefulSetStrategy = struct('RollingUpdateStatefulSetStrategy', {
  partition: opt(1, int32, 'Pods with a lower number are left as they are.'),
  maxUnavailable: opt(2, intOrString, { doc: 'How many pods may be missing at a time.', gate: 'MaxUnavailableStatefulSet' }),
}, 'The pace of a rolling update.')
export interface RollingUpdateStatefulSetStrategy extends Of<typeof RollingUpdateStatefulSetStrategy> {}

export const StatefulSetOrdinals = struct('StatefulSetOrdinals', {
  start: fill(1, int32, 'The first number.'),
}, 'How pods are numbered.')
export interface StatefulSetOrdinals extends Of<typeof StatefulSetOrdinals> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = struct('StatefulSetPersistentVolumeClaimRetentionPolicy', {
  whenDeleted: zero(1, string, 'When the set is deleted: Retain (the default) or Delete.'),
  whenScaled: zero(2, string, 'When it is made smaller: Retain (the default) or Delete.'),
}, 'What becomes of claims.')
export interface StatefulSetPersistentVolumeClaimRetentionPolicy extends Of<typeof StatefulSetPersistentVolumeClaimRetentionPolicy> {}

export const StatefulSetUpdateStrategyType = oneOf('RollingUpdate', 'OnDelete')
export type StatefulSetUpdateStrategyType = Of<typeof StatefulSetUpdateStrategyType>

export const StatefulSetUpdateStrategy = struct('StatefulSetUpdateStrategy', {
  type: zero(1, StatefulSetUpdateStrategyType, 'RollingUpdate (the default), or OnDelete to wait until somebody deletes them.'),
  rollingUpdate: opt(2, RollingUpdateStatefulSetStrategy, 'The pace of a rolling update.'),
}, 'How pods are replaced.')
export interface StatefulSetUpdateStrategy extends Of<typeof StatefulSetUpdateStrategy> {}

export const StatefulSetSpec = struct('StatefulSetSpec', {
  replicas: opt(1, int32, 'How many pods. Default 1.'),
  selector: must(2, LabelSelector, 'Labels of its pods. It cannot be changed.'),
  template: req(3, PodTemplateSpec, 'What its pods look like.'),
  volumeClaimTemplates: zero(4, list(PersistentVolumeClaim), 'Claims that are made for each pod; containers mount them by their names.'),
  serviceName: fill(5, string, 'The headless service that gives the pods their names.'),
  podManagementPolicy: zero(6, PodManagementPolicyType, 'OrderedReady (the default) to start and stop one after the other, or Parallel.'),
  updateStrategy: fill(7, StatefulSetUpdateStrategy, 'How pods are replaced when the template changes.'),
  revisionHistoryLimit: opt(8, int32, 'How many old templates are kept to go back to. Default 10.'),
  minReadySeconds: zero(9, int32, 'How long a pod must be ready to count as available.'),
  persistentVolumeClaimRetentionPolicy: opt(10, StatefulSetPersistentVolumeClaimRetentionPolicy, 'What becomes of claims when pods go for good.'),
  ordinals: opt(11, StatefulSetOrdinals, 'The number the first pod has.'),
}, 'What is wanted of a stateful set.')
export interface StatefulSetSpec extends Of<typeof StatefulSetSpec> {}

export const StatefulSetCondition = struct('StatefulSetCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface StatefulSetCondition extends Of<typeof StatefulSetCondition> {}

export const StatefulSetStatus = struct('StatefulSetStatus', {
  observedGeneration: zero(1, int64, 'The generation that was acted on.'),
  replicas: req(2, int32, 'How many pods there are.'),
  readyReplicas: zero(3, int32, 'How many are ready.'),
  currentReplicas: zero(4, int32, 'How many have the old template.'),
  updatedReplicas: zero(5, int32, 'How many have the new template.'),
  currentRevision: zero(6, string, 'The revision of the old template.'),
  updateRevision: zero(7, string, 'The revision of the new template.'),
  collisionCount: opt(9, int32, 'How often the name of a new revision was taken already.'),
  conditions: zero(10, mapList(StatefulSetCondition, ['type']), { doc: 'Statements about its state.', patch: 'merge', key: 'type' }),
  availableReplicas: fill(11, int32, 'How many are available.'),
}, 'What is known of a stateful set.')
export interface StatefulSetStatus extends Of<typeof StatefulSetStatus> {}

export const StatefulSet = root('StatefulSet', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, StatefulSetSpec, 'What is wanted.'),
  status: fill(3, StatefulSetStatus, 'What is.'),
}, 'Keeps pods that are not equal: each has a number, a name and storage of its own that stay.')
export interface StatefulSet extends Of<typeof StatefulSet> {}

const gv = groupVersion('apps', 'v1')

export const controllerrevisions = gv.resource(ControllerRevision, { plural: 'controllerrevisions', namespaced: true })
export const daemonsets = gv.resource(DaemonSet, { plural: 'daemonsets', short: ['ds'], categories: ['all'], namespaced: true, subresources: ['status'] })
export const deployments = gv.resource(Deployment, { plural: 'deployments', short: ['deploy'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
export const replicasets = gv.resource(ReplicaSet, { plural: 'replicasets', short: ['rs'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
export const statefulsets = gv.resource(StatefulSet, { plural: 'statefulsets', short: ['sts'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
