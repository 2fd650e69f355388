import { atomicMap, fill, int32, int64, mapList, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { PodTemplateSpec } from './pod.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ReplicationControllerSpec = struct('ReplicationControllerSpec', {
  replicas: opt(1, int32, { doc: 'How many pods. Default 1.', default: 1 }),
  minReadySeconds: zero(4, int32, { doc: 'How long a pod must be ready to count as available.', default: 0 }),
  selector: zero(2, atomicMap(string), 'Labels of its pods; by default those of the template.'),
  template: opt(3, PodTemplateSpec, 'What its pods look like.'),
}, 'What is wanted of a replication controller.')
export interface ReplicationControllerSpec extends Of<typeof ReplicationControllerSpec> {}

export const ReplicationControllerCondition = struct('ReplicationControllerCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface ReplicationControllerCondition extends Of<typeof ReplicationControllerCondition> {}

export const ReplicationControllerStatus = struct('ReplicationControllerStatus', {
  replicas: req(1, int32, 'How many pods there are.'),
  fullyLabeledReplicas: zero(2, int32, 'Pods that carry all labels of the template.'),
  readyReplicas: zero(4, int32, 'How many are ready.'),
  availableReplicas: zero(5, int32, 'How many are available.'),
  observedGeneration: zero(3, int64, 'The generation that was acted on.'),
  conditions: zero(6, mapList(ReplicationControllerCondition, ['type']), { doc: 'What is true of it at the moment, by type.', patch: 'merge', key: 'type' }),
}, 'What is known of a replication controller.')
export interface ReplicationControllerStatus extends Of<typeof ReplicationControllerStatus> {}

export const ReplicationController = root('ReplicationController', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, ReplicationControllerSpec, 'What is wanted.'),
  status: fill(3, ReplicationControllerStatus, 'What is.'),
}, 'Keeps a number of pods running. Deployments have replaced it.')
export interface ReplicationController extends Of<typeof ReplicationController> {}

const gv = groupVersion('', 'v1')

export const replicationcontrollers = gv.resource(ReplicationController, { plural: 'replicationcontrollers', short: ['rc'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
