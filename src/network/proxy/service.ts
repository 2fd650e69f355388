/**
 * The rules of one service: a pure function from a Service and its EndpointSlices to a part of the nftables table.
 *
 *   service-ips, node-ports ──▶ ext/<id>  from outside: masquerade, or only local endpoints
 *            │                     │ │
 *            │                     │ └──▶ loc/<id>  spread over the endpoints of this node
 *            └──(cluster IP)───────┴────▶ svc/<id>  spread over all endpoints
 *                                            └──▶ ep/<id>/<ip>/<port>  (session affinity only: remembers the client)
 *
 * Without endpoints it is in `no-endpoint-ips` and `no-endpoint-ports`, and is refused in the filter hooks.
 */
import type { core, discovery } from '../../api/index.ts'
import type { Chain, Element, Fragment } from '../nft/ledger.ts'
import type { Family } from '../nft/family.ts'
import { targetsOf, type Place, type Target, type Targets } from './endpoints.ts'
import { chainNames, mapNames, setMasqueradeMark } from './base.ts'

export interface ServiceContext {
  readonly family: Family
  readonly place: Place
  /** Traffic from outside it to a cluster IP is masqueraded. */
  readonly clusterCidrs: readonly string[]
}

/** One address and port of a service, for the clean-up of UDP connections; a node port if `ip` is undefined. */
export interface Front { readonly ip?: string; readonly port: number; readonly protocol: string; readonly targets: readonly Target[] }

export interface ServicePlan {
  readonly fragment: Fragment
  readonly fronts: readonly Front[]
}

/** Services with one of these labels are for another proxy, or none. */
const notOurs = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']

/** Whether this proxy handles the service. */
export const isProxied = (service: core.Service): boolean =>
  service.spec.type !== 'ExternalName' && !!service.spec.clusterIP && service.spec.clusterIP !== 'None' && notOurs.every((label) => service.metadata.labels?.[label] === undefined)

interface Draft {
  readonly chains: Record<string, Chain>
  readonly sets: Record<string, string>
  readonly elements: Element[]
}

const affinitySeconds = (service: core.Service): number | undefined =>
  (service.spec.sessionAffinity === 'ClientIP' ? (service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined)

/** `dnat to …` one of the targets, with equal probability. */
function spread(family: Family, protocol: string, targets: readonly Target[]): string {
  const to = `meta l4proto ${protocol} dnat ${family.table} to`
  const [only] = targets
  if (only && targets.length === 1) return `${to} ${family.target(only.ip, only.port)}`
  return `${to} numgen random mod ${targets.length} map { ${targets.map((t, i) => `${i} : ${t.ip} . ${t.port}`).join(', ')} }`
}

/** Session affinity: a client keeps its endpoint as long as that exists and the timeout has not passed. */
function sticky(draft: Draft, context: ServiceContext, id: string, protocol: string, targets: readonly Target[], seconds: number): string[] {
  const { family } = context
  const known: string[] = []
  const fresh: string[] = []
  for (const [i, t] of targets.entries()) {
    const part = `${id}/${t.ip.replaceAll(':', '.')}/${t.port}`
    const set = `aff/${part}/${seconds}`
    const chain = `ep/${part}`
    draft.sets[set] = `type ${family.address}; flags dynamic, timeout; timeout ${seconds}s;`
    draft.chains[chain] = { rules: [`update @${set} { ${family.table} saddr }`, spread(family, protocol, [t])] }
    known.push(`${family.table} saddr @${set} goto ${chain}`)
    fresh.push(`${i} : goto ${chain}`)
  }
  return [...known, `numgen random mod ${targets.length} vmap { ${fresh.join(', ')} }`]
}

function planPort(draft: Draft, context: ServiceContext, service: core.Service, port: core.ServicePort, targets: Targets): Front[] {
  const { family } = context
  const { spec, metadata } = service
  const protocol = (port.protocol ?? 'TCP').toLowerCase()
  const id = `${metadata.namespace}/${metadata.name}/${protocol}/${port.port}`
  const seconds = affinitySeconds(service)
  const fronts: Front[] = []
  const internalLocal = spec.internalTrafficPolicy === 'Local'
  const externalLocal = spec.externalTrafficPolicy === 'Local'
  const clusterIps = addresses(family, spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ''])
  const balance = (list: readonly Target[]) => (seconds === undefined ? [spread(family, protocol, list)] : sticky(draft, context, id, protocol, list, seconds))
  const fromOutside = clusterIps.map((ip) => `${family.table} daddr ${ip} ${family.table} saddr != { ${addresses(family, context.clusterCidrs).join(', ')} } ${setMasqueradeMark}`)

  if (targets.cluster.length > 0) draft.chains[`svc/${id}`] = { rules: [...fromOutside, ...balance(targets.cluster)] }
  if ((internalLocal || externalLocal) && targets.local.length > 0) draft.chains[`loc/${id}`] = { rules: [...fromOutside, ...balance(targets.local)] }
  const chainOf = (list: readonly Target[], local: boolean) => (list.length > 0 ? `${local ? 'loc' : 'svc'}/${id}` : undefined)

  const inside = internalLocal ? targets.local : targets.cluster
  for (const ip of clusterIps) {
    front(draft, fronts, { ip, port: port.port, protocol, targets: inside }, chainOf(inside, internalLocal), targets.cluster.length > 0)
  }

  const outside = externalLocal ? targets.local : targets.cluster
  const outsideFronts = externalFronts(family, service, port)
  if (outsideFronts.length === 0) return fronts
  const entry = targets.cluster.length > 0 ? `ext/${id}` : undefined
  if (entry) draft.chains[entry] = { rules: externalRules(context, `svc/${id}`, externalLocal, chainOf(targets.local, true)) }
  for (const f of outsideFronts) front(draft, fronts, { ...f, protocol, targets: outside }, entry, targets.cluster.length > 0, outside.length === 0)
  return fronts
}

/** From outside: with policy `Local` the client's address is kept and only this node's endpoints answer; pods and the node itself reach all. */
function externalRules({ family, clusterCidrs }: ServiceContext, all: string, externalLocal: boolean, local: string | undefined): string[] {
  if (!externalLocal) return [setMasqueradeMark, `goto ${all}`]
  return [
    `${family.table} saddr { ${addresses(family, clusterCidrs).join(', ')} } goto ${all}`,
    `fib saddr type local ${setMasqueradeMark}`,
    `fib saddr type local goto ${all}`,
    ...(local ? [`goto ${local}`] : []),
  ]
}

/** Adds an address and port to the maps: its target, or what happens without endpoints. */
function front(draft: Draft, fronts: Front[], f: Front, chain: string | undefined, elsewhere: boolean, refused = chain === undefined): void {
  const key = f.ip === undefined ? `${f.protocol} . ${f.port}` : `${f.ip} . ${f.protocol} . ${f.port}`
  if (chain) draft.elements.push({ in: f.ip === undefined ? mapNames.nodePorts : mapNames.serviceIps, key, value: `goto ${chain}` })
  // Endpoints on other nodes only: packets are dropped rather than rejected, so the client may try another node.
  if (refused) draft.elements.push({ in: f.ip === undefined ? mapNames.noEndpointPorts : mapNames.noEndpointIps, key, value: elsewhere ? 'drop' : `goto ${chainNames.refuse}` })
  fronts.push(f)
}

const addresses = (family: Family, list: readonly string[]): string[] => list.map((a) => a.trim()).filter((a) => family.has(a))

const loadBalancerIps = (service: core.Service, family: Family): string[] =>
  (service.spec.type === 'LoadBalancer' ? addresses(family, (service.status.loadBalancer.ingress ?? []).filter((i) => i.ipMode !== 'Proxy').map((i) => i.ip ?? '')) : [])

function externalFronts(family: Family, service: core.Service, port: core.ServicePort): { readonly ip?: string; readonly port: number }[] {
  const ips = [...addresses(family, service.spec.externalIPs ?? []), ...loadBalancerIps(service, family)]
  return [...ips.map((ip) => ({ ip, port: port.port })), ...(port.nodePort ? [{ port: port.nodePort }] : [])]
}

/** loadBalancerSourceRanges: other sources are dropped at a load balancer's address, before translation. */
function planFirewall(draft: Draft, { family }: ServiceContext, service: core.Service): void {
  const ranges = service.spec.loadBalancerSourceRanges ?? []
  if (ranges.length === 0) return
  const chain = `fw/${service.metadata.namespace}/${service.metadata.name}`
  const allowed = addresses(family, ranges)
  const ips = loadBalancerIps(service, family)
  if (ips.length === 0) return
  draft.chains[chain] = { rules: [allowed.length > 0 ? `${family.table} saddr != { ${allowed.join(', ')} } drop` : 'drop'] }
  for (const ip of ips) {
    for (const port of service.spec.ports ?? []) {
      draft.elements.push({ in: mapNames.firewall, key: `${ip} . ${(port.protocol ?? 'TCP').toLowerCase()} . ${port.port}`, value: `goto ${chain}` })
    }
  }
}

/** A service's whole part of one family's table. `slices` are those labelled with the service's name. */
export function planService(service: core.Service, slices: readonly discovery.EndpointSlice[], context: ServiceContext): ServicePlan {
  const draft: Draft = { chains: {}, sets: {}, elements: [] }
  const fronts: Front[] = []
  if (!isProxied(service)) return { fragment: draft, fronts }
  for (const port of service.spec.ports ?? []) {
    const targets = targetsOf(port, slices, context.family.addressType, context.place)
    fronts.push(...planPort(draft, context, service, port, targets))
    // Hairpin: a pod that reaches itself through its service must see another source address than its own, or it would drop the packet.
    for (const t of targets.all) if (t.local) draft.elements.push({ in: mapNames.hairpin, key: `${t.ip} . ${t.ip}` })
  }
  planFirewall(draft, context, service)
  return { fragment: draft, fronts }
}
