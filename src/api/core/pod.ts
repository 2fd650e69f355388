import { atomicMap, bool, fill, int32, int64, list, map, mapList, oneOf, opt, quantity, req, root, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { AppArmorProfile, Container, ContainerStatus, EphemeralContainer, SELinuxOptions, SeccompProfile, WindowsSecurityContextOptions } from './container.ts'
import { LocalObjectReference, NodeSelector, NodeSelectorTerm, ResourceRequirements, Toleration } from './shared.ts'
import { Volume } from './volume.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const PreferredSchedulingTerm = struct('PreferredSchedulingTerm', {
  weight: req(1, int32, 'How strong, from 1 to 100.'),
  preference: req(2, NodeSelectorTerm, 'The wish.'),
}, 'A wish about nodes, and how strong it is.')
export interface PreferredSchedulingTerm extends Of<typeof PreferredSchedulingTerm> {}

export const NodeAffinity = struct('NodeAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: opt(1, NodeSelector, 'What must hold for the pod to be scheduled on a node.'),
  preferredDuringSchedulingIgnoredDuringExecution: zero(2, list(PreferredSchedulingTerm), 'What makes a node better than others.'),
}, 'Rules about nodes.')
export interface NodeAffinity extends Of<typeof NodeAffinity> {}

export const PodAffinityTerm = struct('PodAffinityTerm', {
  labelSelector: opt(1, LabelSelector, 'The pods, by their labels.'),
  namespaces: zero(2, list(string), 'Namespaces to look in, beside those of namespaceSelector; when both are left out, that of the pod itself.'),
  topologyKey: req(3, string, 'A label of nodes: nodes with the same value are one place.'),
  namespaceSelector: opt(4, LabelSelector, 'Namespaces to look in, by their labels; an empty selector is all.'),
  matchLabelKeys: zero(5, list(string), 'Labels whose value must be that of the pod itself.'),
  mismatchLabelKeys: zero(6, list(string), 'Labels whose value must not be that of the pod itself.'),
}, 'Pods, and how near is near.')
export interface PodAffinityTerm extends Of<typeof PodAffinityTerm> {}

export const WeightedPodAffinityTerm = struct('WeightedPodAffinityTerm', {
  weight: req(1, int32, 'How strong, from 1 to 100.'),
  podAffinityTerm: req(2, PodAffinityTerm, 'The wish.'),
}, 'A wish, and how strong it is.')
export interface WeightedPodAffinityTerm extends Of<typeof WeightedPodAffinityTerm> {}

export const PodAffinity = struct('PodAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: zero(1, list(PodAffinityTerm), 'What must hold.'),
  preferredDuringSchedulingIgnoredDuringExecution: zero(2, list(WeightedPodAffinityTerm), 'What makes a node better than others.'),
}, 'Pods to be near to.')
export interface PodAffinity extends Of<typeof PodAffinity> {}

export const PodAntiAffinity = struct('PodAntiAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: zero(1, list(PodAffinityTerm), 'What must hold.'),
  preferredDuringSchedulingIgnoredDuringExecution: zero(2, list(WeightedPodAffinityTerm), 'What makes a node better than others.'),
}, 'Pods to keep away from.')
export interface PodAntiAffinity extends Of<typeof PodAntiAffinity> {}

export const Affinity = struct('Affinity', {
  nodeAffinity: opt(1, NodeAffinity, 'Rules about nodes.'),
  podAffinity: opt(2, PodAffinity, 'Pods to be near to.'),
  podAntiAffinity: opt(3, PodAntiAffinity, 'Pods to keep away from.'),
}, 'Which nodes, and which neighbours, a pod wants or avoids.')
export interface Affinity extends Of<typeof Affinity> {}

export const DNSPolicy = oneOf('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None')
export type DNSPolicy = Of<typeof DNSPolicy>

export const HostAlias = struct('HostAlias', {
  ip: req(1, string, 'The address.'),
  hostnames: zero(2, list(string), 'Names for it.'),
}, 'A line of the hosts file.')
export interface HostAlias extends Of<typeof HostAlias> {}

export const PodDNSConfigOption = struct('PodDNSConfigOption', {
  name: zero(1, string, 'Its name.'),
  value: opt(2, string, 'Its value.'),
}, 'An option of the resolver.')
export interface PodDNSConfigOption extends Of<typeof PodDNSConfigOption> {}

export const PodDNSConfig = struct('PodDNSConfig', {
  nameservers: zero(1, list(string), 'Name servers, at most three.'),
  searches: zero(2, list(string), 'Domains to try for short names.'),
  options: zero(3, list(PodDNSConfigOption), 'Options of the resolver.'),
}, 'How names are looked up in a pod.')
export interface PodDNSConfig extends Of<typeof PodDNSConfig> {}

export const PodOS = struct('PodOS', {
  name: req(1, string, 'linux or windows.'),
}, 'An operating system.')
export interface PodOS extends Of<typeof PodOS> {}

export const PodReadinessGate = struct('PodReadinessGate', {
  conditionType: req(1, string, 'The type of the condition.'),
}, 'A condition that must be true for the pod to be ready.')
export interface PodReadinessGate extends Of<typeof PodReadinessGate> {}

export const PodResourceClaim = struct('PodResourceClaim', {
  name: req(1, string, 'What the containers call it.'),
  resourceClaimName: opt(3, string, 'A claim that exists.'),
  resourceClaimTemplateName: opt(4, string, 'A template to make a claim from.'),
}, 'A claim for devices.')
export interface PodResourceClaim extends Of<typeof PodResourceClaim> {}

export const PodSchedulingGate = struct('PodSchedulingGate', {
  name: req(1, string, 'The name.'),
}, 'A name that holds a pod back.')
export interface PodSchedulingGate extends Of<typeof PodSchedulingGate> {}

export const PodSchedulingGroup = struct('PodSchedulingGroup', {
  podGroupName: opt(1, string, 'The group that the pod is scheduled with.'),
})
export interface PodSchedulingGroup extends Of<typeof PodSchedulingGroup> {}

export const PodFSGroupChangePolicy = oneOf('OnRootMismatch', 'Always')
export type PodFSGroupChangePolicy = Of<typeof PodFSGroupChangePolicy>

export const SupplementalGroupsPolicy = oneOf('Merge', 'Strict')
export type SupplementalGroupsPolicy = Of<typeof SupplementalGroupsPolicy>

export const Sysctl = struct('Sysctl', {
  name: req(1, string, 'Its name.'),
  value: req(2, string, 'Its value.'),
}, 'A kernel setting.')
export interface Sysctl extends Of<typeof Sysctl> {}

export const PodSecurityContext = struct('PodSecurityContext', {
  seLinuxOptions: opt(1, SELinuxOptions, 'SELinux labels.'),
  windowsOptions: opt(8, WindowsSecurityContextOptions, 'Settings for Windows.'),
  runAsUser: opt(2, int64, 'The user id of the processes.'),
  runAsGroup: opt(6, int64, 'The group id of the processes.'),
  runAsNonRoot: opt(3, bool, 'Refuse to run as user 0.'),
  supplementalGroups: zero(4, list(int64), 'More groups of the processes.'),
  supplementalGroupsPolicy: opt(12, SupplementalGroupsPolicy, { doc: 'Whether groups of the image are merged in: Merge or Strict.', gate: 'SupplementalGroupsPolicy' }),
  fsGroup: opt(5, int64, 'The group that owns the volumes.'),
  sysctls: zero(7, list(Sysctl), 'Kernel settings of the pod.'),
  fsGroupChangePolicy: opt(9, PodFSGroupChangePolicy, 'Whether volumes are gone over each time (Always) or only when their root is wrong (OnRootMismatch).'),
  seccompProfile: opt(10, SeccompProfile, 'Which system calls are allowed.'),
  appArmorProfile: opt(11, AppArmorProfile, 'The AppArmor profile.'),
  seLinuxChangePolicy: opt(13, string, { doc: 'How volumes get their SELinux label.', gate: 'SELinuxChangePolicy' }),
}, 'Users, groups and privileges of all containers of a pod.')
export interface PodSecurityContext extends Of<typeof PodSecurityContext> {}

export const PreemptionPolicy = oneOf('PreemptLowerPriority', 'Never')
export type PreemptionPolicy = Of<typeof PreemptionPolicy>

export const RestartPolicy = oneOf('Always', 'OnFailure', 'Never')
export type RestartPolicy = Of<typeof RestartPolicy>

export const NodeInclusionPolicy = oneOf('Ignore', 'Honor')
export type NodeInclusionPolicy = Of<typeof NodeInclusionPolicy>

export const UnsatisfiableConstraintAction = oneOf('DoNotSchedule', 'ScheduleAnyway')
export type UnsatisfiableConstraintAction = Of<typeof UnsatisfiableConstraintAction>

export const TopologySpreadConstraint = struct('TopologySpreadConstraint', {
  maxSkew: req(1, int32, 'How many pods more one place may have than another.'),
  topologyKey: req(2, string, 'A label of nodes: nodes with the same value are one place.'),
  whenUnsatisfiable: req(3, UnsatisfiableConstraintAction, 'DoNotSchedule, or ScheduleAnyway to make it a wish.'),
  labelSelector: opt(4, LabelSelector, 'The pods that are counted.'),
  minDomains: opt(5, int32, 'How many places there should be at least.'),
  nodeAffinityPolicy: opt(6, NodeInclusionPolicy, 'Whether nodes the pod cannot go to are counted: Honor (not) or Ignore.'),
  nodeTaintsPolicy: opt(7, NodeInclusionPolicy, 'Whether tainted nodes are counted: Honor (not) or Ignore.'),
  matchLabelKeys: zero(8, list(string), 'Labels whose value must be that of the pod itself.'),
}, 'How evenly pods are spread over places.')
export interface TopologySpreadConstraint extends Of<typeof TopologySpreadConstraint> {}

export const PodSpec = struct('PodSpec', {
  volumes: zero(1, mapList(Volume, ['name']), { doc: 'Storage that containers of the pod can mount.', patch: 'merge,retainKeys', key: 'name' }),
  initContainers: zero(20, mapList(Container, ['name']), { doc: 'Containers that run one after the other, each to its end, before the others start. One with restartPolicy Always stays beside them.', patch: 'merge', key: 'name' }),
  containers: req(2, mapList(Container, ['name']), { doc: 'The containers of the pod; at least one. The list cannot change once the pod exists.', patch: 'merge', key: 'name' }),
  ephemeralContainers: zero(34, mapList(EphemeralContainer, ['name']), { doc: 'Containers put into a running pod to look around in it. Added through the ephemeralcontainers subresource.', patch: 'merge', key: 'name' }),
  restartPolicy: zero(3, RestartPolicy, 'Whether containers that end are started again: Always (the default), OnFailure or Never.'),
  terminationGracePeriodSeconds: opt(4, int64, 'How long containers have to end after being asked to, before they are killed. Default 30.'),
  activeDeadlineSeconds: opt(5, int64, 'How long the pod may be active on its node before it is ended and counts as failed.'),
  dnsPolicy: zero(6, DNSPolicy, 'Where names are looked up: ClusterFirst (the default), ClusterFirstWithHostNet, Default (as the node does) or None (see dnsConfig).'),
  nodeSelector: zero(7, atomicMap(string), 'Labels that a node must have for the pod to run on it.'),
  serviceAccountName: zero(8, string, 'The service account whose identity the pod has.'),
  serviceAccount: zero(9, string, 'The old name of serviceAccountName.'),
  automountServiceAccountToken: opt(21, bool, 'Whether a token of the service account is mounted.'),
  nodeName: zero(10, string, 'The node the pod is bound to; set by the scheduler.'),
  hostNetwork: zero(11, bool, 'Use the network of the node: its addresses and its ports.'),
  hostPID: zero(12, bool, 'Share the process namespace of the node.'),
  hostIPC: zero(13, bool, 'Share the IPC namespace of the node.'),
  shareProcessNamespace: opt(27, bool, 'Let the containers see the processes of each other.'),
  securityContext: opt(14, PodSecurityContext, 'Users, groups and privileges of all containers that do not say otherwise.'),
  imagePullSecrets: zero(15, mapList(LocalObjectReference, ['name']), { doc: 'Secrets of this namespace to log in to image registries with.', patch: 'merge', key: 'name' }),
  hostname: zero(16, string, 'The host name inside the pod; by default the name of the pod.'),
  subdomain: zero(17, string, 'Makes the full host name hostname.subdomain.namespace.svc.<cluster domain>.'),
  affinity: opt(18, Affinity, 'Which nodes, and which neighbours, the pod wants or avoids.'),
  schedulerName: zero(19, string, 'Which scheduler places the pod.'),
  tolerations: zero(22, list(Toleration), 'Taints of nodes that do not keep the pod away.'),
  hostAliases: zero(23, mapList(HostAlias, ['ip']), { doc: 'More lines for the hosts file of the pod.', patch: 'merge', key: 'ip' }),
  priorityClassName: zero(24, string, 'How much the pod matters, by the name of a class.'),
  priority: opt(25, int32, 'How much the pod matters, as a number; set from the class.'),
  dnsConfig: opt(26, PodDNSConfig, 'Name servers, search paths and options, added to those of dnsPolicy.'),
  readinessGates: zero(28, list(PodReadinessGate), 'Conditions that must be true beside those of the containers for the pod to be ready.'),
  runtimeClassName: opt(29, string, 'Which kind of runtime runs the pod.'),
  enableServiceLinks: opt(30, bool, 'Whether containers are told of services in environment variables. Default true.'),
  preemptionPolicy: opt(31, PreemptionPolicy, 'Whether the pod may push out pods that matter less.'),
  overhead: zero(32, map(quantity), 'What the runtime itself takes for a pod; set from the runtime class.'),
  topologySpreadConstraints: zero(33, mapList(TopologySpreadConstraint, ['topologyKey', 'whenUnsatisfiable']), { doc: 'How evenly pods are spread over zones, nodes and the like.', patch: 'merge', key: 'topologyKey' }),
  setHostnameAsFQDN: opt(35, bool, 'Use the full name as host name.'),
  os: opt(36, PodOS, 'The operating system the containers are for.'),
  hostUsers: opt(37, bool, 'False puts the pod into a user namespace of its own.'),
  schedulingGates: zero(38, mapList(PodSchedulingGate, ['name']), { doc: 'Names that hold the pod back from being scheduled until all are taken away.', patch: 'merge', key: 'name' }),
  resourceClaims: zero(39, mapList(PodResourceClaim, ['name']), { doc: 'Claims for devices that must be met before the pod runs.', patch: 'merge,retainKeys', key: 'name', gate: 'DynamicResourceAllocation' }),
  resources: opt(40, ResourceRequirements, { doc: 'What all containers together request and are limited to.', gate: 'PodLevelResources' }),
  hostnameOverride: opt(41, string, { doc: 'The host name, whatever else is said.', gate: 'HostnameOverride' }),
  schedulingGroup: opt(43, PodSchedulingGroup, { doc: 'The group that the pod is scheduled with.', gate: 'GenericWorkload' }),
}, 'What is wanted of a pod.')
export interface PodSpec extends Of<typeof PodSpec> {}

export const HostIP = struct('HostIP', {
  ip: req(1, string, 'The address.'),
}, 'An address of the node.')
export interface HostIP extends Of<typeof HostIP> {}

export const NodeAllocatableResourceClaimStatus = struct('NodeAllocatableResourceClaimStatus', {
  resourceClaimName: req(1, string, 'Of the claim.'),
  containers: zero(2, setOf(string), 'Those that use it.'),
  resources: req(3, map(quantity), 'What it takes of the node.'),
})
export interface NodeAllocatableResourceClaimStatus extends Of<typeof NodeAllocatableResourceClaimStatus> {}

export const PodCondition = struct('PodCondition', {
  type: req(1, string, 'What the statement is about.'),
  observedGeneration: zero(7, int64, 'The generation of the pod that the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastProbeTime: fill(3, time, 'When it was last checked.'),
  lastTransitionTime: fill(4, time, 'When the status last changed.'),
  reason: zero(5, string, 'Why, in one word.'),
  message: zero(6, string, 'Why, for people.'),
}, 'One statement about the state of a pod.')
export interface PodCondition extends Of<typeof PodCondition> {}

export const ContainerExtendedResourceRequest = struct('ContainerExtendedResourceRequest', {
  containerName: req(1, string, 'Of the container.'),
  resourceName: req(2, string, 'Of the extended resource.'),
  requestName: req(3, string, 'Of the request in the claim.'),
})
export interface ContainerExtendedResourceRequest extends Of<typeof ContainerExtendedResourceRequest> {}

export const PodExtendedResourceClaimStatus = struct('PodExtendedResourceClaimStatus', {
  requestMappings: req(1, list(ContainerExtendedResourceRequest), 'Which request stands for which resource of which container.'),
  resourceClaimName: req(2, string, 'Of the claim that was made for them.'),
})
export interface PodExtendedResourceClaimStatus extends Of<typeof PodExtendedResourceClaimStatus> {}

export const PodIP = struct('PodIP', {
  ip: req(1, string, 'The address.'),
}, 'An address of a pod.')
export interface PodIP extends Of<typeof PodIP> {}

export const PodPhase = oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown')
export type PodPhase = Of<typeof PodPhase>

export const PodQOSClass = oneOf('Guaranteed', 'Burstable', 'BestEffort')
export type PodQOSClass = Of<typeof PodQOSClass>

export const PodResourceClaimStatus = struct('PodResourceClaimStatus', {
  name: req(1, string, 'Of the claim in the pod.'),
  resourceClaimName: opt(2, string, 'Of the claim object; empty when none is needed.'),
})
export interface PodResourceClaimStatus extends Of<typeof PodResourceClaimStatus> {}

export const PodStatus = struct('PodStatus', {
  observedGeneration: zero(17, int64, 'The generation of the pod that the status is about.'),
  phase: zero(1, PodPhase, 'Pending, Running, Succeeded, Failed or Unknown: the short summary.'),
  conditions: zero(2, mapList(PodCondition, ['type']), { doc: 'How far the pod has come: PodScheduled, Initialized, ContainersReady, Ready and others.', patch: 'merge', key: 'type' }),
  message: zero(3, string, 'Why it is in its present state, for people.'),
  reason: zero(4, string, 'Why it is in its present state, in one word.'),
  nominatedNodeName: zero(11, string, 'The node on which others are being evicted to make room for it.'),
  hostIP: zero(5, string, 'An address of its node.'),
  hostIPs: zero(16, list(HostIP), { doc: 'The addresses of its node.', patch: 'merge', key: 'ip' }),
  podIP: zero(6, string, 'Its address in the cluster.'),
  podIPs: zero(12, mapList(PodIP, ['ip']), { doc: 'Its addresses, one of each family.', patch: 'merge', key: 'ip' }),
  startTime: opt(7, time, 'When its node first took notice of it.'),
  initContainerStatuses: zero(10, list(ContainerStatus), 'The state of each init container.'),
  containerStatuses: zero(8, list(ContainerStatus), 'The state of each container.'),
  qosClass: zero(9, PodQOSClass, 'Guaranteed, Burstable or BestEffort: who is evicted first when a node runs short.'),
  ephemeralContainerStatuses: zero(13, list(ContainerStatus), 'The state of each ephemeral container.'),
  resize: zero(14, string, { doc: 'How a change of resources stands; deprecated in favour of conditions.', gate: 'InPlacePodVerticalScaling' }),
  resourceClaimStatuses: zero(15, mapList(PodResourceClaimStatus, ['name']), { doc: 'The claims that were made for the pod.', patch: 'merge,retainKeys', key: 'name', gate: 'DynamicResourceAllocation' }),
  extendedResourceClaimStatus: opt(18, PodExtendedResourceClaimStatus, { doc: 'The claim that was made for extended resources.', gate: 'DRAExtendedResource' }),
  allocatedResources: zero(19, map(quantity), { doc: 'What the node has set aside for the pod as a whole.', gate: 'InPlacePodLevelResourcesVerticalScaling' }),
  resources: opt(20, ResourceRequirements, { doc: 'What the pod as a whole is limited to and requests.', gate: 'InPlacePodLevelResourcesVerticalScaling' }),
  nodeAllocatableResourceClaimStatuses: zero(21, list(NodeAllocatableResourceClaimStatus), { doc: 'What claims take of the node.', gate: 'DRANodeAllocatableResources' }),
}, 'What is known of a pod.')
export interface PodStatus extends Of<typeof PodStatus> {}

export const Pod = root('Pod', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, PodSpec, 'What is wanted.'),
  status: fill(3, PodStatus, 'What is, reported by the node. Clients do not write it.'),
}, 'Containers that run together on one node, share its network address and can share volumes.')
export interface Pod extends Of<typeof Pod> {}

export const PodTemplateSpec = struct('PodTemplateSpec', {
  metadata: fill(1, ObjectMeta, 'Labels and annotations of the pods.'),
  spec: fill(2, PodSpec, 'The spec of the pods.'),
}, 'What the pods of a workload look like.')
export interface PodTemplateSpec extends Of<typeof PodTemplateSpec> {}

export const PodTemplate = root('PodTemplate', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  template: fill(2, PodTemplateSpec, 'What the pods look like.'),
}, 'A pod template that stands alone.')
export interface PodTemplate extends Of<typeof PodTemplate> {}

export const PodStatusResult = root('PodStatusResult', {
  metadata: fill(1, ObjectMeta, 'Name, namespace, labels and all else that every object has.'),
  status: fill(2, PodStatus, 'What is.'),
})
export interface PodStatusResult extends Of<typeof PodStatusResult> {}

const gv = groupVersion('', 'v1')

export const pods = gv.resource(Pod, { plural: 'pods', short: ['po'], categories: ['all'], namespaced: true, subresources: ['status', 'attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'resize'] })
export const podtemplates = gv.resource(PodTemplate, { plural: 'podtemplates', namespaced: true })
