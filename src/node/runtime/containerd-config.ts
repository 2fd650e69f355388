/** The configuration of Skiff's own containerd: everything it writes lies under directories of the cluster. */

export interface ContainerdConfig {
  /** Images, snapshots, metadata: survives a reboot. */
  readonly rootDir: string
  /** Sockets and state of what runs: gone after a reboot. */
  readonly stateDir: string
  readonly socket: string
  readonly sandboxImage: string
  readonly cniConfDir: string
  readonly cniBinDir: string
  readonly snapshotter: 'overlayfs' | 'native'
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
  /** No CAP_SYS_RESOURCE: nobody can lower an oom_score_adj, and asking for it fails containers. */
  readonly restrictOomScoreAdj: boolean
  readonly registryConfigDir: string
  readonly logLevel: 'debug' | 'info' | 'warn'
}

const quoted = (text: string) => JSON.stringify(text)

/** Version 2 of the format: 1.6 and 1.7 speak it, 2.x migrates it when loading. */
export function renderContainerdConfig(c: ContainerdConfig): string {
  const unused = ['aufs', 'btrfs', 'devmapper', 'zfs', 'blockfile', 'erofs'].map((name) => `io.containerd.snapshotter.v1.${name}`)
  const disabled = [...unused, 'io.containerd.internal.v1.restart', 'io.containerd.tracing.processor.v1.otlp', 'io.containerd.internal.v1.tracing']
  return `version = 2
root = ${quoted(c.rootDir)}
state = ${quoted(c.stateDir)}
oom_score = 0
disabled_plugins = [${disabled.map(quoted).join(', ')}]

[grpc]
  address = ${quoted(c.socket)}

[debug]
  level = ${quoted(c.logLevel)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${quoted(`${c.rootDir}/opt`)}

[plugins."io.containerd.gc.v1.scheduler"]
  startup_delay = "5s"

[plugins."io.containerd.monitor.v1.cgroups"]
  no_prometheus = true

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quoted(c.sandboxImage)}
  restrict_oom_score_adj = ${c.restrictOomScoreAdj}
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  tolerate_missing_hugetlb_controller = true
  max_concurrent_downloads = 3

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${quoted(c.cniBinDir)}
    conf_dir = ${quoted(c.cniConfDir)}
    max_conf_num = 1

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quoted(c.registryConfigDir)}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = ${quoted(c.snapshotter)}
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = ${c.cgroupDriver === 'systemd'}
        Root = ${quoted(`${c.stateDir}/runc`)}
`
}
