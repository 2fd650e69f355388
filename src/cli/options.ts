/** Options that several commands share, and what they make of them. */
import { resolve } from 'node:path'
import { checkName, readSettings } from '../cluster/settings.ts'
import type { Settings } from '../cluster/settings.ts'
import { pathsOf } from '../cluster/paths.ts'
import type { Paths } from '../cluster/paths.ts'
import { UserError } from '../cluster/user-error.ts'

/** Which cluster a command is about. */
export interface ClusterOptions {
  readonly name: string
  readonly dataDir?: string
  readonly port?: number
}

/** How `up`, `server` and `agent` run what they start. */
export interface BootOptions extends ClusterOptions {
  readonly nodeIp?: string
  readonly containerRuntimeEndpoint?: string
  readonly logLevel: string
}

/** How `up` and `server` run a control plane. */
export interface ControlPlaneOptions extends BootOptions {
  /** `name=value`, by kube-apiserver's flags. */
  readonly kubeApiserverArg?: readonly string[]
}

/** The paths of the cluster the command is about. Throws on a name that cannot be one. */
export function pathsFrom(options: ClusterOptions): Paths {
  checkName(options.name)
  return pathsOf({ name: options.name, dataDir: options.dataDir === undefined ? undefined : resolve(options.dataDir) })
}

/** The paths and settings of the cluster the command is about. Throws when there is none, or when it has another port than `--port` says. */
export function existing(options: ClusterOptions): { readonly paths: Paths; readonly settings: Settings } {
  const paths = pathsFrom(options)
  const settings = readSettings(paths)
  if (!settings) throw new UserError(`there is no cluster "${options.name}" in ${paths.data}; create it with "skiff up"`)
  if (options.port !== undefined && options.port !== settings.port) {
    throw new UserError(`cluster "${options.name}" has port ${settings.port}, not ${options.port}; leave out --port, or give the --name of the other cluster`)
  }
  return { paths, settings }
}

/** Refuses to go on without the rights that namespaces, mounts and nftables need. */
export function needRoot(command: string): void {
  if (process.getuid?.() !== 0) throw new UserError(`"skiff ${command}" must run as root, because containers need namespaces, mounts and nftables; try sudo`)
}

/** The error for a port that something else listens on. */
export const portTaken = (port: number): UserError => new UserError(`port ${port} is in use; stop what listens there, or choose another with --port`)
