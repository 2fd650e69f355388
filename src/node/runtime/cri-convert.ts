/** Between the driver's words and CRI's messages. */
import type {
  Container, ContainerConfig, ContainerState, ContainerStats, ContainerStatus, Image, LinuxResources, Mount, NamespaceMode, Sandbox, SandboxConfig, SandboxStatus,
  SecurityProfile,
} from './driver.ts'
import type { Message } from './grpc.ts'

const text = (m: Message | null, key: string): string => (m?.[key] as string | undefined) ?? ''
const number = (m: Message | null, key: string): number => Number(m?.[key] ?? 0)
const part = (m: Message | null, key: string): Message | null => (m?.[key] as Message | null | undefined) ?? null
/** A repeated field; empty when absent. */
export const items = (m: Message, key: string): readonly Message[] => (m[key] as readonly Message[] | undefined) ?? []
const strings = (m: Message, key: string): Readonly<Record<string, string>> => (m[key] as Record<string, string> | undefined) ?? {}
const milliseconds = (nanoseconds: number): number => Math.floor(nanoseconds / 1e6)
const value = (n: number | undefined) => (n === undefined ? undefined : { value: n })

const namespaceModes: readonly NamespaceMode[] = ['pod', 'container', 'node']
const propagations: readonly Mount['propagation'][] = ['private', 'hostToContainer', 'bidirectional']
const states: readonly ContainerState[] = ['created', 'running', 'exited', 'unknown']
const protocols = ['TCP', 'UDP', 'SCTP']
const targetMode = 3

function profile(p: SecurityProfile | undefined): Message | undefined {
  return p && { profile_type: { runtimeDefault: 0, unconfined: 1, localhost: 2 }[p.kind], localhost_ref: p.localhost ?? '' }
}

/** CRI's messages from the driver's types. */
export function resourcesMessage(r: LinuxResources): Message {
  return {
    cpu_period: r.cpuPeriod ?? 0,
    cpu_quota: r.cpuQuota ?? 0,
    cpu_shares: r.cpuShares ?? 0,
    memory_limit_in_bytes: r.memoryLimitBytes ?? 0,
    oom_score_adj: r.oomScoreAdj ?? 0,
    unified: r.unified ?? {},
    hugepage_limits: (r.hugepageLimits ?? []).map((h) => ({ page_size: h.pageSize, limit: h.limit })),
  }
}

export function sandboxMessage(c: SandboxConfig): Message {
  const s = c.security
  return {
    metadata: { name: c.pod.name, namespace: c.pod.namespace, uid: c.pod.uid, attempt: c.pod.attempt },
    hostname: c.hostname,
    log_directory: c.logDirectory,
    dns_config: c.dns && { servers: c.dns.servers, searches: c.dns.searches, options: c.dns.options },
    port_mappings: c.ports.map((p) => ({ protocol: protocols.indexOf(p.protocol), container_port: p.containerPort, host_port: p.hostPort, host_ip: p.hostIP })),
    labels: c.labels,
    annotations: c.annotations,
    linux: {
      cgroup_parent: c.cgroupParent,
      sysctls: c.sysctls,
      overhead: c.overhead && resourcesMessage(c.overhead),
      resources: c.resources && resourcesMessage(c.resources),
      security_context: {
        namespace_options: namespaces(s),
        privileged: s.privileged,
        run_as_user: value(s.runAsUser),
        run_as_group: value(s.runAsGroup),
        supplemental_groups: s.supplementalGroups ?? [],
        readonly_rootfs: s.readonlyRootfs ?? false,
        seccomp: profile(s.seccomp),
        selinux_options: s.selinux,
      },
    },
  }
}

function namespaces(s: { readonly network: NamespaceMode; readonly pid: NamespaceMode; readonly ipc: NamespaceMode; readonly targetId?: string }): Message {
  return {
    network: namespaceModes.indexOf(s.network),
    pid: s.targetId ? targetMode : namespaceModes.indexOf(s.pid),
    ipc: namespaceModes.indexOf(s.ipc),
    target_id: s.targetId ?? '',
  }
}

export function containerMessage(c: ContainerConfig): Message {
  const s = c.security
  return {
    metadata: { name: c.name, attempt: c.attempt },
    image: { image: c.image, user_specified_image: c.userSpecifiedImage },
    command: c.command,
    args: c.args,
    working_dir: c.workingDir,
    envs: c.env.map((e) => ({ key: e.key, value: Buffer.from(e.value) })),
    mounts: c.mounts.map((m) => ({
      container_path: m.containerPath, host_path: m.hostPath, readonly: m.readonly, selinux_relabel: m.selinuxRelabel ?? false, propagation: propagations.indexOf(m.propagation),
    })),
    devices: c.devices.map((d) => ({ container_path: d.containerPath, host_path: d.hostPath, permissions: d.permissions })),
    labels: c.labels,
    annotations: c.annotations,
    log_path: c.logPath,
    stdin: c.stdin,
    stdin_once: c.stdinOnce,
    tty: c.tty,
    linux: {
      resources: resourcesMessage(c.resources),
      security_context: {
        capabilities: { add_capabilities: s.addCapabilities, drop_capabilities: s.dropCapabilities },
        privileged: s.privileged,
        namespace_options: namespaces(s),
        run_as_user: value(s.runAsUser),
        run_as_username: s.runAsUserName ?? '',
        run_as_group: value(s.runAsGroup),
        supplemental_groups: s.supplementalGroups ?? [],
        readonly_rootfs: s.readonlyRootfs,
        no_new_privs: s.noNewPrivileges,
        seccomp: profile(s.seccomp),
        apparmor: profile(s.apparmor),
        masked_paths: s.maskedPaths,
        readonly_paths: s.readonlyPaths,
      },
    },
  }
}

/** The driver's types from CRI's messages. */
export function sandboxOf(m: Message): Sandbox {
  const metadata = part(m, 'metadata')
  return {
    id: text(m, 'id'),
    pod: { name: text(metadata, 'name'), namespace: text(metadata, 'namespace'), uid: text(metadata, 'uid'), attempt: number(metadata, 'attempt') },
    state: number(m, 'state') === 0 ? 'ready' : 'notready',
    createdAt: milliseconds(number(m, 'created_at')),
    labels: strings(m, 'labels'),
    annotations: strings(m, 'annotations'),
  }
}

export function sandboxStatusOf(m: Message): SandboxStatus {
  const network = part(m, 'network')
  const first = text(network, 'ip')
  const others = network ? items(network, 'additional_ips').map((ip) => text(ip, 'ip')) : []
  const options = part(part(part(m, 'linux'), 'namespaces'), 'options')
  return { ...sandboxOf(m), ips: first === '' ? [] : [first, ...others], networkMode: namespaceModes[number(options, 'network')] ?? 'pod' }
}

export function containerOf(m: Message): Container {
  const metadata = part(m, 'metadata')
  return {
    id: text(m, 'id'),
    sandboxId: text(m, 'pod_sandbox_id'),
    name: text(metadata, 'name'),
    attempt: number(metadata, 'attempt'),
    image: text(part(m, 'image'), 'image'),
    imageRef: text(m, 'image_ref'),
    state: states[number(m, 'state')] ?? 'unknown',
    createdAt: milliseconds(number(m, 'created_at')),
    labels: strings(m, 'labels'),
    annotations: strings(m, 'annotations'),
  }
}

export function containerStatusOf(m: Message): ContainerStatus {
  return {
    ...containerOf(m),
    startedAt: milliseconds(number(m, 'started_at')),
    finishedAt: milliseconds(number(m, 'finished_at')),
    exitCode: number(m, 'exit_code'),
    reason: text(m, 'reason'),
    message: text(m, 'message'),
    logPath: text(m, 'log_path'),
    mounts: items(m, 'mounts').map((x) => ({
      containerPath: text(x, 'container_path'), hostPath: text(x, 'host_path'), readonly: x['readonly'] === true, propagation: propagations[number(x, 'propagation')] ?? 'private',
    })),
  }
}

export function imageOf(m: Message): Image {
  const uid = part(m, 'uid')
  const user = text(m, 'username')
  return {
    id: text(m, 'id'),
    tags: m['repo_tags'] as readonly string[],
    digests: m['repo_digests'] as readonly string[],
    size: number(m, 'size'),
    ...(user === '' ? {} : { user }),
    ...(uid ? { uid: number(uid, 'value') } : {}),
    pinned: m['pinned'] === true,
  }
}

export function statsOf(m: Message): ContainerStats {
  const attributes = part(m, 'attributes')
  const memory = part(m, 'memory')
  const cpu = part(m, 'cpu')
  const amount = (from: Message | null, key: string) => number(part(from, key), 'value')
  return {
    id: text(attributes, 'id'),
    name: text(part(attributes, 'metadata'), 'name'),
    podUid: attributes ? (strings(attributes, 'labels')['io.kubernetes.pod.uid'] ?? '') : '',
    at: milliseconds(number(cpu, 'timestamp') || number(memory, 'timestamp')),
    cpuNanoseconds: amount(cpu, 'usage_core_nano_seconds'),
    memoryWorkingSetBytes: amount(memory, 'working_set_bytes'),
    memoryUsageBytes: amount(memory, 'usage_bytes'),
    memoryRssBytes: amount(memory, 'rss_bytes'),
    filesystemUsedBytes: amount(part(m, 'writable_layer'), 'used_bytes'),
  }
}
