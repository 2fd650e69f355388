/**
 * What the node agent needs of a container runtime. `cri.ts` implements it over CRI v1 (containerd); nothing above this
 * file knows of gRPC. Ids are the runtime's own; times are milliseconds since the epoch.
 */

export interface RuntimeInfo { readonly name: string; readonly version: string; readonly apiVersion: string }
export interface RuntimeCondition { readonly type: string; readonly ready: boolean; readonly reason: string; readonly message: string }

export interface PodIdentity { readonly name: string; readonly namespace: string; readonly uid: string; readonly attempt: number }

export type NamespaceMode = 'pod' | 'container' | 'node'

export interface LinuxResources {
  readonly cpuPeriod?: number
  readonly cpuQuota?: number
  readonly cpuShares?: number
  readonly memoryLimitBytes?: number
  readonly oomScoreAdj?: number
  readonly unified?: Readonly<Record<string, string>>
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[]
}

export interface SandboxSecurity {
  readonly network: NamespaceMode
  readonly pid: NamespaceMode
  readonly ipc: NamespaceMode
  readonly privileged: boolean
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups?: readonly number[]
  readonly readonlyRootfs?: boolean
  readonly seccomp?: SecurityProfile
  readonly selinux?: { readonly user: string; readonly role: string; readonly type: string; readonly level: string }
}

export interface SecurityProfile { readonly kind: 'runtimeDefault' | 'unconfined' | 'localhost'; readonly localhost?: string }

export interface PortMapping { readonly protocol: 'TCP' | 'UDP' | 'SCTP'; readonly containerPort: number; readonly hostPort: number; readonly hostIP: string }

export interface SandboxConfig {
  readonly pod: PodIdentity
  readonly hostname: string
  readonly logDirectory: string
  readonly dns?: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] }
  readonly ports: readonly PortMapping[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly cgroupParent: string
  readonly sysctls: Readonly<Record<string, string>>
  readonly security: SandboxSecurity
  readonly overhead?: LinuxResources
  readonly resources?: LinuxResources
  readonly runtimeHandler?: string
}

export interface Mount {
  readonly containerPath: string
  readonly hostPath: string
  readonly readonly: boolean
  readonly propagation: 'private' | 'hostToContainer' | 'bidirectional'
  readonly selinuxRelabel?: boolean
}

export interface Device { readonly containerPath: string; readonly hostPath: string; readonly permissions: string }

export interface ContainerSecurity {
  readonly privileged: boolean
  readonly addCapabilities: readonly string[]
  readonly dropCapabilities: readonly string[]
  readonly network: NamespaceMode
  readonly pid: NamespaceMode
  readonly ipc: NamespaceMode
  /** With `pid: 'target'` semantics: the id of the container whose processes are shared (ephemeral containers). */
  readonly targetId?: string
  readonly runAsUser?: number
  readonly runAsUserName?: string
  readonly runAsGroup?: number
  readonly supplementalGroups?: readonly number[]
  readonly readonlyRootfs: boolean
  readonly noNewPrivileges: boolean
  readonly seccomp?: SecurityProfile
  readonly apparmor?: SecurityProfile
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
}

export interface ContainerConfig {
  readonly name: string
  readonly attempt: number
  /** The image as the runtime knows it: what `ensureImage` resolved. */
  readonly image: string
  readonly userSpecifiedImage: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir: string
  readonly env: readonly { readonly key: string; readonly value: string }[]
  readonly mounts: readonly Mount[]
  readonly devices: readonly Device[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Relative to the sandbox's log directory: `<container>/<attempt>.log`. */
  readonly logPath: string
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  readonly resources: LinuxResources
  readonly security: ContainerSecurity
}

export interface Sandbox {
  readonly id: string
  readonly pod: PodIdentity
  readonly state: 'ready' | 'notready'
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface SandboxStatus extends Sandbox { readonly ips: readonly string[]; readonly networkMode: NamespaceMode }

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface Container {
  readonly id: string
  readonly sandboxId: string
  readonly name: string
  readonly attempt: number
  readonly image: string
  readonly imageRef: string
  readonly state: ContainerState
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface ContainerStatus extends Container {
  readonly startedAt: number
  readonly finishedAt: number
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  readonly logPath: string
  readonly mounts: readonly Mount[]
}

export interface ContainerEvent { readonly type: 'created' | 'started' | 'stopped' | 'deleted'; readonly containerId: string; readonly podUid: string }

export interface Image { readonly id: string; readonly tags: readonly string[]; readonly digests: readonly string[]; readonly size: number; readonly user?: string; readonly uid?: number; readonly pinned: boolean }

export interface PullAuth { readonly username?: string; readonly password?: string; readonly auth?: string; readonly identityToken?: string; readonly registryToken?: string }

export interface ContainerStats {
  readonly id: string
  readonly name: string
  readonly podUid: string
  readonly at: number
  readonly cpuNanoseconds: number
  readonly memoryWorkingSetBytes: number
  readonly memoryUsageBytes: number
  readonly memoryRssBytes: number
  readonly filesystemUsedBytes: number
}

export interface StreamRequest { readonly containerId: string; readonly command?: readonly string[]; readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean; readonly tty: boolean }

/** Every call rejects with a `RuntimeError`; stopping or removing what is not there succeeds. */
export interface RuntimeDriver {
  info(): Promise<RuntimeInfo>
  conditions(): Promise<readonly RuntimeCondition[]>
  /** The pod network the node was given; runtimes that template CNI configuration take it from here. */
  setPodCidr(cidr: string): Promise<void>

  runSandbox(config: SandboxConfig): Promise<string>
  stopSandbox(id: string): Promise<void>
  removeSandbox(id: string): Promise<void>
  sandboxStatus(id: string): Promise<SandboxStatus | undefined>
  listSandboxes(filter?: { readonly podUid?: string }): Promise<readonly Sandbox[]>

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** SIGTERM, then SIGKILL after `graceSeconds`. */
  stopContainer(id: string, graceSeconds: number): Promise<void>
  removeContainer(id: string): Promise<void>
  containerStatus(id: string): Promise<ContainerStatus | undefined>
  listContainers(filter?: { readonly podUid?: string; readonly sandboxId?: string }): Promise<readonly Container[]>
  updateResources(id: string, resources: LinuxResources): Promise<void>
  reopenLog(id: string): Promise<void>
  stats(): Promise<readonly ContainerStats[]>

  /** Runs to its end, for probes and hooks. Rejects with `reason: 'timeout'` after the time. */
  exec(id: string, command: readonly string[], timeoutSeconds: number): Promise<{ readonly exitCode: number; readonly stdout: Buffer; readonly stderr: Buffer }>
  /** URLs of the runtime's own streaming server, which speaks SPDY and WebSocket to whoever is connected through. */
  execUrl(request: StreamRequest): Promise<string>
  attachUrl(request: StreamRequest): Promise<string>
  portForwardUrl(sandboxId: string, ports: readonly number[]): Promise<string>

  image(reference: string): Promise<Image | undefined>
  images(): Promise<readonly Image[]>
  /** Resolves with the image's reference in the runtime. */
  pull(reference: string, auth?: PullAuth): Promise<string>
  removeImage(reference: string): Promise<void>
  imageFilesystem(): Promise<{ readonly path: string; readonly usedBytes: number }>

  /** Container events where the runtime has them; undefined where it has none and relisting must do. */
  events(signal: AbortSignal): AsyncIterable<ContainerEvent> | undefined
  close(): void
}

/** A call to the runtime failed. */
export class RuntimeError extends Error {
  readonly reason: 'notfound' | 'timeout' | 'unavailable' | 'failed'
  constructor(reason: RuntimeError['reason'], message: string) {
    super(message)
    this.name = 'RuntimeError'
    this.reason = reason
  }
}
