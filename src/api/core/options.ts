import { bool, bytes, fill, int32, int64, list, mapList, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectReference } from './shared.ts'
import { ObjectMeta, OwnerReference } from '../meta/meta.ts'

export const PodSignature = struct('PodSignature', {
  podController: opt(1, OwnerReference),
})
export interface PodSignature extends Of<typeof PodSignature> {}

export const PreferAvoidPodsEntry = struct('PreferAvoidPodsEntry', {
  podSignature: req(1, PodSignature),
  evictionTime: fill(2, time),
  reason: zero(3, string),
  message: zero(4, string),
})
export interface PreferAvoidPodsEntry extends Of<typeof PreferAvoidPodsEntry> {}

export const AvoidPods = struct('AvoidPods', {
  preferAvoidPods: zero(1, list(PreferAvoidPodsEntry)),
})
export interface AvoidPods extends Of<typeof AvoidPods> {}

export const Binding = root('Binding', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  target: req(2, ObjectReference, 'The node.'),
}, 'Puts a pod on a node.')
export interface Binding extends Of<typeof Binding> {}

export const ComponentCondition = struct('ComponentCondition', {
  type: req(1, string),
  status: req(2, string),
  message: zero(3, string),
  error: zero(4, string),
})
export interface ComponentCondition extends Of<typeof ComponentCondition> {}

export const ComponentStatus = root('ComponentStatus', {
  metadata: fill(1, ObjectMeta),
  conditions: zero(2, mapList(ComponentCondition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface ComponentStatus extends Of<typeof ComponentStatus> {}

export const NodeProxyOptions = root('NodeProxyOptions', {
  path: zero(1, string),
})
export interface NodeProxyOptions extends Of<typeof NodeProxyOptions> {}

export const PodAttachOptions = root('PodAttachOptions', {
  stdin: zero(1, bool),
  stdout: zero(2, bool),
  stderr: zero(3, bool),
  tty: zero(4, bool),
  container: zero(5, string),
})
export interface PodAttachOptions extends Of<typeof PodAttachOptions> {}

export const PodExecOptions = root('PodExecOptions', {
  stdin: zero(1, bool),
  stdout: zero(2, bool),
  stderr: zero(3, bool),
  tty: zero(4, bool),
  container: zero(5, string),
  command: req(6, list(string)),
})
export interface PodExecOptions extends Of<typeof PodExecOptions> {}

export const PodLogOptions = root('PodLogOptions', {
  container: zero(1, string),
  follow: zero(2, bool),
  previous: zero(3, bool),
  sinceSeconds: opt(4, int64),
  sinceTime: opt(5, time),
  timestamps: zero(6, bool),
  tailLines: opt(7, int64),
  limitBytes: opt(8, int64),
  insecureSkipTLSVerifyBackend: zero(9, bool),
  stream: opt(10, string, { gate: 'PodLogsQuerySplitStreams' }),
})
export interface PodLogOptions extends Of<typeof PodLogOptions> {}

export const PodPortForwardOptions = root('PodPortForwardOptions', {
  ports: zero(1, list(int32)),
})
export interface PodPortForwardOptions extends Of<typeof PodPortForwardOptions> {}

export const PodProxyOptions = root('PodProxyOptions', {
  path: zero(1, string),
})
export interface PodProxyOptions extends Of<typeof PodProxyOptions> {}

export const Preconditions = struct('Preconditions', {
  uid: opt(1, string),
})
export interface Preconditions extends Of<typeof Preconditions> {}

export const RangeAllocation = root('RangeAllocation', {
  metadata: fill(1, ObjectMeta),
  range: req(2, string),
  data: req(3, bytes),
})
export interface RangeAllocation extends Of<typeof RangeAllocation> {}

export const SerializedReference = root('SerializedReference', {
  reference: fill(1, ObjectReference),
})
export interface SerializedReference extends Of<typeof SerializedReference> {}

export const ServiceProxyOptions = root('ServiceProxyOptions', {
  path: zero(1, string),
})
export interface ServiceProxyOptions extends Of<typeof ServiceProxyOptions> {}

const gv = groupVersion('', 'v1')

export const bindings = gv.resource(Binding, { plural: 'bindings', namespaced: true, verbs: ['create'] })
export const componentstatuses = gv.resource(ComponentStatus, { plural: 'componentstatuses', short: ['cs'], verbs: ['get', 'list'] })
