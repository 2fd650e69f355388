/** The endpoints of a service: from its pods, grouped by the ports they resolve to. */
import type { core, discovery } from '../../api/index.ts'
import { stableStringify } from '../../machinery/meta.ts'
import { isReady } from '../shared/pods.ts'
import { addressesOf, familiesOf, hostnameIn, isHeadless, mayServe, targetPort, targetReference } from '../shared/service-pods.ts'
import type { AddressType, Endpoint, Group } from './plan.ts'

const zoneLabel = 'topology.kubernetes.io/zone'

/** For whom a ready endpoint is meant when the service prefers what is near. */
function hintsFor(service: core.Service, zone: string | undefined, nodeName: string | undefined): discovery.EndpointHints | undefined {
  const preference = service.spec.trafficDistribution
  if (!preference) return undefined
  const forNodes = preference === 'PreferSameNode' && nodeName ? { forNodes: [{ name: nodeName }] } : {}
  const forZones = zone ? { forZones: [{ name: zone }] } : {}
  const hints = { ...forZones, ...forNodes }
  return Object.keys(hints).length > 0 ? hints : undefined
}

/** A pod as an endpoint. It serves while it is ready, also on its way out; `ready` is never true then, unless the service publishes what is not ready. */
export function endpointOf(pod: core.Pod, service: core.Service, family: AddressType, node: core.Node | undefined): Endpoint {
  const serving = isReady(pod)
  const terminating = Boolean(pod.metadata.deletionTimestamp)
  const hostname = hostnameIn(pod, service)
  const nodeName = pod.spec.nodeName || undefined
  const zone = node?.metadata.labels?.[zoneLabel]
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
  const hints = ready ? hintsFor(service, zone, nodeName) : undefined
  return {
    addresses: addressesOf(pod, family),
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    targetRef: targetReference(pod),
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hints ? { hints } : {}),
  }
}

function portsOf(pod: core.Pod, service: core.Service): readonly discovery.EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPort(pod, port)
    if (number === undefined) return []
    return [{ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: number, ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}) }]
  })
}

/** The groups of a service: at least one per address family, empty when no pod has an address of it. */
export function groupsOf(service: core.Service, pods: readonly core.Pod[], nodeOf: (name: string) => core.Node | undefined): readonly Group[] {
  const serving = pods.filter(mayServe)
  return familiesOf(service).flatMap((addressType): Group[] => {
    const groups = new Map<string, { readonly addressType: string; readonly ports: readonly discovery.EndpointPort[]; readonly endpoints: Endpoint[] }>()
    for (const pod of serving.filter((p) => addressesOf(p, addressType).length > 0)) {
      const ports = portsOf(pod, service)
      if (ports.length === 0 && !(isHeadless(service) && (service.spec.ports ?? []).length === 0)) continue
      const key = stableStringify(ports)
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] }
      group.endpoints.push(endpointOf(pod, service, addressType, nodeOf(pod.spec.nodeName ?? '')))
      groups.set(key, group)
    }
    return groups.size > 0 ? [...groups.values()] : [{ addressType, ports: [], endpoints: [] }]
  })
}
