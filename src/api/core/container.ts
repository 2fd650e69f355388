import { bool, fill, int32, int64, intOrString, list, map, mapList, oneOf, opt, quantity, req, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { ConfigMapKeySelector, LocalObjectReference, ObjectFieldSelector, Protocol, ResourceFieldSelector, ResourceRequirements, SecretKeySelector } from './shared.ts'
import { PullPolicy } from './volume.ts'

export const ContainerPort = struct('ContainerPort', {
  name: zero(1, string, 'A name that services can refer to.'),
  hostPort: zero(2, int32, 'A port of the node that leads to the container.'),
  containerPort: req(3, int32, 'The port inside the container.'),
  protocol: zero(4, Protocol, { doc: 'TCP (the default), UDP or SCTP.', default: 'TCP' }),
  hostIP: zero(5, string, 'The address of the node to bind hostPort to.'),
}, 'A port a container listens on.')
export interface ContainerPort extends Of<typeof ContainerPort> {}

export const ContainerResizePolicy = struct('ContainerResizePolicy', {
  resourceName: req(1, string, 'cpu or memory.'),
  restartPolicy: req(2, string, 'NotRequired or RestartContainer.'),
}, 'Whether a change of a resource needs a restart.')
export interface ContainerResizePolicy extends Of<typeof ContainerResizePolicy> {}

export const ContainerRestartRuleOnExitCodes = struct('ContainerRestartRuleOnExitCodes', {
  operator: zero(1, string, { doc: 'In or NotIn.', required: true }),
  values: zero(2, setOf(int32), 'The codes.'),
}, 'Exit codes.')
export interface ContainerRestartRuleOnExitCodes extends Of<typeof ContainerRestartRuleOnExitCodes> {}

export const ContainerRestartRule = struct('ContainerRestartRule', {
  action: zero(1, string, { doc: 'What to do: Restart or RestartAllContainers.', required: true }),
  exitCodes: opt(2, ContainerRestartRuleOnExitCodes, 'The exit codes.'),
}, 'What to do at certain exit codes.')
export interface ContainerRestartRule extends Of<typeof ContainerRestartRule> {}

export const ConfigMapEnvSource = struct('ConfigMapEnvSource', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  optional: opt(2, bool, 'Whether the config map may be missing.'),
}, 'A config map whose entries become environment variables.')
export interface ConfigMapEnvSource extends Of<typeof ConfigMapEnvSource> {}

export const SecretEnvSource = struct('SecretEnvSource', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  optional: opt(2, bool, 'Whether the secret may be missing.'),
}, 'A secret whose entries become environment variables.')
export interface SecretEnvSource extends Of<typeof SecretEnvSource> {}

export const EnvFromSource = struct('EnvFromSource', {
  prefix: zero(1, string, 'Text put before each name.'),
  configMapRef: opt(2, ConfigMapEnvSource, 'The config map.'),
  secretRef: opt(3, SecretEnvSource, 'The secret.'),
}, 'A config map or secret all of whose entries become environment variables.')
export interface EnvFromSource extends Of<typeof EnvFromSource> {}

export const FileKeySelector = struct('FileKeySelector', {
  volumeName: req(1, string, 'The volume.'),
  path: req(2, string, 'The path of the file in the volume.'),
  key: req(3, string, 'The variable.'),
  optional: opt(4, bool, { doc: 'Whether it may be missing.', default: false }),
}, { doc: 'A variable in a file of a volume.', atomic: true })
export interface FileKeySelector extends Of<typeof FileKeySelector> {}

export const EnvVarSource = struct('EnvVarSource', {
  fieldRef: opt(1, ObjectFieldSelector, "A field of the pod: metadata.name, metadata.namespace, metadata.uid, metadata.labels['x'], spec.nodeName, status.podIP and others."),
  resourceFieldRef: opt(2, ResourceFieldSelector, 'A limit or request of a container.'),
  configMapKeyRef: opt(3, ConfigMapKeySelector, 'An entry of a config map.'),
  secretKeyRef: opt(4, SecretKeySelector, 'An entry of a secret.'),
  fileKeyRef: opt(5, FileKeySelector, { doc: 'A variable in a file of a volume.', gate: 'EnvFiles' }),
}, 'Where the value of an environment variable comes from: exactly one of these.')
export interface EnvVarSource extends Of<typeof EnvVarSource> {}

export const EnvVar = struct('EnvVar', {
  name: req(1, string, 'The name of the variable.'),
  value: zero(2, string, 'The value. $(NAME) stands for a variable defined before; $$ for a dollar sign.'),
  valueFrom: opt(3, EnvVarSource, 'Where the value comes from, instead of value.'),
}, 'An environment variable.')
export interface EnvVar extends Of<typeof EnvVar> {}

export const ExecAction = struct('ExecAction', {
  command: zero(1, list(string), 'The command and its arguments; no shell is started.'),
}, 'A command.')
export interface ExecAction extends Of<typeof ExecAction> {}

export const HTTPHeader = struct('HTTPHeader', {
  name: req(1, string, 'The name of the header.'),
  value: req(2, string, 'The value of the header.'),
}, 'A header of an HTTP request.')
export interface HTTPHeader extends Of<typeof HTTPHeader> {}

export const URIScheme = oneOf('HTTP', 'HTTPS')
export type URIScheme = Of<typeof URIScheme>

export const HTTPGetAction = struct('HTTPGetAction', {
  path: zero(1, string, 'The path. Default /.'),
  port: req(2, intOrString, 'The port, by number or by name.'),
  host: zero(3, string, 'The host; by default the address of the pod.'),
  scheme: zero(4, URIScheme, 'HTTP (the default) or HTTPS.'),
  httpHeaders: zero(5, list(HTTPHeader), 'Headers to send.'),
}, 'An HTTP request.')
export interface HTTPGetAction extends Of<typeof HTTPGetAction> {}

export const SleepAction = struct('SleepAction', {
  seconds: req(1, int64, 'How long, in seconds.'),
}, 'A pause.')
export interface SleepAction extends Of<typeof SleepAction> {}

export const TCPSocketAction = struct('TCPSocketAction', {
  port: req(1, intOrString, 'The port, by number or by name.'),
  host: zero(2, string, 'The host; by default the address of the pod.'),
}, 'A TCP connection.')
export interface TCPSocketAction extends Of<typeof TCPSocketAction> {}

export const LifecycleHandler = struct('LifecycleHandler', {
  exec: opt(1, ExecAction, 'Runs a command in the container.'),
  httpGet: opt(2, HTTPGetAction, 'Fetches a URL.'),
  tcpSocket: opt(3, TCPSocketAction, 'Deprecated.'),
  sleep: opt(4, SleepAction, 'Waits.'),
}, 'What is done: exactly one of these.')
export interface LifecycleHandler extends Of<typeof LifecycleHandler> {}

export const Signal = oneOf('SIGABRT', 'SIGALRM', 'SIGBUS', 'SIGCHLD', 'SIGCLD', 'SIGCONT', 'SIGFPE', 'SIGHUP', 'SIGILL', 'SIGINT', 'SIGIO', 'SIGIOT', 'SIGKILL', 'SIGPIPE', 'SIGPOLL', 'SIGPROF', 'SIGPWR', 'SIGQUIT', 'SIGSEGV', 'SIGSTKFLT', 'SIGSTOP', 'SIGSYS', 'SIGTERM', 'SIGTRAP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGUSR1', 'SIGUSR2', 'SIGVTALRM', 'SIGWINCH', 'SIGXCPU', 'SIGXFSZ', 'SIGRTMIN', 'SIGRTMIN+1', 'SIGRTMIN+2', 'SIGRTMIN+3', 'SIGRTMIN+4', 'SIGRTMIN+5', 'SIGRTMIN+6', 'SIGRTMIN+7', 'SIGRTMIN+8', 'SIGRTMIN+9', 'SIGRTMIN+10', 'SIGRTMIN+11', 'SIGRTMIN+12', 'SIGRTMIN+13', 'SIGRTMIN+14', 'SIGRTMIN+15', 'SIGRTMAX-14', 'SIGRTMAX-13', 'SIGRTMAX-12', 'SIGRTMAX-11', 'SIGRTMAX-10', 'SIGRTMAX-9', 'SIGRTMAX-8', 'SIGRTMAX-7', 'SIGRTMAX-6', 'SIGRTMAX-5', 'SIGRTMAX-4', 'SIGRTMAX-3', 'SIGRTMAX-2', 'SIGRTMAX-1', 'SIGRTMAX')
export type Signal = Of<typeof Signal>

export const Lifecycle = struct('Lifecycle', {
  postStart: opt(1, LifecycleHandler, 'Done right after the container was created; until it is over the container does not count as running.'),
  preStop: opt(2, LifecycleHandler, 'Done before the container is asked to end.'),
  stopSignal: opt(3, Signal, 'The signal that asks the container to end.'),
}, 'What is done around the life of a container.')
export interface Lifecycle extends Of<typeof Lifecycle> {}

export const GRPCAction = struct('GRPCAction', {
  port: req(1, int32, 'The port.'),
  service: opt(2, string, { doc: 'The service to ask about.', default: '' }),
}, 'A call of the gRPC health service.')
export interface GRPCAction extends Of<typeof GRPCAction> {}

export const ProbeHandler = struct('ProbeHandler', {
  exec: opt(1, ExecAction, 'Runs a command in the container; exit code 0 is success.'),
  httpGet: opt(2, HTTPGetAction, 'Fetches a URL; a status from 200 to 399 is success.'),
  tcpSocket: opt(3, TCPSocketAction, 'Opens a connection.'),
  grpc: opt(4, GRPCAction, 'Calls the health service of gRPC.'),
}, 'How a check is made: exactly one of these.')
export interface ProbeHandler extends Of<typeof ProbeHandler> {}

export const Probe = struct('Probe', {
  handler: fill(1, ProbeHandler, { inline: true }),
  initialDelaySeconds: zero(2, int32, 'Seconds after the start before the first check.'),
  timeoutSeconds: zero(3, int32, 'Seconds after which a check counts as failed. Default 1.'),
  periodSeconds: zero(4, int32, 'Seconds between checks. Default 10.'),
  successThreshold: zero(5, int32, 'Successes in a row after a failure that count as success. Default 1.'),
  failureThreshold: zero(6, int32, 'Failures in a row that count as failure. Default 3.'),
  terminationGracePeriodSeconds: opt(7, int64, 'Seconds the container has to end when this probe fails, instead of those of the pod.'),
}, 'A check that is made again and again.')
export interface Probe extends Of<typeof Probe> {}

export const AppArmorProfileType = oneOf('Unconfined', 'RuntimeDefault', 'Localhost')
export type AppArmorProfileType = Of<typeof AppArmorProfileType>

export const AppArmorProfile = struct('AppArmorProfile', {
  type: req(1, AppArmorProfileType, 'RuntimeDefault, Localhost or Unconfined.'),
  localhostProfile: opt(2, string, 'The profile on the node, for type Localhost.'),
}, 'An AppArmor profile.')
export interface AppArmorProfile extends Of<typeof AppArmorProfile> {}

export const Capabilities = struct('Capabilities', {
  add: zero(1, list(string), 'Capabilities to add.'),
  drop: zero(2, list(string), 'Capabilities to take away.'),
}, 'Linux capabilities.')
export interface Capabilities extends Of<typeof Capabilities> {}

export const ProcMountType = oneOf('Default', 'Unmasked')
export type ProcMountType = Of<typeof ProcMountType>

export const SELinuxOptions = struct('SELinuxOptions', {
  user: zero(1, string, 'Its user.'),
  role: zero(2, string, 'Its role.'),
  type: zero(3, string, 'Its type.'),
  level: zero(4, string, 'Its level.'),
}, 'An SELinux label.')
export interface SELinuxOptions extends Of<typeof SELinuxOptions> {}

export const SeccompProfileType = oneOf('Unconfined', 'RuntimeDefault', 'Localhost')
export type SeccompProfileType = Of<typeof SeccompProfileType>

export const SeccompProfile = struct('SeccompProfile', {
  type: req(1, SeccompProfileType, 'RuntimeDefault, Localhost or Unconfined.'),
  localhostProfile: opt(2, string, 'A file on the node, for type Localhost.'),
}, 'Which system calls are allowed.')
export interface SeccompProfile extends Of<typeof SeccompProfile> {}

export const WindowsSecurityContextOptions = struct('WindowsSecurityContextOptions', {
  gmsaCredentialSpecName: opt(1, string, 'The name of the GMSA credential spec.'),
  gmsaCredentialSpec: opt(2, string, 'The GMSA credential spec itself.'),
  runAsUserName: opt(3, string, 'The user to run as.'),
  hostProcess: opt(4, bool, 'Whether it is a host process container.'),
})
export interface WindowsSecurityContextOptions extends Of<typeof WindowsSecurityContextOptions> {}

export const SecurityContext = struct('SecurityContext', {
  capabilities: opt(1, Capabilities, 'Linux capabilities to add and to drop.'),
  privileged: opt(2, bool, 'Run as root would on the node.'),
  seLinuxOptions: opt(3, SELinuxOptions, 'SELinux labels.'),
  windowsOptions: opt(10, WindowsSecurityContextOptions, 'Settings for Windows.'),
  runAsUser: opt(4, int64, 'The user id of the process.'),
  runAsGroup: opt(8, int64, 'The group id of the process.'),
  runAsNonRoot: opt(5, bool, 'Refuse to run as user 0.'),
  readOnlyRootFilesystem: opt(6, bool, 'Make the root file system read-only.'),
  allowPrivilegeEscalation: opt(7, bool, 'Whether a process can gain more privileges than its parent.'),
  procMount: opt(9, ProcMountType, 'How /proc is mounted: Default or Unmasked.'),
  seccompProfile: opt(11, SeccompProfile, 'Which system calls are allowed.'),
  appArmorProfile: opt(12, AppArmorProfile, 'The AppArmor profile.'),
}, 'User, group and privileges of a container; goes before what the pod says.')
export interface SecurityContext extends Of<typeof SecurityContext> {}

export const TerminationMessagePolicy = oneOf('File', 'FallbackToLogsOnError')
export type TerminationMessagePolicy = Of<typeof TerminationMessagePolicy>

export const VolumeDevice = struct('VolumeDevice', {
  name: req(1, string, 'The name of the volume, which must be a claim.'),
  devicePath: req(2, string, 'The path in the container.'),
}, 'Where a volume appears as a block device.')
export interface VolumeDevice extends Of<typeof VolumeDevice> {}

export const MountPropagationMode = oneOf('None', 'HostToContainer', 'Bidirectional')
export type MountPropagationMode = Of<typeof MountPropagationMode>

export const VolumeMount = struct('VolumeMount', {
  name: req(1, string, 'The name of the volume.'),
  readOnly: zero(2, bool, 'Mount it read-only.'),
  recursiveReadOnly: opt(7, string, 'Whether mounts below it are read-only too.'),
  mountPath: req(3, string, 'The path in the container.'),
  subPath: zero(4, string, 'A path in the volume to mount instead of its root.'),
  mountPropagation: opt(5, MountPropagationMode, 'Whether mounts made later are seen on the other side: None, HostToContainer or Bidirectional.'),
  subPathExpr: zero(6, string, 'Like subPath, with $(NAME) standing for environment variables.'),
}, 'Where a volume appears in a container.')
export interface VolumeMount extends Of<typeof VolumeMount> {}

export const Container = struct('Container', {
  name: req(1, string, 'The name, unique in the pod. It cannot be changed.'),
  image: zero(2, string, 'The image to run.'),
  command: zero(3, list(string), 'What to run instead of the entrypoint of the image. $(NAME) stands for an environment variable.'),
  args: zero(4, list(string), 'Arguments, instead of those of the image.'),
  workingDir: zero(5, string, 'The directory to start in.'),
  ports: zero(6, mapList(ContainerPort, ['containerPort', 'protocol']), { doc: 'Ports the container listens on, for others to know; those not listed can be reached as well.', patch: 'merge', key: 'containerPort' }),
  envFrom: zero(19, list(EnvFromSource), 'Config maps and secrets all of whose entries become environment variables.'),
  env: zero(7, mapList(EnvVar, ['name']), { doc: 'Environment variables.', patch: 'merge', key: 'name' }),
  resources: fill(8, ResourceRequirements, 'What the container requests of its node, and what it is limited to.'),
  resizePolicy: zero(23, list(ContainerResizePolicy), { doc: 'Whether the container must restart when its resources change.', gate: 'InPlacePodVerticalScaling' }),
  restartPolicy: opt(24, string, 'Whether the container is started again when it ends. For init containers Always means: keep it running beside the others.'),
  restartPolicyRules: zero(25, list(ContainerRestartRule), { doc: 'Exceptions from restartPolicy, by exit code.', gate: 'ContainerRestartRules' }),
  volumeMounts: zero(9, mapList(VolumeMount, ['mountPath']), { doc: 'Where volumes appear in the file system of the container.', patch: 'merge', key: 'mountPath' }),
  volumeDevices: zero(21, mapList(VolumeDevice, ['devicePath']), { doc: 'Where volumes appear as block devices.', patch: 'merge', key: 'devicePath' }),
  livenessProbe: opt(10, Probe, 'Checked again and again; when it fails the container is restarted.'),
  readinessProbe: opt(11, Probe, 'Checked again and again; while it fails the container gets no traffic from services.'),
  startupProbe: opt(22, Probe, 'Checked until it succeeds once; the other probes wait for it.'),
  lifecycle: opt(12, Lifecycle, 'What to do right after the start and before the end.'),
  terminationMessagePath: zero(13, string, 'A file whose contents tell why the container ended. Default /dev/termination-log.'),
  terminationMessagePolicy: zero(20, TerminationMessagePolicy, 'File, or FallbackToLogsOnError to use the end of the log when the file is empty.'),
  imagePullPolicy: zero(14, PullPolicy, 'Always, IfNotPresent or Never. The default is Always for the tag latest, IfNotPresent for others.'),
  securityContext: opt(15, SecurityContext, 'User, group and privileges of the container.'),
  stdin: zero(16, bool, 'Keep standard input open.'),
  stdinOnce: zero(17, bool, 'Close standard input when the first client leaves.'),
  tty: zero(18, bool, 'Give the container a terminal; needs stdin.'),
}, 'One container of a pod.')
export interface Container extends Of<typeof Container> {}

export const EphemeralContainerCommon = struct('EphemeralContainerCommon', {
  name: req(1, string, 'The name, unique in the pod. It cannot be changed.'),
  image: zero(2, string, 'The image to run.'),
  command: zero(3, list(string), 'What to run instead of the entrypoint of the image. $(NAME) stands for an environment variable.'),
  args: zero(4, list(string), 'Arguments, instead of those of the image.'),
  workingDir: zero(5, string, 'The directory to start in.'),
  ports: zero(6, mapList(ContainerPort, ['containerPort', 'protocol']), { doc: 'Ports the container listens on, for others to know; those not listed can be reached as well.', patch: 'merge', key: 'containerPort' }),
  envFrom: zero(19, list(EnvFromSource), 'Config maps and secrets all of whose entries become environment variables.'),
  env: zero(7, mapList(EnvVar, ['name']), { doc: 'Environment variables.', patch: 'merge', key: 'name' }),
  resources: fill(8, ResourceRequirements, 'What the container requests of its node, and what it is limited to.'),
  resizePolicy: zero(23, list(ContainerResizePolicy), { doc: 'Whether the container must restart when its resources change.', gate: 'InPlacePodVerticalScaling' }),
  restartPolicy: opt(24, string, 'Whether the container is started again when it ends. For init containers Always means: keep it running beside the others.'),
  restartPolicyRules: zero(25, list(ContainerRestartRule), { doc: 'Exceptions from restartPolicy, by exit code.', gate: 'ContainerRestartRules' }),
  volumeMounts: zero(9, mapList(VolumeMount, ['mountPath']), { doc: 'Where volumes appear in the file system of the container.', patch: 'merge', key: 'mountPath' }),
  volumeDevices: zero(21, mapList(VolumeDevice, ['devicePath']), { doc: 'Where volumes appear as block devices.', patch: 'merge', key: 'devicePath' }),
  livenessProbe: opt(10, Probe, 'Checked again and again; when it fails the container is restarted.'),
  readinessProbe: opt(11, Probe, 'Checked again and again; while it fails the container gets no traffic from services.'),
  startupProbe: opt(22, Probe, 'Checked until it succeeds once; the other probes wait for it.'),
  lifecycle: opt(12, Lifecycle, 'What to do right after the start and before the end.'),
  terminationMessagePath: zero(13, string, 'A file whose contents tell why the container ended. Default /dev/termination-log.'),
  terminationMessagePolicy: zero(20, TerminationMessagePolicy, 'File, or FallbackToLogsOnError to use the end of the log when the file is empty.'),
  imagePullPolicy: zero(14, PullPolicy, 'Always, IfNotPresent or Never. The default is Always for the tag latest, IfNotPresent for others.'),
  securityContext: opt(15, SecurityContext, 'User, group and privileges of the container.'),
  stdin: zero(16, bool, 'Keep standard input open.'),
  stdinOnce: zero(17, bool, 'Close standard input when the first client leaves.'),
  tty: zero(18, bool, 'Give the container a terminal; needs stdin.'),
}, 'What ephemeral containers have in common with others.')
export interface EphemeralContainerCommon extends Of<typeof EphemeralContainerCommon> {}

export const EphemeralContainer = struct('EphemeralContainer', {
  ephemeralContainerCommon: fill(1, EphemeralContainerCommon, { inline: true }),
  targetContainerName: zero(2, string, 'The container whose processes it should see.'),
}, 'A container put into a running pod to look around in it.')
export interface EphemeralContainer extends Of<typeof EphemeralContainer> {}

export const ContainerStateRunning = struct('ContainerStateRunning', {
  startedAt: fill(1, time, 'Since when.'),
}, 'A container that runs.')
export interface ContainerStateRunning extends Of<typeof ContainerStateRunning> {}

export const ContainerStateTerminated = struct('ContainerStateTerminated', {
  exitCode: req(1, int32, 'The exit code.'),
  signal: zero(2, int32, 'The signal that ended it.'),
  reason: zero(3, string, 'Why, in one word.'),
  message: zero(4, string, 'Why, for people.'),
  startedAt: fill(5, time, 'When it started.'),
  finishedAt: fill(6, time, 'When it ended.'),
  containerID: zero(7, string, 'What the runtime called it.'),
}, 'A container that has ended.')
export interface ContainerStateTerminated extends Of<typeof ContainerStateTerminated> {}

export const ContainerStateWaiting = struct('ContainerStateWaiting', {
  reason: zero(1, string, 'Why, in one word.'),
  message: zero(2, string, 'Why, for people.'),
}, 'Why a container is not running yet.')
export interface ContainerStateWaiting extends Of<typeof ContainerStateWaiting> {}

export const ContainerState = struct('ContainerState', {
  waiting: opt(1, ContainerStateWaiting, 'It has not started, or is to start again.'),
  running: opt(2, ContainerStateRunning, 'It is running.'),
  terminated: opt(3, ContainerStateTerminated, 'It has ended.'),
}, 'One of these; waiting when none is said.')
export interface ContainerState extends Of<typeof ContainerState> {}

export const LinuxContainerUser = struct('LinuxContainerUser', {
  uid: req(1, int64, 'Of the first process.'),
  gid: req(2, int64, 'Of the first process.'),
  supplementalGroups: zero(3, list(int64), 'Of the first process.'),
})
export interface LinuxContainerUser extends Of<typeof LinuxContainerUser> {}

export const ContainerUser = struct('ContainerUser', {
  linux: opt(1, LinuxContainerUser, 'The user on Linux.'),
})
export interface ContainerUser extends Of<typeof ContainerUser> {}

export const ResourceHealth = struct('ResourceHealth', {
  resourceID: req(1, string, 'Which device.'),
  health: zero(2, string, 'Healthy, Unhealthy or Unknown.'),
  message: opt(6, string, { doc: 'Why.', gate: 'ResourceHealthStatusMessage' }),
})
export interface ResourceHealth extends Of<typeof ResourceHealth> {}

export const ResourceStatus = struct('ResourceStatus', {
  name: req(1, string, 'Of the resource.'),
  resources: zero(2, mapList(ResourceHealth, ['resourceID']), 'The health of each of its devices.'),
})
export interface ResourceStatus extends Of<typeof ResourceStatus> {}

export const ImageVolumeStatus = struct('ImageVolumeStatus', {
  imageRef: zero(1, string, { doc: 'The image, with its digest.', required: true }),
})
export interface ImageVolumeStatus extends Of<typeof ImageVolumeStatus> {}

export const VolumeStatus = struct('VolumeStatus', {
  image: opt(1, ImageVolumeStatus, { doc: 'Of an image volume.', gate: 'ImageVolumeWithDigest' }),
})
export interface VolumeStatus extends Of<typeof VolumeStatus> {}

export const VolumeMountStatus = struct('VolumeMountStatus', {
  name: req(1, string, 'Of the volume.'),
  mountPath: req(2, string, 'Where in the container.'),
  readOnly: zero(3, bool, 'Whether it cannot be written to.'),
  recursiveReadOnly: opt(4, string, 'Disabled, IfPossible or Enabled: whether mounts below it cannot be written to either.'),
  volumeStatus: opt(5, VolumeStatus, 'Of the volume.'),
})
export interface VolumeMountStatus extends Of<typeof VolumeMountStatus> {}

export const ContainerStatus = struct('ContainerStatus', {
  name: req(1, string, 'The name of the container.'),
  state: fill(2, ContainerState, 'The present state.'),
  lastState: fill(3, ContainerState, 'The state before the last restart.'),
  ready: req(4, bool, 'Whether it is ready for traffic.'),
  restartCount: req(5, int32, 'How often it was restarted.'),
  image: req(6, string, 'The image it runs.'),
  imageID: req(7, string, 'The image it runs, by digest.'),
  containerID: zero(8, string, 'What the runtime calls it: type://id.'),
  started: opt(9, bool, 'Whether it has started, hooks and startup probe included.'),
  allocatedResources: zero(10, map(quantity), 'What the node has set aside for it.'),
  resources: opt(11, ResourceRequirements, { doc: 'What it really has.', gate: 'InPlacePodVerticalScaling' }),
  volumeMounts: zero(12, mapList(VolumeMountStatus, ['mountPath']), { doc: 'How its volumes are mounted.', patch: 'merge', key: 'mountPath' }),
  user: opt(13, ContainerUser, { doc: 'The user it runs as.', gate: 'SupplementalGroupsPolicy' }),
  allocatedResourcesStatus: zero(14, mapList(ResourceStatus, ['name']), { doc: 'The health of the devices it was given.', patch: 'merge', key: 'name', gate: 'ResourceHealthStatus' }),
  stopSignal: opt(15, Signal, { doc: 'The signal that ends it.', gate: 'ContainerStopSignals' }),
}, 'What is known of one container.')
export interface ContainerStatus extends Of<typeof ContainerStatus> {}
