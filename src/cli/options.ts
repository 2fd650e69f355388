/** What commands are called with, and what they make of it. */
import { resolve } from 'node:path'
import { checkName, readSettings } from '../cluster/settings.ts'
import type { Settings } from '../cluster/settings.ts'
import { pathsOf } from '../cluster/paths.ts'
import type { Paths } from '../cluster/paths.ts'
import { UserError } from '../cluster/user-error.ts'

/** As commander leaves them; each command reads its own. */
export interface ClusterOptions {
  readonly name: string
  readonly dataDir?: string
  readonly port?: number
  readonly nodeIp?: string
  readonly containerRuntimeEndpoint?: string
  readonly logLevel?: string
  readonly yes?: boolean
  readonly merge?: boolean
  readonly purge?: boolean
  readonly path?: boolean
  readonly forNode?: string
  readonly bootstrap?: boolean
  readonly nodeName?: string
  readonly memory?: boolean
  readonly output?: string
  readonly follow?: boolean
  readonly tail?: string
  readonly node?: boolean
  readonly kubeconfig?: string
  readonly tag?: string
  readonly file?: string
  readonly buildArg?: readonly string[]
  readonly kubeApiserverArg?: readonly string[]
}

/** The paths of the cluster the command is about. Throws on a name that cannot be one. */
export function pathsFrom(options: ClusterOptions): Paths {
  checkName(options.name)
  return pathsOf({ name: options.name, dataDir: options.dataDir === undefined ? undefined : resolve(options.dataDir) })
}

/** The paths and settings of a cluster that must be there. */
export function existing(options: ClusterOptions): { readonly paths: Paths; readonly settings: Settings } {
  const paths = pathsFrom(options)
  const settings = readSettings(paths)
  if (!settings) throw new UserError(`there is no cluster "${options.name}" in ${paths.data}; "skiff up" makes one`)
  if (options.port !== undefined && options.port !== settings.port) {
    throw new UserError(`cluster "${options.name}" has port ${settings.port}, not ${options.port}; leave out --port, or give the --name of the other cluster`)
  }
  return { paths, settings }
}

/** Refuses to go on without the rights that namespaces, mounts and nftables need. */
export function needRoot(command: string): void {
  if (process.getuid?.() !== 0) throw new UserError(`"skiff ${command}" must run as root: containers need namespaces, mounts and nftables; try sudo`)
}
