/** Where a cluster's files are. Everything Skiff writes on a host is below these two directories, which carry the cluster's name. */
import { mkdirSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UserError } from './user-error.ts'

export interface Paths {
  /** Survives a reboot: the store, certificates, images, volumes, logs. */
  readonly data: string
  /** Does not: sockets, pid files, containerd's state. */
  readonly run: string
  readonly settings: string
  readonly store: string
  readonly pki: string
  /** The keys that secrets are encrypted with. */
  readonly encryption: string
  readonly kubeconfig: string
  readonly log: string
  readonly pidFile: string
  readonly podLogs: string
  readonly kubelet: string
  readonly containerdRoot: string
  readonly containerdRun: string
  readonly cniConf: string
  readonly network: string
}

export interface PathOptions { readonly name: string; readonly dataDir?: string | undefined }

/** The paths of the cluster called `name`; `dataDir` replaces `/var/lib/skiff/<name>`. */
export function pathsOf({ name, dataDir }: PathOptions): Paths {
  const data = dataDir ?? join('/var/lib/skiff', name)
  const run = join('/run/skiff', name)
  return {
    data,
    run,
    settings: join(data, 'cluster.json'),
    store: join(data, 'store'),
    pki: join(data, 'pki'),
    encryption: join(data, 'encryption'),
    kubeconfig: join(data, 'kubeconfig'),
    log: join(data, 'skiff.log'),
    pidFile: join(run, 'skiff.pid'),
    podLogs: join(data, 'pod-logs'),
    kubelet: join(data, 'kubelet'),
    containerdRoot: join(data, 'containerd'),
    containerdRun: join(run, 'containerd'),
    cniConf: join(run, 'cni'),
    network: join(data, 'network'),
  }
}

/** Makes one of the cluster's directories, and its parents. Throws `UserError` with the reason, which Node's own `recursive` hides. */
export function makeDirectory(directory: string, mode = 0o700): void {
  if (existsSync(directory)) return
  const parent = dirname(directory)
  if (parent !== directory) makeDirectory(parent, 0o755)
  try {
    mkdirSync(directory, { mode })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    throw new UserError(`cannot make ${directory}: ${code === 'EROFS' ? 'read-only file system' : message}; choose another place with --data-dir`)
  }
}
