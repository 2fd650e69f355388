/** What was decided when the cluster was created, and holds for its lifetime. */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { mergeArguments } from './apiserver-arguments.ts'
import type { ApiServerArguments } from './apiserver-arguments.ts'
import { UserError } from './user-error.ts'
import { makeDirectory } from './paths.ts'
import type { Paths } from './paths.ts'

export interface Settings {
  readonly name: string
  readonly nodeName: string
  /** The node's InternalIP; node ports answer on it. */
  readonly nodeAddress: string
  readonly port: number
  readonly kubeletPort: number
  readonly clusterCidr: string
  readonly serviceCidr: string
  readonly clusterDns: string
  readonly clusterDomain: string
  readonly nodePorts: readonly [number, number]
  /** The socket of somebody else's containerd; undefined: a private one is started. */
  readonly runtimeEndpoint?: string
  /** The kubeconfig with which a node here reaches its control plane elsewhere; undefined: the control plane is here. */
  readonly agentKubeconfig?: string
  /** The API server's flags, as the user gave them. */
  readonly apiServerArguments?: ApiServerArguments
}

export interface SettingsRequest {
  readonly name: string
  readonly port?: number | undefined
  readonly nodeAddress?: string | undefined
  readonly runtimeEndpoint?: string | undefined
  /** Updates what the cluster remembers of them. */
  readonly apiServerArguments?: ApiServerArguments | undefined
}

const clusterName = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/

/** Throws `UserError` for an invalid name: names become parts of paths, interfaces, tables and cgroups. */
export function checkName(name: string): void {
  if (!clusterName.test(name)) throw new UserError(`"${name}" cannot be a cluster's name: use lower-case letters, digits and "-", at most 40`)
}

/** The path of a container runtime's socket, given as a path or as a `unix://` URL. */
export const socketOf = (endpoint: string): string => endpoint.replace(/^unix:\/\//, '')

/** The settings of an existing cluster; undefined when there is none. Throws `UserError` when they cannot be read. */
export function readSettings(paths: Paths): Settings | undefined {
  let text: string
  try {
    text = readFileSync(paths.settings, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UserError(`cannot read ${paths.settings}: ${(error as Error).message}; choose another place with --data-dir`)
  }
  try {
    return JSON.parse(text) as Settings
  } catch {
    throw new UserError(`${paths.settings} is damaged; restore it, or remove ${paths.data} to start anew`)
  }
}

/** The settings of this cluster: those it was created with, or new ones, saved. Throws `UserError` when the request contradicts them. */
export async function settle(paths: Paths, request: SettingsRequest): Promise<Settings> {
  const known = readSettings(paths)
  if (known) {
    if (request.port !== undefined && request.port !== known.port) {
      throw new UserError(`cluster "${known.name}" was created with port ${known.port}; leave out --port, or give the new cluster another --name`)
    }
    const { nodeAddress = known.nodeAddress } = request
    const runtimeEndpoint = request.runtimeEndpoint === undefined ? known.runtimeEndpoint : socketOf(request.runtimeEndpoint)
    const { apiServerArguments: remembered, ...rest } = known
    const told = mergeArguments(remembered, request.apiServerArguments)
    return record(paths, { ...rest, nodeAddress, ...(runtimeEndpoint === undefined ? {} : { runtimeEndpoint }), ...(told && { apiServerArguments: told }) })
  }
  const told = mergeArguments(undefined, request.apiServerArguments)
  const taken = neighbours()
  const subnet = firstFree(taken.map((s) => Number(s.serviceCidr.split('.')[1]) - 96))
  const port = request.port ?? (await firstFreePort(6443, taken.map((s) => s.port)))
  return record(paths, {
    name: request.name,
    nodeName: hostname().toLowerCase(),
    nodeAddress: request.nodeAddress ?? hostAddress(),
    port,
    kubeletPort: await firstFreePort(10250, taken.map((s) => s.kubeletPort)),
    clusterCidr: `10.${244 - subnet}.0.0/16`,
    serviceCidr: `10.${96 + subnet}.0.0/16`,
    clusterDns: `10.${96 + subnet}.0.10`,
    clusterDomain: 'cluster.local',
    nodePorts: [30000, 32767],
    ...(request.runtimeEndpoint === undefined ? {} : { runtimeEndpoint: socketOf(request.runtimeEndpoint) }),
    ...(told && { apiServerArguments: told }),
  })
}

/** Saves the settings atomically, where the cluster and other clusters on this host look for them. */
export function record(paths: Paths, settings: Settings): Settings {
  makeDirectory(paths.data)
  try {
    writeFileSync(`${paths.settings}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600, flush: true })
    renameSync(`${paths.settings}.new`, paths.settings)
    // Clusters on one host find each other's addresses and ports here.
    mkdirSync(paths.run, { recursive: true, mode: 0o755 })
    writeFileSync(join(paths.run, 'cluster.json'), JSON.stringify({ ...settings, dataDir: paths.data }))
  } catch (error) {
    throw new UserError(`cannot write to ${paths.data}: ${(error as Error).message}; choose another place with --data-dir`)
  }
  return settings
}

/** Remembers these flags of the API server in place of those in the settings. */
export function rememberArguments(paths: Paths, { apiServerArguments: _other, ...settings }: Settings, given: ApiServerArguments | undefined): Settings {
  return record(paths, { ...settings, ...(given && { apiServerArguments: given }) })
}

/** The settings of every cluster on this host: those in the default place, and those started elsewhere since the last reboot. */
function neighbours(): Settings[] {
  const found: Settings[] = []
  for (const root of ['/run/skiff', '/var/lib/skiff']) {
    let names: string[]
    try {
      names = readdirSync(root)
    } catch {
      continue // there has never been one
    }
    for (const name of names) {
      try {
        const settings = JSON.parse(readFileSync(join(root, name, 'cluster.json'), 'utf8')) as Settings & { readonly dataDir?: string }
        // A cluster whose data directory was removed by hand no longer needs its addresses.
        if (settings.dataDir === undefined || existsSync(settings.dataDir)) found.push(settings)
      } catch {
        continue // not a cluster, or an incomplete one: it holds no addresses
      }
    }
  }
  return found
}

function firstFree(taken: readonly number[]): number {
  for (let i = 0; i < 64; i++) if (!taken.includes(i)) return i
  throw new UserError('64 clusters on this host are enough; remove one with "skiff down --purge --name …"')
}

async function firstFreePort(from: number, taken: readonly number[]): Promise<number> {
  for (let port = from; port < from + 200; port++) if (!taken.includes(port) && (await isFree(port))) return port
  throw new UserError(`no free port from ${from} to ${from + 200}`)
}

/** Whether nothing listens on the port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, () => probe.close(() => resolve(true)))
  })
}

/** The host's first IPv4 address that others can reach, or loopback where there is none. */
function hostAddress(): string {
  const own = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(lo|skiff|veth|docker|br-|cni|virbr)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .find((a) => a.family === 'IPv4' && !a.internal && !a.address.startsWith('169.254.'))
  return own?.address ?? '127.0.0.1'
}
