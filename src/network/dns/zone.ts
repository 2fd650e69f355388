/**
 * The cluster's names: which records exist, from Services, EndpointSlices and Namespaces.
 * https://github.com/kubernetes/dns/blob/master/docs/specification.md (DNS-Based Service Discovery, version 1.1.0)
 *
 *     <service>.<ns>.svc.<zone>                          A, AAAA; CNAME for ExternalName; SRV of all ports
 *     _<port>._<protocol>.<service>.<ns>.svc.<zone>      SRV
 *     <hostname or 10-0-0-1>.<service>.<ns>.svc.<zone>   A, AAAA of one endpoint
 *     10-0-0-1.<ns>.pod.<zone>                           A, AAAA
 *     dns-version.<zone>                                 TXT
 *     1.0.96.10.in-addr.arpa, ….ip6.arpa                 PTR of services and endpoints
 */
import type { core, discovery } from '../../api/index.ts'
import { addressNumber, canonicalAddress, ipv6Groups } from '../host/cidr.ts'
import { serviceNameLabel } from '../slices.ts'
import { rcodes, types, type DnsRecord, type Question, type Reply } from './wire.ts'

/** The cluster's state as the zone reads it. Addresses are in canonical text form. */
export interface ClusterView {
  service(namespace: string, name: string): core.Service | undefined
  slices(namespace: string, service: string): readonly discovery.EndpointSlice[]
  hasNamespace(name: string): boolean
  servicesByIp(ip: string): readonly core.Service[]
  slicesByIp(ip: string): readonly discovery.EndpointSlice[]
  /** False until the first lists have arrived: before that, unknown names must not be answered with NXDOMAIN. */
  readonly ready: boolean
}

export interface ZoneOptions {
  readonly view: ClusterView
  /** `cluster.local`. */
  readonly domain: string
  /** The addresses of cluster DNS itself. */
  readonly dnsAddresses: readonly string[]
  /** The SOA serial: grows when the zone changes; seconds since the epoch will do. */
  readonly serial: () => number
}

/** `external`: a CNAME to a name outside the cluster, to be resolved. Undefined: not a name of the cluster. */
export type ZoneAnswer = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'external'; readonly alias: DnsRecord; readonly target: string } | undefined

/** TTL in seconds: short, since answers are cheap and endpoints change. */
const ttl = 5

interface Endpoint { readonly host: string; readonly ip: string; readonly ports: readonly discovery.EndpointPort[] }

/** `10.0.0.1` as four bytes, `fd00::1` as sixteen. */
function addressRecord(name: string, ip: string): DnsRecord | undefined {
  const number = addressNumber(ip)
  if (!number) return undefined
  if (number.family === 4) return { name, ttl, type: 'A', address: Uint8Array.from(ip.split('.').map(Number)) }
  return { name, ttl, type: 'AAAA', address: Uint8Array.from(ipv6Groups(ip).flatMap((g) => [g >> 8, g & 255])) }
}

const dashed = (ip: string) => ip.replaceAll(/[.:]/g, '-')

/** `10-0-0-1` or `fd00--1` as an address; undefined when it is not one. */
function undashed(label: string): string | undefined {
  const candidates = [label.replaceAll('-', '.'), label.replaceAll('-', ':')]
  return candidates.find((ip) => addressNumber(ip) !== undefined)
}

/** The address of a reverse name; undefined when it is incomplete. */
function reverseAddress(labels: readonly string[]): string | undefined {
  const zone = labels.slice(-2).join('.')
  const parts = labels.slice(0, -2).reverse()
  if (zone === 'in-addr.arpa' && parts.length === 4) return addressNumber(parts.join('.')) ? parts.join('.') : undefined
  if (zone !== 'ip6.arpa' || parts.length !== 32 || parts.some((p) => !/^[0-9a-f]$/.test(p))) return undefined
  return Array.from({ length: 8 }, (_, i) => Number.parseInt(parts.slice(4 * i, 4 * i + 4).join(''), 16).toString(16)).join(':')
}

const isHeadless = (service: core.Service) => service.spec.clusterIP === 'None'
const clusterIps = (service: core.Service): readonly string[] =>
  (service.spec.clusterIPs?.length ? service.spec.clusterIPs : [service.spec.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None')

/** The endpoints with names: the ready ones, or all with publishNotReadyAddresses. */
function endpointsOf(service: core.Service, slices: readonly discovery.EndpointSlice[]): Endpoint[] {
  const all = service.spec.publishNotReadyAddresses === true
  return slices.flatMap((slice) => slice.endpoints
    .filter((e) => all || e.conditions.ready !== false)
    .flatMap((e) => e.addresses.map((ip) => ({ host: (e.hostname ?? '') || dashed(ip), ip, ports: slice.ports }))))
}

/** In random order, since clients use the first address. */
function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j] as T, copy[i] as T]
  }
  return copy
}

const unique = (records: readonly DnsRecord[], key: (r: DnsRecord) => string) => [...new Map(records.map((r) => [key(r), r])).values()]

interface Context extends ZoneOptions { readonly soa: () => DnsRecord }

const wants = (q: Question, type: keyof typeof types) => q.type === types[type] || q.type === types.ANY
const ofType = (q: Question, records: readonly (DnsRecord | undefined)[]) => records.filter((r) => r !== undefined).filter((r) => wants(q, r.type))
const nameOf = (z: Context, service: core.Service) => `${service.metadata.name}.${service.metadata.namespace}.svc.${z.domain}`
const slicesOf = (z: Context, service: core.Service) => z.view.slices(service.metadata.namespace ?? '', service.metadata.name ?? '')

/** NODATA: the name exists but has no records of the type; the SOA says how long this may be cached. */
const reply = (z: Context, answers: readonly DnsRecord[], additional: readonly DnsRecord[] = []): ZoneAnswer =>
  ({ kind: 'reply', reply: { rcode: rcodes.noError, authoritative: true, answers, additional, authority: answers.length === 0 ? [z.soa()] : [] } })
const noData = (z: Context) => reply(z, [])
const noName = (z: Context): ZoneAnswer => ({ kind: 'reply', reply: { rcode: rcodes.nameError, authoritative: true, answers: [], authority: [z.soa()] } })

/** SRV records, and the addresses of their targets. `matches` selects the ports. */
function srv(z: Context, name: string, service: core.Service, endpoints: readonly Endpoint[], matches: (port: string, protocol: string) => boolean): { answers: DnsRecord[]; additional: DnsRecord[] } {
  const answers: DnsRecord[] = []
  const additional: (DnsRecord | undefined)[] = []
  const add = (target: string, port: number, ips: readonly string[]) => {
    answers.push({ name, ttl, type: 'SRV', priority: 0, weight: 100, port, target })
    additional.push(...ips.map((ip) => addressRecord(target, ip)))
  }
  if (!isHeadless(service)) {
    for (const p of service.spec.ports ?? []) if (matches(p.name ?? '', p.protocol ?? 'TCP')) add(nameOf(z, service), p.port, clusterIps(service))
  }
  for (const e of isHeadless(service) ? endpoints : []) {
    for (const p of e.ports) if (p.port !== undefined && matches(p.name ?? '', p.protocol ?? 'TCP')) add(`${e.host}.${nameOf(z, service)}`, p.port, [e.ip])
  }
  return {
    answers: unique(answers, (r) => (r.type === 'SRV' ? `${r.target} ${r.port}` : '')),
    additional: unique(additional.filter((r) => r !== undefined), (r) => (r.type === 'A' || r.type === 'AAAA' ? `${r.name} ${r.address.join('.')}` : '')),
  }
}

function serviceAnswer(z: Context, q: Question, service: core.Service): ZoneAnswer {
  if (service.spec.type === 'ExternalName') {
    const target = (service.spec.externalName ?? '').replace(/\.$/, '')
    const alias: DnsRecord = { name: q.name, ttl, type: 'CNAME', target }
    return q.type === types.CNAME || !(wants(q, 'A') || wants(q, 'AAAA')) ? reply(z, [alias]) : { kind: 'external', alias, target }
  }
  const endpoints = isHeadless(service) ? endpointsOf(service, slicesOf(z, service)) : []
  if (isHeadless(service) && endpoints.length === 0) return noName(z)
  if (q.type === types.SRV) {
    const { answers, additional } = srv(z, q.name, service, endpoints, () => true)
    return reply(z, answers, additional)
  }
  const ips = isHeadless(service) ? shuffled([...new Set(endpoints.map((e) => e.ip))]) : clusterIps(service)
  return reply(z, ofType(q, ips.map((ip) => addressRecord(q.name, ip))))
}

/** Names below a service: its named ports, or one of its endpoints. */
function belowService(z: Context, q: Question, service: core.Service, labels: readonly string[]): ZoneAnswer {
  if (service.spec.type === 'ExternalName') return noName(z)
  const endpoints = endpointsOf(service, slicesOf(z, service))
  const [first = '', second] = labels
  if (labels.length === 2 && first.startsWith('_') && second?.startsWith('_')) {
    const { answers, additional } = srv(z, q.name, service, endpoints, (port, protocol) => port === first.slice(1) && protocol.toLowerCase() === second.slice(1))
    return answers.length === 0 ? noName(z) : wants(q, 'SRV') ? reply(z, answers, additional) : noData(z)
  }
  if (labels.length !== 1) return noName(z)
  if (first.startsWith('_')) return ['_tcp', '_udp', '_sctp'].includes(first) ? noData(z) : noName(z)
  const own = endpoints.filter((e) => e.host.toLowerCase() === first || dashed(e.ip) === first)
  return own.length === 0 ? noName(z) : reply(z, ofType(q, shuffled([...new Set(own.map((e) => e.ip))]).map((ip) => addressRecord(q.name, ip))))
}

/** The names beside `svc` and `pod`: the zone itself, its server, its version. */
function apexAnswer(z: Context, q: Question, labels: readonly string[]): ZoneAnswer {
  const [first, second] = labels
  const server = `ns.dns.${z.domain}`
  if (labels.length === 0) {
    if (wants(q, 'SOA')) return reply(z, [z.soa()])
    return wants(q, 'NS') ? reply(z, [{ name: q.name, ttl, type: 'NS', target: server }], ofType({ ...q, type: types.ANY }, z.dnsAddresses.map((ip) => addressRecord(server, ip)))) : noData(z)
  }
  if (first === 'dns-version' && labels.length === 1) return wants(q, 'TXT') ? reply(z, [{ name: q.name, ttl, type: 'TXT', text: '1.1.0' }]) : noData(z)
  if (first === 'ns' && second === 'dns' && labels.length === 2) return reply(z, ofType(q, z.dnsAddresses.map((ip) => addressRecord(q.name, ip))))
  return first === 'dns' && labels.length === 1 ? noData(z) : noName(z)
}

function inZone(z: Context, q: Question, labels: readonly string[]): ZoneAnswer {
  const kind = labels.at(-1)
  if (kind !== 'svc' && kind !== 'pod') return apexAnswer(z, q, labels)
  const namespace = labels.at(-2)
  if (namespace === undefined) return noData(z)
  if (!z.view.hasNamespace(namespace)) return noName(z)
  const rest = labels.slice(0, -2)
  if (rest.length === 0) return noData(z)
  if (kind === 'pod') {
    const ip = rest.length === 1 ? undashed(rest[0] ?? '') : undefined
    return ip === undefined ? noName(z) : reply(z, ofType(q, [addressRecord(q.name, ip)]))
  }
  const service = z.view.service(namespace, rest.at(-1) ?? '')
  if (!service) return noName(z)
  return rest.length === 1 ? serviceAnswer(z, q, service) : belowService(z, q, service, rest.slice(0, -1))
}

/** The name of the service or endpoint with an address; undefined when the cluster has none: the upstream may know it. */
function reverse(z: Context, q: Question, ip: string): ZoneAnswer {
  const names = z.view.servicesByIp(ip).map((service) => nameOf(z, service))
  for (const slice of names.length === 0 ? z.view.slicesByIp(ip) : []) {
    const service = z.view.service(slice.metadata.namespace ?? '', slice.metadata.labels?.[serviceNameLabel] ?? '')
    const endpoint = slice.endpoints.find((e) => e.addresses.some((a) => canonicalAddress(a) === canonicalAddress(ip)))
    if (service && endpoint) names.push(`${(endpoint.hostname ?? '') || dashed(endpoint.addresses[0] ?? ip)}.${nameOf(z, service)}`)
  }
  if (names.length === 0) return undefined
  return wants(q, 'PTR') ? reply(z, [...new Set(names)].map((target) => ({ name: q.name, ttl, type: 'PTR', target }))) : noData(z)
}

export type Zone = (question: Question) => ZoneAnswer

/** A resolver of the cluster's names. It only reads `view`; a query costs a few map lookups. */
export function createZone(options: ZoneOptions): Zone {
  const { view, domain, serial } = options
  const apex = domain.toLowerCase().split('.')
  const z: Context = {
    ...options,
    soa: () => ({ name: domain, ttl, type: 'SOA', primary: `ns.dns.${domain}`, mailbox: `hostmaster.${domain}`, serial: serial(), minimum: ttl }),
  }
  return (q) => {
    const labels = q.name.toLowerCase().split('.')
    if (labels.slice(-apex.length).join('.') === apex.join('.')) {
      if (!view.ready) return { kind: 'reply', reply: { rcode: rcodes.serverFailure, authoritative: false, answers: [] } }
      return inZone(z, q, labels.slice(0, -apex.length))
    }
    const ip = labels.at(-1) === 'arpa' ? reverseAddress(labels) : undefined
    return ip === undefined ? undefined : reverse(z, q, ip)
  }
}
