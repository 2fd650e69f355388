import { atomicMap, bool, fill, int32, int64, list, map, mapList, oneOf, opt, quantity, req, root, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { AppArmorProfile, Container, ContainerStatus, EphemeralContainer, SELinuxOptions, SeccompProfile, WindowsSecurityContextOptions } from './container.ts'
import { LocalObjectReference, NodeSelector, NodeSelectorTerm, ResourceRequirements, Toleration } from './shared.ts'
import { Volume } from './volume.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const PreferredSchedulingTerm = struct('PreferredSchedulingTerm', {
  weight: req(1, int32),
  preference: req(2, NodeSelectorTerm),
})
export interface PreferredSchedulingTerm extends Of<typeof PreferredSchedulingTerm> {}

export const NodeAffinity = struct('NodeAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: opt(1, NodeSelector),
  preferredDuringSchedulingIgnoredDuringExecution: zero(2, list(PreferredSchedulingTerm)),
})
export interface NodeAffinity extends Of<typeof NodeAffinity> {}

export const PodAffinityTerm = struct('PodAffinityTerm', {
  labelSelector: opt(1, LabelSelector),
  namespaces: zero(2, list(string)),
  topologyKey: req(3, string),
  namespaceSelector: opt(4, LabelSelector),
  matchLabelKeys: zero(5, list(string)),
  mismatchLabelKeys: zero(6, list(string)),
})
export interface PodAffinityTerm extends Of<typeof PodAffinityTerm> {}

export const WeightedPodAffinityTerm = struct('WeightedPodAffinityTerm', {
  weight: req(1, int32),
  podAffinityTerm: req(2, PodAffinityTerm),
})
export interface WeightedPodAffinityTerm extends Of<typeof WeightedPodAffinityTerm> {}

export const PodAffinity = struct('PodAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: zero(1, list(PodAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: zero(2, list(WeightedPodAffinityTerm)),
})
export interface PodAffinity extends Of<typeof PodAffinity> {}

export const PodAntiAffinity = struct('PodAntiAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: zero(1, list(PodAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: zero(2, list(WeightedPodAffinityTerm)),
})
export interface PodAntiAffinity extends Of<typeof PodAntiAffinity> {}

export const Affinity = struct('Affinity', {
  nodeAffinity: opt(1, NodeAffinity),
  podAffinity: opt(2, PodAffinity),
  podAntiAffinity: opt(3, PodAntiAffinity),
})
export interface Affinity extends Of<typeof Affinity> {}

export const DNSPolicy = oneOf('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None')
export type DNSPolicy = Of<typeof DNSPolicy>

export const HostAlias = struct('HostAlias', {
  ip: req(1, string),
  hostnames: zero(2, list(string)),
})
export interface HostAlias extends Of<typeof HostAlias> {}

export const PodDNSConfigOption = struct('PodDNSConfigOption', {
  name: zero(1, string),
  value: opt(2, string),
})
export interface PodDNSConfigOption extends Of<typeof PodDNSConfigOption> {}

export const PodDNSConfig = struct('PodDNSConfig', {
  nameservers: zero(1, list(string)),
  searches: zero(2, list(string)),
  options: zero(3, list(PodDNSConfigOption)),
})
export interface PodDNSConfig extends Of<typeof PodDNSConfig> {}

export const PodOS = struct('PodOS', {
  name: req(1, string),
})
export interface PodOS extends Of<typeof PodOS> {}

export const PodReadinessGate = struct('PodReadinessGate', {
  conditionType: req(1, string),
})
export interface PodReadinessGate extends Of<typeof PodReadinessGate> {}

export const PodResourceClaim = struct('PodResourceClaim', {
  name: req(1, string),
  resourceClaimName: opt(3, string),
  resourceClaimTemplateName: opt(4, string),
})
export interface PodResourceClaim extends Of<typeof PodResourceClaim> {}

export const PodSchedulingGate = struct('PodSchedulingGate', {
  name: req(1, string),
})
export interface PodSchedulingGate extends Of<typeof PodSchedulingGate> {}

export const PodSchedulingGroup = struct('PodSchedulingGroup', {
  podGroupName: opt(1, string),
})
export interface PodSchedulingGroup extends Of<typeof PodSchedulingGroup> {}

export const PodFSGroupChangePolicy = oneOf('OnRootMismatch', 'Always')
export type PodFSGroupChangePolicy = Of<typeof PodFSGroupChangePolicy>

export const SupplementalGroupsPolicy = oneOf('Merge', 'Strict')
export type SupplementalGroupsPolicy = Of<typeof SupplementalGroupsPolicy>

export const Sysctl = struct('Sysctl', {
  name: req(1, string),
  value: req(2, string),
})
export interface Sysctl extends Of<typeof Sysctl> {}

export const PodSecurityContext = struct('PodSecurityContext', {
  seLinuxOptions: opt(1, SELinuxOptions),
  windowsOptions: opt(8, WindowsSecurityContextOptions),
  runAsUser: opt(2, int64),
  runAsGroup: opt(6, int64),
  runAsNonRoot: opt(3, bool),
  supplementalGroups: zero(4, list(int64)),
  supplementalGroupsPolicy: opt(12, SupplementalGroupsPolicy, { gate: 'SupplementalGroupsPolicy' }),
  fsGroup: opt(5, int64),
  sysctls: zero(7, list(Sysctl)),
  fsGroupChangePolicy: opt(9, PodFSGroupChangePolicy),
  seccompProfile: opt(10, SeccompProfile),
  appArmorProfile: opt(11, AppArmorProfile),
  seLinuxChangePolicy: opt(13, string, { gate: 'SELinuxChangePolicy' }),
})
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
  maxSkew: req(1, int32),
  topologyKey: req(2, string),
  whenUnsatisfiable: req(3, UnsatisfiableConstraintAction),
  labelSelector: opt(4, LabelSelector),
  minDomains: opt(5, int32),
  nodeAffinityPolicy: opt(6, NodeInclusionPolicy),
  nodeTaintsPolicy: opt(7, NodeInclusionPolicy),
  matchLabelKeys: zero(8, list(string)),
})
export interface TopologySpreadConstraint extends Of<typeof TopologySpreadConstraint> {}

export const PodSpec = struct('PodSpec', {
  volumes: zero(1, mapList(Volume, ['name']), { patch: 'merge,retainKeys', key: 'name' }),
  initContainers: zero(20, mapList(Container, ['name']), { patch: 'merge', key: 'name' }),
  containers: req(2, mapList(Container, ['name']), { patch: 'merge', key: 'name' }),
  ephemeralContainers: zero(34, mapList(EphemeralContainer, ['name']), { patch: 'merge', key: 'name' }),
  restartPolicy: zero(3, RestartPolicy),
  terminationGracePeriodSeconds: opt(4, int64),
  activeDeadlineSeconds: opt(5, int64),
  dnsPolicy: zero(6, DNSPolicy),
  nodeSelector: zero(7, atomicMap(string)),
  serviceAccountName: zero(8, string),
  serviceAccount: zero(9, string),
  automountServiceAccountToken: opt(21, bool),
  nodeName: zero(10, string),
  hostNetwork: zero(11, bool),
  hostPID: zero(12, bool),
  hostIPC: zero(13, bool),
  shareProcessNamespace: opt(27, bool),
  securityContext: opt(14, PodSecurityContext),
  imagePullSecrets: zero(15, mapList(LocalObjectReference, ['name']), { patch: 'merge', key: 'name' }),
  hostname: zero(16, string),
  subdomain: zero(17, string),
  affinity: opt(18, Affinity),
  schedulerName: zero(19, string),
  tolerations: zero(22, list(Toleration)),
  hostAliases: zero(23, mapList(HostAlias, ['ip']), { patch: 'merge', key: 'ip' }),
  priorityClassName: zero(24, string),
  priority: opt(25, int32),
  dnsConfig: opt(26, PodDNSConfig),
  readinessGates: zero(28, list(PodReadinessGate)),
  runtimeClassName: opt(29, string),
  enableServiceLinks: opt(30, bool),
  preemptionPolicy: opt(31, PreemptionPolicy),
  overhead: zero(32, map(quantity)),
  topologySpreadConstraints: zero(33, mapList(TopologySpreadConstraint, ['topologyKey', 'whenUnsatisfiable']), { patch: 'merge', key: 'topologyKey' }),
  setHostnameAsFQDN: opt(35, bool),
  os: opt(36, PodOS),
  hostUsers: opt(37, bool),
  schedulingGates: zero(38, mapList(PodSchedulingGate, ['name']), { patch: 'merge', key: 'name' }),
  resourceClaims: zero(39, mapList(PodResourceClaim, ['name']), { patch: 'merge,retainKeys', key: 'name', gate: 'DynamicResourceAllocation' }),
  resources: opt(40, ResourceRequirements, { gate: 'PodLevelResources' }),
  hostnameOverride: opt(41, string, { gate: 'HostnameOverride' }),
  schedulingGroup: opt(43, PodSchedulingGroup, { gate: 'GenericWorkload' }),
})
export interface PodSpec extends Of<typeof PodSpec> {}

export const HostIP = struct('HostIP', {
  ip: req(1, string),
})
export interface HostIP extends Of<typeof HostIP> {}

export const NodeAllocatableResourceClaimStatus = struct('NodeAllocatableResourceClaimStatus', {
  resourceClaimName: req(1, string),
  containers: zero(2, setOf(string)),
  resources: req(3, map(quantity)),
})
export interface NodeAllocatableResourceClaimStatus extends Of<typeof NodeAllocatableResourceClaimStatus> {}

export const PodCondition = struct('PodCondition', {
  type: req(1, string),
  observedGeneration: zero(7, int64),
  status: req(2, string),
  lastProbeTime: fill(3, time),
  lastTransitionTime: fill(4, time),
  reason: zero(5, string),
  message: zero(6, string),
})
export interface PodCondition extends Of<typeof PodCondition> {}

export const ContainerExtendedResourceRequest = struct('ContainerExtendedResourceRequest', {
  containerName: req(1, string),
  resourceName: req(2, string),
  requestName: req(3, string),
})
export interface ContainerExtendedResourceRequest extends Of<typeof ContainerExtendedResourceRequest> {}

export const PodExtendedResourceClaimStatus = struct('PodExtendedResourceClaimStatus', {
  requestMappings: req(1, list(ContainerExtendedResourceRequest)),
  resourceClaimName: req(2, string),
})
export interface PodExtendedResourceClaimStatus extends Of<typeof PodExtendedResourceClaimStatus> {}

export const PodIP = struct('PodIP', {
  ip: req(1, string),
})
export interface PodIP extends Of<typeof PodIP> {}

export const PodPhase = oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown')
export type PodPhase = Of<typeof PodPhase>

export const PodQOSClass = oneOf('Guaranteed', 'Burstable', 'BestEffort')
export type PodQOSClass = Of<typeof PodQOSClass>

export const PodResourceClaimStatus = struct('PodResourceClaimStatus', {
  name: req(1, string),
  resourceClaimName: opt(2, string),
})
export interface PodResourceClaimStatus extends Of<typeof PodResourceClaimStatus> {}

export const PodStatus = struct('PodStatus', {
  observedGeneration: zero(17, int64),
  phase: zero(1, PodPhase),
  conditions: zero(2, mapList(PodCondition, ['type']), { patch: 'merge', key: 'type' }),
  message: zero(3, string),
  reason: zero(4, string),
  nominatedNodeName: zero(11, string),
  hostIP: zero(5, string),
  hostIPs: zero(16, list(HostIP), { patch: 'merge', key: 'ip' }),
  podIP: zero(6, string),
  podIPs: zero(12, mapList(PodIP, ['ip']), { patch: 'merge', key: 'ip' }),
  startTime: opt(7, time),
  initContainerStatuses: zero(10, list(ContainerStatus)),
  containerStatuses: zero(8, list(ContainerStatus)),
  qosClass: zero(9, PodQOSClass),
  ephemeralContainerStatuses: zero(13, list(ContainerStatus)),
  resize: zero(14, string, { gate: 'InPlacePodVerticalScaling' }),
  resourceClaimStatuses: zero(15, mapList(PodResourceClaimStatus, ['name']), { patch: 'merge,retainKeys', key: 'name', gate: 'DynamicResourceAllocation' }),
  extendedResourceClaimStatus: opt(18, PodExtendedResourceClaimStatus, { gate: 'DRAExtendedResource' }),
  allocatedResources: zero(19, map(quantity), { gate: 'InPlacePodLevelResourcesVerticalScaling' }),
  resources: opt(20, ResourceRequirements, { gate: 'InPlacePodLevelResourcesVerticalScaling' }),
  nodeAllocatableResourceClaimStatuses: zero(21, list(NodeAllocatableResourceClaimStatus), { gate: 'DRANodeAllocatableResources' }),
})
export interface PodStatus extends Of<typeof PodStatus> {}

export const Pod = root('Pod', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, PodSpec),
  status: fill(3, PodStatus),
})
export interface Pod extends Of<typeof Pod> {}

export const PodTemplateSpec = struct('PodTemplateSpec', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, PodSpec),
})
export interface PodTemplateSpec extends Of<typeof PodTemplateSpec> {}

export const PodTemplate = root('PodTemplate', {
  metadata: fill(1, ObjectMeta),
  template: fill(2, PodTemplateSpec),
})
export interface PodTemplate extends Of<typeof PodTemplate> {}

export const PodStatusResult = root('PodStatusResult', {
  metadata: fill(1, ObjectMeta),
  status: fill(2, PodStatus),
})
export interface PodStatusResult extends Of<typeof PodStatusResult> {}

const gv = groupVersion('', 'v1')

export const pods = gv.resource(Pod, { plural: 'pods', short: ['po'], categories: ['all'], namespaced: true, subresources: ['status', 'attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'resize'] })
export const podtemplates = gv.resource(PodTemplate, { plural: 'podtemplates', namespaced: true })
