/** The base of the table: the hooks, the maps that services add their elements to, masquerading. */
import type { Chain, Fragment } from '../nft/ledger.ts'
import type { Family } from '../nft/family.ts'

export const mapNames = {
  serviceIps: 'service-ips',
  nodePorts: 'node-ports',
  hostPortIps: 'host-port-ips',
  hostPorts: 'host-ports',
  noEndpointIps: 'no-endpoint-ips',
  noEndpointPorts: 'no-endpoint-ports',
  firewall: 'load-balancer-firewall',
  hairpin: 'hairpin',
} as const

export const chainNames = { services: 'services', refuse: 'refuse', noEndpoint: 'no-endpoint', masquerade: 'masquerading' } as const

/** The packet mark bit for masquerading: kube-proxy's, so that others leave it alone. */
const mark = '0x4000'
export const setMasqueradeMark = `meta mark set meta mark or ${mark}`

export interface BaseOptions {
  readonly family: Family
  /** The pods of this node; of the family. */
  readonly podCidrs: readonly string[]
  readonly clusterCidrs: readonly string[]
  readonly serviceCidrs: readonly string[]
  /** The addresses of all nodes, which pods reach without masquerading. */
  readonly nodeAddresses: readonly string[]
  readonly clusterDnsAddresses: readonly string[]
  /** Node ports on 127.0.0.1. They need `route_localnet`, whose side effects one rule blocks. */
  readonly localhost: boolean
}

function masqueradeRules(o: BaseOptions): string[] {
  const { family } = o
  const f = family.table
  const inside = [...o.clusterCidrs, ...o.nodeAddresses.filter((a) => !o.clusterCidrs.includes(a)), family.multicast]
  return [
    `meta mark and ${mark} != 0 meta mark set meta mark xor ${mark} masquerade fully-random`,
    `${f} saddr . ${f} daddr @${mapNames.hairpin} masquerade`,
    `${f} saddr ${family.loopback} oifname != "lo" masquerade`,
    ...(o.podCidrs.length > 0 ? [`${f} saddr { ${o.podCidrs.join(', ')} } ${f} daddr != { ${inside.join(', ')} } masquerade fully-random`] : []),
  ]
}

function natRules(o: BaseOptions): string[] {
  const f = o.family.table
  const port = 'meta l4proto . th dport'
  const onNode = ['fib daddr type local', ...(o.clusterDnsAddresses.length > 0 ? [`${f} daddr != { ${o.clusterDnsAddresses.join(', ')} }`] : [])].join(' ')
  return [
    `${f} daddr . ${port} vmap @${mapNames.serviceIps}`,
    `${onNode} ${port} vmap @${mapNames.nodePorts}`,
    `dnat ${f} to ${f} daddr . ${port} map @${mapNames.hostPortIps}`,
    `${onNode} dnat ${f} to ${port} map @${mapNames.hostPorts}`,
  ].map((rule) => (rule.startsWith('dnat') ? `meta l4proto { tcp, udp, sctp } ${rule}` : rule))
}

function refusals(o: BaseOptions): string[] {
  const f = o.family.table
  return [
    `${f} daddr . meta l4proto . th dport vmap @${mapNames.noEndpointIps}`,
    `fib daddr type local meta l4proto . th dport vmap @${mapNames.noEndpointPorts}`,
    // A packet that still goes to the service network after translation belongs to no service.
    ...(o.serviceCidrs.length > 0 ? [`${f} daddr { ${o.serviceCidrs.join(', ')} } fib daddr type != local goto ${chainNames.refuse}`] : []),
  ]
}

/** Hooks and maps of one family's table. */
export function planBase(o: BaseOptions): Fragment {
  const { address, table: f } = o.family
  const filter = (hook: string): Chain => ({ hook: `type filter hook ${hook} priority filter; policy accept;`, rules: [`ct state new jump ${chainNames.noEndpoint}`] })
  const guard = (hook: string): Chain => ({
    hook: `type filter hook ${hook} priority dstnat - 10; policy accept;`,
    rules: [`ct state new ${f} daddr . meta l4proto . th dport vmap @${mapNames.firewall}`],
  })
  const nat = (hook: string): Chain => ({ hook: `type nat hook ${hook} priority dstnat; policy accept;`, rules: [`jump ${chainNames.services}`] })
  return {
    maps: {
      [mapNames.serviceIps]: `type ${address} . inet_proto . inet_service : verdict;`,
      [mapNames.nodePorts]: 'type inet_proto . inet_service : verdict;',
      [mapNames.hostPortIps]: `type ${address} . inet_proto . inet_service : ${address} . inet_service;`,
      [mapNames.hostPorts]: `type inet_proto . inet_service : ${address} . inet_service;`,
      [mapNames.noEndpointIps]: `type ${address} . inet_proto . inet_service : verdict;`,
      [mapNames.noEndpointPorts]: 'type inet_proto . inet_service : verdict;',
      [mapNames.firewall]: `type ${address} . inet_proto . inet_service : verdict;`,
    },
    sets: { [mapNames.hairpin]: `type ${address} . ${address};` },
    chains: {
      [chainNames.refuse]: { rules: ['meta l4proto tcp reject with tcp reset', 'reject'] },
      [chainNames.services]: { rules: natRules(o) },
      [chainNames.noEndpoint]: { rules: refusals(o) },
      [chainNames.masquerade]: { rules: masqueradeRules(o) },
      'nat-prerouting': nat('prerouting'),
      'nat-output': { ...nat('output'), hook: 'type nat hook output priority -100; policy accept;' },
      'nat-postrouting': { hook: 'type nat hook postrouting priority srcnat; policy accept;', rules: [`jump ${chainNames.masquerade}`] },
      'filter-input': filter('input'),
      'filter-forward': filter('forward'),
      'filter-output': filter('output'),
      'firewall-prerouting': guard('prerouting'),
      'firewall-output': { ...guard('output'), hook: 'type filter hook output priority -110; policy accept;' },
      ...(o.localhost && o.family.table === 'ip'
        ? { 'loopback-guard': { hook: 'type filter hook prerouting priority raw; policy accept;', rules: [`iifname != "lo" ip daddr ${o.family.loopback} drop`] } }
        : {}),
    },
  }
}
