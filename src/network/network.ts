/** Assembles the network of a node: pod network, service proxy, network policies, cluster DNS. */
import { join } from 'node:path'
import { core } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import { createInformers, type Informers } from '../client/informer.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { mtuOf, writeConflist } from './cni.ts'
import { createResolver } from './dns/resolver.ts'
import { startDnsServer } from './dns/server.ts'
import { ensureDnsService, isDnsService } from './dns/service.ts'
import { createUpstream } from './dns/upstream.ts'
import { createClusterView } from './dns/view.ts'
import { createZone } from './dns/zone.ts'
import { ensureDevice } from './host/device.ts'
import { allowForwarding } from './host/forwarding.ts'
import { borrowSysctls, forwardIpv4, forwardIpv6, routeLocalnet } from './host/sysctl.ts'
import { namesOf } from './names.ts'
import { familiesOf, type Family } from './nft/family.ts'
import { createTables, type Tables } from './nft/tables.ts'
import { followPolicies } from './policy/policies.ts'
import { planBase } from './proxy/base.ts'
import { followHostPorts } from './proxy/host-ports.ts'
import { startProxy } from './proxy/proxy.ts'
import { followRoutes } from './routes.ts'

export interface NetworkOptions {
  readonly client: Client
  /** Shared with other components of the process; default: the network creates its own. */
  readonly informers?: Informers
  readonly clock: Clock
  readonly log: Logger
  readonly nodeName: string
  readonly clusterName: string
  /** The CIDR of this node's pods; default: the node's `spec.podCIDRs`. Two CIDRs, comma-separated, for dual-stack. */
  readonly podCidr?: string | undefined
  /** CIDRs of one or both families, comma-separated. */
  readonly clusterCidr: string
  readonly serviceCidr: string
  readonly clusterDnsAddress: string
  readonly clusterDomain: string
  /** The directory from which containerd reads its network configuration. */
  readonly cniConfDir: string
  /** Where pod address leases are stored; survives restarts. */
  readonly dataDir: string
  /** Where the clusters on this host jointly record their changes to it (`/run/skiff`). */
  readonly hostDir?: string
  readonly nodeAddress: string
  readonly signal: AbortSignal
}

export interface Network extends Component {
  /** Resolves when the CNI configuration is written: containerd then reports its network as ready. */
  readonly configured: Promise<void>
  /** Resolves when the rules of all services that existed at the start are in the kernel. */
  readonly ready: Promise<void>
  /** Writes known changes at once; resolves when they are in the kernel. */
  flush(): Promise<void>
}

const defaultHostDir = '/run/skiff'
const split = (list: string): readonly string[] => list.split(',').map((part) => part.trim()).filter(Boolean)
/** Where pod address leases are stored, below the data directory. */
export const leaseDirIn = (dataDir: string): string => join(dataDir, 'leases')

/** The CIDRs of this node's pods: configured, or awaited on the Node object. */
function podCidrsOf(options: NetworkOptions, informers: Informers): Promise<readonly string[]> {
  if (options.podCidr) return Promise.resolve(split(options.podCidr))
  const nodes = informers.for(core.nodes)
  return new Promise((resolve) => {
    const stop = nodes.onChange(({ object }) => {
      if (object.metadata.name !== options.nodeName) return
      const cidrs = object.spec.podCIDRs ?? (object.spec.podCIDR ? [object.spec.podCIDR] : [])
      if (cidrs.length === 0) return
      queueMicrotask(() => stop())
      resolve(cidrs)
    })
  })
}

/** The base part of the tables; updated when the nodes or the pod CIDRs change. */
function followBase(options: NetworkOptions, tables: Tables) {
  let nodeAddresses: readonly string[] = [options.nodeAddress]
  let podCidrs: readonly string[] = options.podCidr ? split(options.podCidr) : []
  const of = (family: Family, list: readonly string[]) => list.filter((entry) => family.has(entry))
  const touch = () => tables.touch('base', (family) => planBase({
    family,
    podCidrs: of(family, podCidrs),
    clusterCidrs: of(family, split(options.clusterCidr)),
    serviceCidrs: of(family, split(options.serviceCidr)),
    nodeAddresses: of(family, nodeAddresses),
    clusterDnsAddresses: of(family, split(options.clusterDnsAddress)),
    localhost: true,
  }))
  touch()
  return {
    setNodeAddresses(addresses: readonly string[]) { nodeAddresses = [...new Set([options.nodeAddress, ...addresses])]; touch() },
    setPodCidrs(cidrs: readonly string[]) { podCidrs = cidrs; touch() },
  }
}

async function startDns(options: NetworkOptions, informers: Informers): Promise<Component & { synced(): Promise<void> }> {
  const { client, clock, log, signal } = options
  const addresses = split(options.clusterDnsAddress)
  const view = createClusterView(informers)
  const zone = createZone({ view, domain: options.clusterDomain, dnsAddresses: addresses, serial: () => Math.floor(clock.now() / 1000) })
  const resolver = createResolver({ zone, upstream: createUpstream({ clock, own: addresses }), log })
  const servers = await Promise.all(addresses.map((address) => startDnsServer({ address, port: 53, resolver, log })))
  void ensureDnsService({ client, clock, log, addresses, signal })
  return { synced: () => view.synced(), stop: async () => void (await Promise.all(servers.map((server) => server.stop()))) }
}

/**
 * Starts the network of this node. Resolves when the host is prepared and DNS listens (some ten milliseconds); rules and
 * CNI configuration follow as the cluster becomes known, see `ready` and `configured`. `stop` leaves rules, routes and
 * interfaces in place, so that running pods stay connected over a restart; `removeNetwork` removes them.
 * Throws when a kernel setting, the interface or port 53 of the DNS address is not available.
 */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const { clock, log, nodeName, clusterName } = options
  const stopping = new AbortController()
  const signal = AbortSignal.any([options.signal, stopping.signal])
  const names = namesOf(clusterName)
  const families = familiesOf([...split(options.clusterCidr), ...split(options.serviceCidr)])
  const dnsAddresses = split(options.clusterDnsAddress)
  const informers = options.informers ?? createInformers(options.client, { clock, log })

  await Promise.all([
    borrowSysctls(options.hostDir ?? defaultHostDir, clusterName, [forwardIpv4, routeLocalnet, ...(families.length > 1 ? [forwardIpv6] : [])]),
    ensureDevice({ device: names.device, dnsAddresses, serviceCidrs: split(options.serviceCidr) }),
    allowForwarding({ clusterCidrs: split(options.clusterCidr), tag: names.table }, log),
  ])
  const dns = await startDns({ ...options, signal }, informers)

  const tables = createTables({ name: names.table, families, clock, log })
  const base = followBase(options, tables)
  const routes = followRoutes({ informers, log, nodeName, onAddresses: base.setNodeAddresses })
  const proxy = startProxy({ informers, tables, log, nodeName, clusterCidrs: split(options.clusterCidr), isAnsweredHere: (service) => isDnsService(service, dnsAddresses) })
  const hostPorts = followHostPorts(informers, tables, nodeName)
  const policies = followPolicies(informers, tables, nodeName)
  informers.start(signal)

  const configured = podCidrsOf(options, informers).then(async (podCidrs) => {
    base.setPodCidrs(podCidrs)
    await writeConflist({ names, podCidrs, confDir: options.cniConfDir, leaseDir: leaseDirIn(options.dataDir), mtu: await mtuOf(options.nodeAddress) })
  })
  const ready = Promise.all([proxy.synced(), hostPorts.synced(), routes.synced(), policies.synced(), dns.synced()]).then(async () => {
    tables.begin()
    await tables.flush()
  })
  for (const [what, promise] of [['configure the pod network', configured], ['write the service rules', ready]] as const) {
    promise.catch((error: unknown) => log.error({ error: String(error) }, `cannot ${what}`))
  }

  return {
    configured,
    ready,
    flush: () => tables.flush(),
    async stop() {
      stopping.abort()
      hostPorts.stop()
      policies.stop()
      await Promise.all([proxy.stop(), routes.stop(), tables.stop(), dns.stop()])
    },
  }
}
