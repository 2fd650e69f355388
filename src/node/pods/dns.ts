/** A pod's resolv.conf, host name and /etc/hosts. */
import type { core } from '../../api/index.ts'

export interface DnsConfig { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] }
export interface DnsEnvironment { readonly clusterDns: readonly string[]; readonly clusterDomain: string; readonly host: DnsConfig }

/** Parses resolv.conf(5): nameservers, search domains, options. */
export function parseResolvConf(text: string): DnsConfig {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  const last = (word: string) => lines.findLast(([first]) => first === word)?.slice(1) ?? []
  // The same domain with and without its last dot counts once.
  const searches = last('search').map((domain) => (domain === '.' ? domain : domain.replace(/\.$/, '')))
  return { servers: lines.filter(([first, server]) => first === 'nameserver' && server).map(([, server]) => server as string), searches, options: last('options') }
}

const isLoopback = (server: string) => server.startsWith('127.') || server === '::1'

/** How the host resolves names. A resolver of the host's own (systemd's, on 127.0.0.53) is out of a pod's reach: then the servers behind it. */
export async function readHostDns(read: (file: string) => Promise<string>): Promise<DnsConfig> {
  const own = parseResolvConf(await read('/etc/resolv.conf'))
  if (own.servers.length === 0 || !own.servers.every(isLoopback)) return own
  const behind = parseResolvConf(await read('/run/systemd/resolve/resolv.conf'))
  return behind.servers.length > 0 ? behind : own
}

const unique = (list: readonly string[]) => [...new Set(list)]

/** By dnsPolicy, then dnsConfig added to it, within what resolvers can do. */
export const podDns = (pod: core.Pod, environment: DnsEnvironment): DnsConfig => withinLimits(wantedDns(pod, environment)).config

/** What of a pod's DNS configuration is left out, in words for events. */
export const dnsWarnings = (pod: core.Pod, environment: DnsEnvironment): readonly string[] => withinLimits(wantedDns(pod, environment)).warnings

const most = { servers: 3, searches: 32, domain: 253, line: 2048 }

function withinLimits(wanted: DnsConfig): { readonly config: DnsConfig; readonly warnings: readonly string[] } {
  const servers = wanted.servers.slice(0, most.servers)
  let searches = wanted.searches.slice(0, most.searches).filter((domain) => domain.length <= most.domain)
  while (searches.join(' ').length > most.line) searches = searches.slice(0, -1)
  const warnings = [
    ...(servers.length < wanted.servers.length ? [`Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`] : []),
    ...(searches.length < wanted.searches.length ? [`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`] : []),
  ]
  return { config: { ...wanted, servers, searches }, warnings }
}

function wantedDns(pod: core.Pod, environment: DnsEnvironment): DnsConfig {
  const base = baseDns(pod, environment)
  const extra = pod.spec.dnsConfig
  if (!extra) return base
  const options = new Map(base.options.map((o) => [o.split(':')[0], o]))
  for (const option of extra.options ?? []) if (option.name) options.set(option.name, option.value ? `${option.name}:${option.value}` : option.name)
  return { servers: unique([...base.servers, ...(extra.nameservers ?? [])]), searches: unique([...base.searches, ...(extra.searches ?? [])]), options: [...options.values()] }
}

function baseDns(pod: core.Pod, { clusterDns, clusterDomain, host }: DnsEnvironment): DnsConfig {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return { servers: [], searches: [], options: [] }
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork)
  if (!cluster || clusterDns.length === 0) return host
  const own = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  return { servers: clusterDns, searches: unique([...own, ...host.searches]), options: ['ndots:5'] }
}

/** The pod's host name (at most 63 characters) and its domain, which only pods with a subdomain have. */
export function podHostname(pod: core.Pod, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  if (pod.spec.hostnameOverride) return { hostname: shortened(pod.spec.hostnameOverride), domain: '' }
  const hostname = pod.spec.hostname || shortened(pod.metadata.name ?? '')
  const domain = pod.spec.subdomain ? `${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : ''
  return { hostname, domain }
}

const shortened = (name: string): string => (name.length <= 63 ? name : name.slice(0, 63).replace(/[-.]+$/, ''))

/** What the kernel calls the pod's machine. Throws for a full name that the kernel does not take. */
export function kernelHostname(pod: core.Pod, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain)
  if (!pod.spec.setHostnameAsFQDN || !domain) return hostname
  const full = `${hostname}.${domain}`
  if (full.length > 64) throw new Error(`failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (64 characters is the max, ${full.length} characters requested)`)
  return full
}

const managed = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`

/** /etc/hosts of a pod: its own addresses, or the node's file on the host network; then the aliases. */
export function hostsFile(pod: core.Pod, podIPs: readonly string[], clusterDomain: string, hostFile: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain)
  const names = domain ? `${hostname}.${domain}\t${hostname}` : hostname
  const head = pod.spec.hostNetwork
    ? `# Kubernetes-managed hosts file (host network).\n${hostFile}`
    : `# Kubernetes-managed hosts file.\n${managed}${podIPs.map((ip) => `${ip}\t${names}\n`).join('')}`
  const aliases = pod.spec.hostAliases ?? []
  if (aliases.length === 0) return head
  return `${head}\n# Entries added by HostAliases.\n${aliases.map((a) => `${a.ip}\t${(a.hostnames ?? []).join('\t')}\n`).join('')}`
}
