import { atomicMap, fill, int32, int64, mapList, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { PodTemplateSpec } from './pod.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ReplicationControllerSpec = struct('ReplicationControllerSpec', {
  replicas: opt(1, int32, { default: 1 }),
  minReadySeconds: zero(4, int32, { default: 0 }),
  selector: zero(2, atomicMap(string)),
  template: opt(3, PodTemplateSpec),
})
export interface ReplicationControllerSpec extends Of<typeof ReplicationControllerSpec> {}

export const ReplicationControllerCondition = struct('ReplicationControllerCondition', {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: fill(3, time),
  reason: zero(4, string),
  message: zero(5, string),
})
export interface ReplicationControllerCondition extends Of<typeof ReplicationControllerCondition> {}

export const ReplicationControllerStatus = struct('ReplicationControllerStatus', {
  replicas: req(1, int32),
  fullyLabeledReplicas: zero(2, int32),
  readyReplicas: zero(4, int32),
  availableReplicas: zero(5, int32),
  observedGeneration: zero(3, int64),
  conditions: zero(6, mapList(ReplicationControllerCondition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface ReplicationControllerStatus extends Of<typeof ReplicationControllerStatus> {}

export const ReplicationController = root('ReplicationController', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ReplicationControllerSpec),
  status: fill(3, ReplicationControllerStatus),
})
export interface ReplicationController extends Of<typeof ReplicationController> {}

const gv = groupVersion('', 'v1')

export const replicationcontrollers = gv.resource(ReplicationController, { plural: 'replicationcontrollers', short: ['rc'], categories: ['all'], namespaced: true, subresources: ['status', 'scale'] })
