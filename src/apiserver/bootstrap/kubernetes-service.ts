/** The service `kubernetes` in `default`: how pods find the API server. */
import { core, discovery, type In } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { isNotFound } from '../../machinery/errors.ts'
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

const endpointsLabels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }

async function ensureEndpoints(client: Client, { address, port }: ServerPlace): Promise<void> {
  const subsets = [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' as const }] }]
  // The slice is written beside it, so it must not be mirrored from here.
  await ensure(client, core.endpoints, key, { metadata: { ...key, labels: endpointsLabels }, subsets }, (current) => {
    const right = deepEqual(current.subsets, subsets) && deepEqual(current.metadata.labels, endpointsLabels)
    return right ? current : { ...current, metadata: { ...current.metadata, labels: endpointsLabels }, subsets }
  })
}

const sliceLabels = { 'kubernetes.io/service-name': 'kubernetes' }

/** One slice, and nothing else in it but this server: whoever may write slices in `default` could otherwise speak for it to every pod. */
async function ensureSlice(client: Client, { address, port }: ServerPlace): Promise<void> {
  const addressType = familyOf(address)
  const { items } = await client.list(discovery.endpointslices, { namespace: key.namespace, labelSelector: 'kubernetes.io/service-name=kubernetes' })
  const strange = items.filter((slice) => slice.metadata.name !== key.name || slice.addressType !== addressType)
  await Promise.all(strange.map(({ metadata }) => client.delete(discovery.endpointslices, metadata.name ?? '', { namespace: key.namespace }).catch(unlessGone)))
  const wanted: In<typeof discovery.EndpointSlice> = {
    metadata: { ...key, labels: sliceLabels },
    addressType,
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' as const }],
  }
  await ensure(client, discovery.endpointslices, key, wanted, (current) => {
    const right = deepEqual(current.endpoints, wanted.endpoints) && deepEqual(current.ports, wanted.ports) && deepEqual(current.metadata.labels, sliceLabels)
    return right ? current : { ...current, metadata: { ...current.metadata, labels: sliceLabels }, endpoints: wanted.endpoints as typeof current.endpoints, ports: wanted.ports as typeof current.ports }
  })
}

function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error
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
