import { bool, bytes, fill, int32, int64, list, mapList, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectReference } from './shared.ts'
import { ObjectMeta, OwnerReference } from '../meta/meta.ts'

export const PodSignature = struct('PodSignature', {
  podController: opt(1, OwnerReference, 'What made the pods.'),
})
export interface PodSignature extends Of<typeof PodSignature> {}

export const PreferAvoidPodsEntry = struct('PreferAvoidPodsEntry', {
  podSignature: req(1, PodSignature, 'The pods.'),
  evictionTime: fill(2, time, 'When it was added.'),
  reason: zero(3, string, 'Why, in one word.'),
  message: zero(4, string, 'Why, for people.'),
})
export interface PreferAvoidPodsEntry extends Of<typeof PreferAvoidPodsEntry> {}

export const AvoidPods = struct('AvoidPods', {
  preferAvoidPods: zero(1, list(PreferAvoidPodsEntry), 'Pods to keep away, if there are other nodes.'),
})
export interface AvoidPods extends Of<typeof AvoidPods> {}

export const Binding = root('Binding', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  target: req(2, ObjectReference, 'The node.'),
}, 'Puts a pod on a node.')
export interface Binding extends Of<typeof Binding> {}

export const ComponentCondition = struct('ComponentCondition', {
  type: req(1, string, 'Healthy.'),
  status: req(2, string, 'True, False or Unknown.'),
  message: zero(3, string, 'For people.'),
  error: zero(4, string, 'What went wrong.'),
})
export interface ComponentCondition extends Of<typeof ComponentCondition> {}

export const ComponentStatus = root('ComponentStatus', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  conditions: zero(2, mapList(ComponentCondition, ['type']), { doc: 'What is true of it at the moment, by type.', patch: 'merge', key: 'type' }),
})
export interface ComponentStatus extends Of<typeof ComponentStatus> {}

export const NodeProxyOptions = root('NodeProxyOptions', {
  path: zero(1, string, 'The path to send the request to.'),
})
export interface NodeProxyOptions extends Of<typeof NodeProxyOptions> {}

export const PodAttachOptions = root('PodAttachOptions', {
  stdin: zero(1, bool, 'Whether input is sent.'),
  stdout: zero(2, bool, 'Whether output is wanted.'),
  stderr: zero(3, bool, 'Whether errors are wanted.'),
  tty: zero(4, bool, 'Whether it runs in a terminal.'),
  container: zero(5, string, 'Which one; may be left out when there is only one.'),
})
export interface PodAttachOptions extends Of<typeof PodAttachOptions> {}

export const PodExecOptions = root('PodExecOptions', {
  stdin: zero(1, bool, 'Whether input is sent.'),
  stdout: zero(2, bool, 'Whether output is wanted.'),
  stderr: zero(3, bool, 'Whether errors are wanted.'),
  tty: zero(4, bool, 'Whether it runs in a terminal.'),
  container: zero(5, string, 'Which one; may be left out when there is only one.'),
  command: req(6, list(string), 'What to run; no shell looks at it.'),
})
export interface PodExecOptions extends Of<typeof PodExecOptions> {}

export const PodLogOptions = root('PodLogOptions', {
  container: zero(1, string, 'Which one; may be left out when there is only one.'),
  follow: zero(2, bool, 'Go on as it grows.'),
  previous: zero(3, bool, 'Of the container before the last restart.'),
  sinceSeconds: opt(4, int64, 'Only the last seconds.'),
  sinceTime: opt(5, time, 'Only from then on.'),
  timestamps: zero(6, bool, 'The time before each line.'),
  tailLines: opt(7, int64, 'Only the last lines.'),
  limitBytes: opt(8, int64, 'No more than so many bytes.'),
  insecureSkipTLSVerifyBackend: zero(9, bool, 'Do not check the certificate of the node.'),
  stream: opt(10, string, { doc: 'All, Stdout or Stderr.', gate: 'PodLogsQuerySplitStreams' }),
})
export interface PodLogOptions extends Of<typeof PodLogOptions> {}

export const PodPortForwardOptions = root('PodPortForwardOptions', {
  ports: zero(1, list(int32), 'Which ports.'),
})
export interface PodPortForwardOptions extends Of<typeof PodPortForwardOptions> {}

export const PodProxyOptions = root('PodProxyOptions', {
  path: zero(1, string, 'The path to send the request to.'),
})
export interface PodProxyOptions extends Of<typeof PodProxyOptions> {}

export const Preconditions = struct('Preconditions', {
  uid: opt(1, string, 'The object must have this uid.'),
})
export interface Preconditions extends Of<typeof Preconditions> {}

export const RangeAllocation = root('RangeAllocation', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  range: req(2, string, 'What is handed out.'),
  data: req(3, bytes, 'What of it is taken, a bit each.'),
})
export interface RangeAllocation extends Of<typeof RangeAllocation> {}

export const SerializedReference = root('SerializedReference', {
  reference: fill(1, ObjectReference, 'The object.'),
})
export interface SerializedReference extends Of<typeof SerializedReference> {}

export const ServiceProxyOptions = root('ServiceProxyOptions', {
  path: zero(1, string, 'The path to send the request to.'),
})
export interface ServiceProxyOptions extends Of<typeof ServiceProxyOptions> {}

const gv = groupVersion('', 'v1')

export const bindings = gv.resource(Binding, { plural: 'bindings', namespaced: true, verbs: ['create'] })
export const componentstatuses = gv.resource(ComponentStatus, { plural: 'componentstatuses', short: ['cs'], verbs: ['get', 'list'] })
