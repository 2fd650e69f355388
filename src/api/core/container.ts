import { bool, fill, int32, int64, intOrString, list, map, mapList, oneOf, opt, quantity, req, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { ConfigMapKeySelector, LocalObjectReference, ObjectFieldSelector, Protocol, ResourceFieldSelector, ResourceRequirements, SecretKeySelector } from './shared.ts'
import { PullPolicy } from './volume.ts'

export const ContainerPort = struct('ContainerPort', {
  name: zero(1, string),
  hostPort: zero(2, int32),
  containerPort: req(3, int32),
  protocol: zero(4, Protocol, { default: 'TCP' }),
  hostIP: zero(5, string),
})
export interface ContainerPort extends Of<typeof ContainerPort> {}

export const ContainerResizePolicy = struct('ContainerResizePolicy', {
  resourceName: req(1, string),
  restartPolicy: req(2, string),
})
export interface ContainerResizePolicy extends Of<typeof ContainerResizePolicy> {}

export const ContainerRestartRuleOnExitCodes = struct('ContainerRestartRuleOnExitCodes', {
  operator: zero(1, string, { required: true }),
  values: zero(2, setOf(int32)),
})
export interface ContainerRestartRuleOnExitCodes extends Of<typeof ContainerRestartRuleOnExitCodes> {}

export const ContainerRestartRule = struct('ContainerRestartRule', {
  action: zero(1, string, { required: true }),
  exitCodes: opt(2, ContainerRestartRuleOnExitCodes),
})
export interface ContainerRestartRule extends Of<typeof ContainerRestartRule> {}

export const ConfigMapEnvSource = struct('ConfigMapEnvSource', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  optional: opt(2, bool),
})
export interface ConfigMapEnvSource extends Of<typeof ConfigMapEnvSource> {}

export const SecretEnvSource = struct('SecretEnvSource', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  optional: opt(2, bool),
})
export interface SecretEnvSource extends Of<typeof SecretEnvSource> {}

export const EnvFromSource = struct('EnvFromSource', {
  prefix: zero(1, string),
  configMapRef: opt(2, ConfigMapEnvSource),
  secretRef: opt(3, SecretEnvSource),
})
export interface EnvFromSource extends Of<typeof EnvFromSource> {}

export const FileKeySelector = struct('FileKeySelector', {
  volumeName: req(1, string),
  path: req(2, string),
  key: req(3, string),
  optional: opt(4, bool, { default: false }),
}, { atomic: true })
export interface FileKeySelector extends Of<typeof FileKeySelector> {}

export const EnvVarSource = struct('EnvVarSource', {
  fieldRef: opt(1, ObjectFieldSelector),
  resourceFieldRef: opt(2, ResourceFieldSelector),
  configMapKeyRef: opt(3, ConfigMapKeySelector),
  secretKeyRef: opt(4, SecretKeySelector),
  fileKeyRef: opt(5, FileKeySelector, { gate: 'EnvFiles' }),
})
export interface EnvVarSource extends Of<typeof EnvVarSource> {}

export const EnvVar = struct('EnvVar', {
  name: req(1, string),
  value: zero(2, string),
  valueFrom: opt(3, EnvVarSource),
})
export interface EnvVar extends Of<typeof EnvVar> {}

export const ExecAction = struct('ExecAction', {
  command: zero(1, list(string)),
})
export interface ExecAction extends Of<typeof ExecAction> {}

export const HTTPHeader = struct('HTTPHeader', {
  name: req(1, string),
  value: req(2, string),
})
export interface HTTPHeader extends Of<typeof HTTPHeader> {}

export const URIScheme = oneOf('HTTP', 'HTTPS')
export type URIScheme = Of<typeof URIScheme>

export const HTTPGetAction = struct('HTTPGetAction', {
  path: zero(1, string),
  port: req(2, intOrString),
  host: zero(3, string),
  scheme: zero(4, URIScheme),
  httpHeaders: zero(5, list(HTTPHeader)),
})
export interface HTTPGetAction extends Of<typeof HTTPGetAction> {}

export const SleepAction = struct('SleepAction', {
  seconds: req(1, int64),
})
export interface SleepAction extends Of<typeof SleepAction> {}

export const TCPSocketAction = struct('TCPSocketAction', {
  port: req(1, intOrString),
  host: zero(2, string),
})
export interface TCPSocketAction extends Of<typeof TCPSocketAction> {}

export const LifecycleHandler = struct('LifecycleHandler', {
  exec: opt(1, ExecAction),
  httpGet: opt(2, HTTPGetAction),
  tcpSocket: opt(3, TCPSocketAction),
  sleep: opt(4, SleepAction),
})
export interface LifecycleHandler extends Of<typeof LifecycleHandler> {}

export const Signal = oneOf('SIGABRT', 'SIGALRM', 'SIGBUS', 'SIGCHLD', 'SIGCLD', 'SIGCONT', 'SIGFPE', 'SIGHUP', 'SIGILL', 'SIGINT', 'SIGIO', 'SIGIOT', 'SIGKILL', 'SIGPIPE', 'SIGPOLL', 'SIGPROF', 'SIGPWR', 'SIGQUIT', 'SIGSEGV', 'SIGSTKFLT', 'SIGSTOP', 'SIGSYS', 'SIGTERM', 'SIGTRAP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGUSR1', 'SIGUSR2', 'SIGVTALRM', 'SIGWINCH', 'SIGXCPU', 'SIGXFSZ', 'SIGRTMIN', 'SIGRTMIN+1', 'SIGRTMIN+2', 'SIGRTMIN+3', 'SIGRTMIN+4', 'SIGRTMIN+5', 'SIGRTMIN+6', 'SIGRTMIN+7', 'SIGRTMIN+8', 'SIGRTMIN+9', 'SIGRTMIN+10', 'SIGRTMIN+11', 'SIGRTMIN+12', 'SIGRTMIN+13', 'SIGRTMIN+14', 'SIGRTMIN+15', 'SIGRTMAX-14', 'SIGRTMAX-13', 'SIGRTMAX-12', 'SIGRTMAX-11', 'SIGRTMAX-10', 'SIGRTMAX-9', 'SIGRTMAX-8', 'SIGRTMAX-7', 'SIGRTMAX-6', 'SIGRTMAX-5', 'SIGRTMAX-4', 'SIGRTMAX-3', 'SIGRTMAX-2', 'SIGRTMAX-1', 'SIGRTMAX')
export type Signal = Of<typeof Signal>

export const Lifecycle = struct('Lifecycle', {
  postStart: opt(1, LifecycleHandler),
  preStop: opt(2, LifecycleHandler),
  stopSignal: opt(3, Signal),
})
export interface Lifecycle extends Of<typeof Lifecycle> {}

export const GRPCAction = struct('GRPCAction', {
  port: req(1, int32),
  service: opt(2, string, { default: '' }),
})
export interface GRPCAction extends Of<typeof GRPCAction> {}

export const ProbeHandler = struct('ProbeHandler', {
  exec: opt(1, ExecAction),
  httpGet: opt(2, HTTPGetAction),
  tcpSocket: opt(3, TCPSocketAction),
  grpc: opt(4, GRPCAction),
})
export interface ProbeHandler extends Of<typeof ProbeHandler> {}

export const Probe = struct('Probe', {
  handler: fill(1, ProbeHandler, { inline: true }),
  initialDelaySeconds: zero(2, int32),
  timeoutSeconds: zero(3, int32),
  periodSeconds: zero(4, int32),
  successThreshold: zero(5, int32),
  failureThreshold: zero(6, int32),
  terminationGracePeriodSeconds: opt(7, int64),
})
export interface Probe extends Of<typeof Probe> {}

export const AppArmorProfileType = oneOf('Unconfined', 'RuntimeDefault', 'Localhost')
export type AppArmorProfileType = Of<typeof AppArmorProfileType>

export const AppArmorProfile = struct('AppArmorProfile', {
  type: req(1, AppArmorProfileType),
  localhostProfile: opt(2, string),
})
export interface AppArmorProfile extends Of<typeof AppArmorProfile> {}

export const Capabilities = struct('Capabilities', {
  add: zero(1, list(string)),
  drop: zero(2, list(string)),
})
export interface Capabilities extends Of<typeof Capabilities> {}

export const ProcMountType = oneOf('Default', 'Unmasked')
export type ProcMountType = Of<typeof ProcMountType>

export const SELinuxOptions = struct('SELinuxOptions', {
  user: zero(1, string),
  role: zero(2, string),
  type: zero(3, string),
  level: zero(4, string),
})
export interface SELinuxOptions extends Of<typeof SELinuxOptions> {}

export const SeccompProfileType = oneOf('Unconfined', 'RuntimeDefault', 'Localhost')
export type SeccompProfileType = Of<typeof SeccompProfileType>

export const SeccompProfile = struct('SeccompProfile', {
  type: req(1, SeccompProfileType),
  localhostProfile: opt(2, string),
})
export interface SeccompProfile extends Of<typeof SeccompProfile> {}

export const WindowsSecurityContextOptions = struct('WindowsSecurityContextOptions', {
  gmsaCredentialSpecName: opt(1, string),
  gmsaCredentialSpec: opt(2, string),
  runAsUserName: opt(3, string),
  hostProcess: opt(4, bool),
})
export interface WindowsSecurityContextOptions extends Of<typeof WindowsSecurityContextOptions> {}

export const SecurityContext = struct('SecurityContext', {
  capabilities: opt(1, Capabilities),
  privileged: opt(2, bool),
  seLinuxOptions: opt(3, SELinuxOptions),
  windowsOptions: opt(10, WindowsSecurityContextOptions),
  runAsUser: opt(4, int64),
  runAsGroup: opt(8, int64),
  runAsNonRoot: opt(5, bool),
  readOnlyRootFilesystem: opt(6, bool),
  allowPrivilegeEscalation: opt(7, bool),
  procMount: opt(9, ProcMountType),
  seccompProfile: opt(11, SeccompProfile),
  appArmorProfile: opt(12, AppArmorProfile),
})
export interface SecurityContext extends Of<typeof SecurityContext> {}

export const TerminationMessagePolicy = oneOf('File', 'FallbackToLogsOnError')
export type TerminationMessagePolicy = Of<typeof TerminationMessagePolicy>

export const VolumeDevice = struct('VolumeDevice', {
  name: req(1, string),
  devicePath: req(2, string),
})
export interface VolumeDevice extends Of<typeof VolumeDevice> {}

export const MountPropagationMode = oneOf('None', 'HostToContainer', 'Bidirectional')
export type MountPropagationMode = Of<typeof MountPropagationMode>

export const VolumeMount = struct('VolumeMount', {
  name: req(1, string),
  readOnly: zero(2, bool),
  recursiveReadOnly: opt(7, string),
  mountPath: req(3, string),
  subPath: zero(4, string),
  mountPropagation: opt(5, MountPropagationMode),
  subPathExpr: zero(6, string),
})
export interface VolumeMount extends Of<typeof VolumeMount> {}

export const Container = struct('Container', {
  name: req(1, string),
  image: zero(2, string),
  command: zero(3, list(string)),
  args: zero(4, list(string)),
  workingDir: zero(5, string),
  ports: zero(6, mapList(ContainerPort, ['containerPort', 'protocol']), { patch: 'merge', key: 'containerPort' }),
  envFrom: zero(19, list(EnvFromSource)),
  env: zero(7, mapList(EnvVar, ['name']), { patch: 'merge', key: 'name' }),
  resources: fill(8, ResourceRequirements),
  resizePolicy: zero(23, list(ContainerResizePolicy), { gate: 'InPlacePodVerticalScaling' }),
  restartPolicy: opt(24, string),
  restartPolicyRules: zero(25, list(ContainerRestartRule), { gate: 'ContainerRestartRules' }),
  volumeMounts: zero(9, mapList(VolumeMount, ['mountPath']), { patch: 'merge', key: 'mountPath' }),
  volumeDevices: zero(21, mapList(VolumeDevice, ['devicePath']), { patch: 'merge', key: 'devicePath' }),
  livenessProbe: opt(10, Probe),
  readinessProbe: opt(11, Probe),
  startupProbe: opt(22, Probe),
  lifecycle: opt(12, Lifecycle),
  terminationMessagePath: zero(13, string),
  terminationMessagePolicy: zero(20, TerminationMessagePolicy),
  imagePullPolicy: zero(14, PullPolicy),
  securityContext: opt(15, SecurityContext),
  stdin: zero(16, bool),
  stdinOnce: zero(17, bool),
  tty: zero(18, bool),
})
export interface Container extends Of<typeof Container> {}

export const EphemeralContainerCommon = struct('EphemeralContainerCommon', {
  name: req(1, string),
  image: zero(2, string),
  command: zero(3, list(string)),
  args: zero(4, list(string)),
  workingDir: zero(5, string),
  ports: zero(6, mapList(ContainerPort, ['containerPort', 'protocol']), { patch: 'merge', key: 'containerPort' }),
  envFrom: zero(19, list(EnvFromSource)),
  env: zero(7, mapList(EnvVar, ['name']), { patch: 'merge', key: 'name' }),
  resources: fill(8, ResourceRequirements),
  resizePolicy: zero(23, list(ContainerResizePolicy), { gate: 'InPlacePodVerticalScaling' }),
  restartPolicy: opt(24, string),
  restartPolicyRules: zero(25, list(ContainerRestartRule), { gate: 'ContainerRestartRules' }),
  volumeMounts: zero(9, mapList(VolumeMount, ['mountPath']), { patch: 'merge', key: 'mountPath' }),
  volumeDevices: zero(21, mapList(VolumeDevice, ['devicePath']), { patch: 'merge', key: 'devicePath' }),
  livenessProbe: opt(10, Probe),
  readinessProbe: opt(11, Probe),
  startupProbe: opt(22, Probe),
  lifecycle: opt(12, Lifecycle),
  terminationMessagePath: zero(13, string),
  terminationMessagePolicy: zero(20, TerminationMessagePolicy),
  imagePullPolicy: zero(14, PullPolicy),
  securityContext: opt(15, SecurityContext),
  stdin: zero(16, bool),
  stdinOnce: zero(17, bool),
  tty: zero(18, bool),
})
export interface EphemeralContainerCommon extends Of<typeof EphemeralContainerCommon> {}

export const EphemeralContainer = struct('EphemeralContainer', {
  ephemeralContainerCommon: fill(1, EphemeralContainerCommon, { inline: true }),
  targetContainerName: zero(2, string),
})
export interface EphemeralContainer extends Of<typeof EphemeralContainer> {}

export const ContainerStateRunning = struct('ContainerStateRunning', {
  startedAt: fill(1, time),
})
export interface ContainerStateRunning extends Of<typeof ContainerStateRunning> {}

export const ContainerStateTerminated = struct('ContainerStateTerminated', {
  exitCode: req(1, int32),
  signal: zero(2, int32),
  reason: zero(3, string),
  message: zero(4, string),
  startedAt: fill(5, time),
  finishedAt: fill(6, time),
  containerID: zero(7, string),
})
export interface ContainerStateTerminated extends Of<typeof ContainerStateTerminated> {}

export const ContainerStateWaiting = struct('ContainerStateWaiting', {
  reason: zero(1, string),
  message: zero(2, string),
})
export interface ContainerStateWaiting extends Of<typeof ContainerStateWaiting> {}

export const ContainerState = struct('ContainerState', {
  waiting: opt(1, ContainerStateWaiting),
  running: opt(2, ContainerStateRunning),
  terminated: opt(3, ContainerStateTerminated),
})
export interface ContainerState extends Of<typeof ContainerState> {}

export const LinuxContainerUser = struct('LinuxContainerUser', {
  uid: req(1, int64),
  gid: req(2, int64),
  supplementalGroups: zero(3, list(int64)),
})
export interface LinuxContainerUser extends Of<typeof LinuxContainerUser> {}

export const ContainerUser = struct('ContainerUser', {
  linux: opt(1, LinuxContainerUser),
})
export interface ContainerUser extends Of<typeof ContainerUser> {}

export const ResourceHealth = struct('ResourceHealth', {
  resourceID: req(1, string),
  health: zero(2, string),
  message: opt(6, string, { gate: 'ResourceHealthStatusMessage' }),
})
export interface ResourceHealth extends Of<typeof ResourceHealth> {}

export const ResourceStatus = struct('ResourceStatus', {
  name: req(1, string),
  resources: zero(2, mapList(ResourceHealth, ['resourceID'])),
})
export interface ResourceStatus extends Of<typeof ResourceStatus> {}

export const ImageVolumeStatus = struct('ImageVolumeStatus', {
  imageRef: zero(1, string, { required: true }),
})
export interface ImageVolumeStatus extends Of<typeof ImageVolumeStatus> {}

export const VolumeStatus = struct('VolumeStatus', {
  image: opt(1, ImageVolumeStatus, { gate: 'ImageVolumeWithDigest' }),
})
export interface VolumeStatus extends Of<typeof VolumeStatus> {}

export const VolumeMountStatus = struct('VolumeMountStatus', {
  name: req(1, string),
  mountPath: req(2, string),
  readOnly: zero(3, bool),
  recursiveReadOnly: opt(4, string),
  volumeStatus: opt(5, VolumeStatus),
})
export interface VolumeMountStatus extends Of<typeof VolumeMountStatus> {}

export const ContainerStatus = struct('ContainerStatus', {
  name: req(1, string),
  state: fill(2, ContainerState),
  lastState: fill(3, ContainerState),
  ready: req(4, bool),
  restartCount: req(5, int32),
  image: req(6, string),
  imageID: req(7, string),
  containerID: zero(8, string),
  started: opt(9, bool),
  allocatedResources: zero(10, map(quantity)),
  resources: opt(11, ResourceRequirements, { gate: 'InPlacePodVerticalScaling' }),
  volumeMounts: zero(12, mapList(VolumeMountStatus, ['mountPath']), { patch: 'merge', key: 'mountPath' }),
  user: opt(13, ContainerUser, { gate: 'SupplementalGroupsPolicy' }),
  allocatedResourcesStatus: zero(14, mapList(ResourceStatus, ['name']), { patch: 'merge', key: 'name', gate: 'ResourceHealthStatus' }),
  stopSignal: opt(15, Signal, { gate: 'ContainerStopSignals' }),
})
export interface ContainerStatus extends Of<typeof ContainerStatus> {}
