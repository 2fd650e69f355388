/** The service `kubernetes` in `default`: how pods find the API server. */
import { core, discovery, type In } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { ensure } from './ensure.ts'

export interface ServerPlace {
  /** An address that pods can reach, no loopback. */
  readonly address: string
  readonly port: number
}

const key = { name: 'kubernetes', namespace: 'default' }
const httpsPort = 443

/** Creates the service with the first address of the range, and points its endpoints to where the server is. */
export async function ensureKubernetesService(client: Client, serviceCidr: string, place: ServerPlace): Promise<void> {
  await Promise.all([ensureService(client, firstAddress(serviceCidr), place), ensureEndpoints(client, place), ensureSlice(client, place)])
}

async function ensureService(client: Client, clusterIP: string, { port }: ServerPlace): Promise<void> {
  const ports = [{ name: 'https', protocol: 'TCP' as const, port: httpsPort, targetPort: port }]
  await ensure(client, core.services, key, {
    metadata: { ...key, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ipFamilies: [familyOf(clusterIP)], ipFamilyPolicy: 'SingleStack', sessionAffinity: 'None', ports },
  }, (current) => (current.spec.ports?.some((p) => p.port === httpsPort && p.targetPort === port) ? current : { ...current, spec: { ...current.spec, ports } }))
}

async function ensureEndpoints(client: Client, { address, port }: ServerPlace): Promise<void> {
  const subsets = [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' as const }] }]
  await ensure(client, core.endpoints, key, {
    // The slice is written beside it, so it must not be mirrored from here.
    metadata: { ...key, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets,
  }, (current) => (deepEqual(current.subsets, subsets) ? current : { ...current, subsets }))
}

async function ensureSlice(client: Client, { address, port }: ServerPlace): Promise<void> {
  const ports = [{ name: 'https', port, protocol: 'TCP' as const }]
  const wanted: In<typeof discovery.EndpointSlice> = {
    metadata: { ...key, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: familyOf(address),
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports,
  }
  await ensure(client, discovery.endpointslices, key, wanted, (current) => {
    const right = current.endpoints.length === 1 && deepEqual(current.endpoints[0]?.addresses, [address]) && current.ports[0]?.port === port
    return right ? current : { ...current, endpoints: [{ addresses: [address], conditions: { ready: true } }] as typeof current.endpoints, ports: ports as typeof current.ports }
  })
}

const familyOf = (address: string): 'IPv4' | 'IPv6' => (address.includes(':') ? 'IPv6' : 'IPv4')

/** The first address of a range (of two, of the first) after the network's own: `10.96.0.0/16` gives `10.96.0.1`. */
export function firstAddress(cidr: string): string {
  const [network = '', bits = '32'] = (cidr.split(',')[0] as string).trim().split('/')
  if (network.includes(':')) return network.endsWith('::') ? `${network}1` : network.replace(/[^:]*$/, (last) => (parseInt(last || '0', 16) + 1).toString(16))
  const number = network.split('.').reduce((n, part) => n * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(bits))
  const first = Math.floor(number / size) * size + 1
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')
}
