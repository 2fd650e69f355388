/** The cluster as DNS sees it, from informers shared with the proxy. */
import { core, discovery } from '../../api/index.ts'
import type { Informers } from '../../client/informer.ts'
import { canonicalAddress } from '../host/cidr.ts'
import { bySliceService } from '../slices.ts'
import type { ClusterView } from './zone.ts'

const ipsOfService = (service: core.Service) => [...new Set([...(service.spec.clusterIPs ?? []), service.spec.clusterIP ?? ''])].filter((ip) => ip !== '' && ip !== 'None').map(canonicalAddress)
const ipsOfSlice = (slice: discovery.EndpointSlice) => slice.endpoints.flatMap((e) => e.addresses.map(canonicalAddress))

/** A view over the informers; not ready until they have synced. */
export function createClusterView(informers: Informers): ClusterView & { synced(): Promise<void> } {
  const services = informers.for(core.services, { indexes: { ip: ipsOfService } })
  const slices = informers.for(discovery.endpointslices, { indexes: { ...bySliceService, ip: ipsOfSlice } })
  const namespaces = informers.for(core.namespaces)
  return {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    slices: (namespace, service) => slices.byIndex('service', `${namespace}/${service}`),
    hasNamespace: (name) => namespaces.get(name) !== undefined,
    servicesByIp: (ip) => services.byIndex('ip', canonicalAddress(ip)),
    slicesByIp: (ip) => slices.byIndex('ip', canonicalAddress(ip)),
    get ready() { return services.hasSynced && slices.hasSynced && namespaces.hasSynced },
    synced: async () => void (await Promise.all([services.synced(), slices.synced(), namespaces.synced()])),
  }
}
