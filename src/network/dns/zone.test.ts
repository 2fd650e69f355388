import { describe, expect, it } from 'vitest'
import { core, discovery } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { canonicalAddress } from '../host/cidr.ts'
import { types, type DnsRecord } from './wire.ts'
import { createZone, type ClusterView } from './zone.ts'

const service = (name: string, spec: object): core.Service => decodeObject(core.Service, { metadata: { name, namespace: 'shop' }, spec }).object
const slice = (name: string, ports: object[], ...endpoints: { ip: string; ready?: boolean; hostname?: string }[]): discovery.EndpointSlice => decodeObject(discovery.EndpointSlice, {
  metadata: { name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } }, addressType: 'IPv4', ports,
  endpoints: endpoints.map((e) => ({ addresses: [e.ip], conditions: { ready: e.ready ?? true }, ...(e.hostname ? { hostname: e.hostname } : {}) })),
}).object

const services = [
  service('web', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }, { name: 'dns', port: 53, protocol: 'UDP' }] }),
  service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] }),
  service('none-ready', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 1 }] }),
  service('all', { clusterIP: 'None', publishNotReadyAddresses: true, ports: [{ port: 1 }] }),
  service('ext', { type: 'ExternalName', externalName: 'example.org.' }),
]
const slices = [
  slice('web', [{ name: 'http', port: 8080, protocol: 'TCP' }], { ip: '10.244.0.9' }),
  slice('db', [{ name: 'sql', port: 15_432, protocol: 'TCP' }], { ip: '10.244.0.1', hostname: 'db-0' }, { ip: '10.244.0.2' }, { ip: '10.244.0.3', ready: false }),
  slice('none-ready', [{ port: 1 }], { ip: '10.244.0.4', ready: false }),
  slice('all', [{ port: 1 }], { ip: '10.244.0.5', ready: false }),
]
const view: ClusterView = {
  ready: true,
  service: (namespace, name) => services.find((s) => namespace === 'shop' && s.metadata.name === name),
  slices: (namespace, name) => slices.filter((s) => namespace === 'shop' && s.metadata.labels?.['kubernetes.io/service-name'] === name),
  hasNamespace: (name) => name === 'shop',
  servicesByIp: (ip) => services.filter((s) => s.spec.clusterIPs?.some((c) => canonicalAddress(c) === canonicalAddress(ip))),
  slicesByIp: (ip) => slices.filter((s) => s.endpoints.some((e) => e.addresses.includes(ip))),
}
const zone = createZone({ view, domain: 'cluster.local', dnsAddresses: ['10.96.0.10'], serial: () => 7 })

function text(r: DnsRecord): string {
  switch (r.type) {
    case 'A': return r.address.join('.')
    case 'AAAA': return Buffer.from(r.address).toString('hex')
    case 'SRV': return `${r.port} ${r.target}`
    case 'TXT': return r.text
    case 'SOA': return 'soa'
    default: return r.target
  }
}
/** The answers, or `NXDOMAIN`, or `NODATA`; undefined when the zone does not answer. */
function ask(name: string, type: keyof typeof types = 'A'): string[] | string | undefined {
  const found = zone({ name, type: types[type], class: 1 })
  if (found?.kind !== 'reply') return found && `alias ${found.target}`
  const { rcode, answers, authority = [] } = found.reply
  if (answers.length === 0) expect(authority.map(text)).toEqual(['soa'])
  if (rcode === 3) return 'NXDOMAIN'
  return answers.length === 0 ? 'NODATA' : answers.map(text).sort()
}

describe('the names of the cluster', () => {
  it('has the addresses of a service, whatever the case of the letters', () => {
    expect(ask('web.shop.svc.cluster.local')).toEqual(['10.96.0.1'])
    expect(ask('Web.SHOP.svc.Cluster.Local', 'AAAA')).toEqual(['fd000000000000000000000000000001'])
  })

  it('has the ready endpoints of a headless service, and all of them where asked to publish them', () => {
    expect(ask('db.shop.svc.cluster.local')).toEqual(['10.244.0.1', '10.244.0.2'])
    expect(ask('all.shop.svc.cluster.local')).toEqual(['10.244.0.5'])
    expect(ask('none-ready.shop.svc.cluster.local')).toBe('NXDOMAIN')
  })

  it('names each endpoint by its hostname or its address', () => {
    expect(ask('db-0.db.shop.svc.cluster.local')).toEqual(['10.244.0.1'])
    expect(ask('10-244-0-2.db.shop.svc.cluster.local')).toEqual(['10.244.0.2'])
    expect(ask('10-244-0-3.db.shop.svc.cluster.local')).toBe('NXDOMAIN')
  })

  it('leads to ports: of the service itself, or of each endpoint of a headless one', () => {
    expect(ask('_http._tcp.web.shop.svc.cluster.local', 'SRV')).toEqual(['80 web.shop.svc.cluster.local'])
    expect(ask('_sql._tcp.db.shop.svc.cluster.local', 'SRV')).toEqual(['15432 10-244-0-2.db.shop.svc.cluster.local', '15432 db-0.db.shop.svc.cluster.local'])
    expect(ask('web.shop.svc.cluster.local', 'SRV')).toHaveLength(2)
    expect(ask('_http._udp.web.shop.svc.cluster.local', 'SRV')).toBe('NXDOMAIN')
    expect(ask('_http._tcp.web.shop.svc.cluster.local', 'A')).toBe('NODATA')
  })

  it('sends the addresses of what a port leads to along', () => {
    const found = zone({ name: '_sql._tcp.db.shop.svc.cluster.local', type: types.SRV, class: 1 })
    expect(found?.kind === 'reply' && found.reply.additional?.map(text)).toEqual(['10.244.0.1', '10.244.0.2'])
  })

  it('gives the alias of an external name, and lets it be followed for addresses', () => {
    expect(ask('ext.shop.svc.cluster.local', 'CNAME')).toEqual(['example.org'])
    expect(ask('ext.shop.svc.cluster.local', 'A')).toBe('alias example.org')
  })

  it('knows pods by their address', () => {
    expect(ask('10-244-0-77.shop.pod.cluster.local')).toEqual(['10.244.0.77'])
    expect(ask('fd00--7.shop.pod.cluster.local', 'AAAA')).toEqual(['fd000000000000000000000000000007'])
    expect(ask('10-244-0-77.shop.pod.cluster.local', 'AAAA')).toBe('NODATA')
    expect(ask('10-244-0-77.missing.pod.cluster.local')).toBe('NXDOMAIN')
    expect(ask('banana.shop.pod.cluster.local')).toBe('NXDOMAIN')
  })

  it('tells a name without such a record from a name that is not', () => {
    expect(ask('web.shop.svc.cluster.local', 'TXT')).toBe('NODATA')
    expect(ask('shop.svc.cluster.local')).toBe('NODATA')
    expect(ask('svc.cluster.local')).toBe('NODATA')
    expect(ask('_tcp.web.shop.svc.cluster.local')).toBe('NODATA')
    expect(ask('nobody.shop.svc.cluster.local')).toBe('NXDOMAIN')
    expect(ask('web.missing.svc.cluster.local')).toBe('NXDOMAIN')
    expect(ask('a.b.web.shop.svc.cluster.local')).toBe('NXDOMAIN')
    expect(ask('example.org.shop.svc.cluster.local')).toBe('NXDOMAIN')
    expect(ask('other.cluster.local')).toBe('NXDOMAIN')
  })

  it('says which version of the specification it follows, and who serves it', () => {
    expect(ask('dns-version.cluster.local', 'TXT')).toEqual(['1.1.0'])
    expect(ask('cluster.local', 'SOA')).toEqual(['soa'])
    expect(ask('cluster.local', 'NS')).toEqual(['ns.dns.cluster.local'])
    expect(ask('ns.dns.cluster.local')).toEqual(['10.96.0.10'])
  })

  it('names addresses of services and endpoints, and leaves others to somebody else', () => {
    expect(ask('1.0.96.10.in-addr.arpa', 'PTR')).toEqual(['web.shop.svc.cluster.local'])
    expect(ask('1.0.244.10.in-addr.arpa', 'PTR')).toEqual(['db-0.db.shop.svc.cluster.local'])
    expect(ask(`1.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`, 'PTR')).toEqual(['web.shop.svc.cluster.local'])
    expect(ask('1.1.168.192.in-addr.arpa', 'PTR')).toBeUndefined()
    expect(ask('example.org')).toBeUndefined()
    expect(ask('notcluster.local')).toBeUndefined()
  })

  it('denies nothing before it knows the cluster', () => {
    const early = createZone({ view: { ...view, ready: false }, domain: 'cluster.local', dnsAddresses: [], serial: () => 1 })({ name: 'web.shop.svc.cluster.local', type: 1, class: 1 })
    expect(early).toMatchObject({ kind: 'reply', reply: { rcode: 2 } })
  })
})
