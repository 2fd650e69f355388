/** The subsets of an Endpoints object: addresses that share ports, ready and not ready apart, in one canonical order. */
import type { core } from '../../api/index.ts'
import { stableStringify } from '../../machinery/meta.ts'
import { isReady } from '../shared/pods.ts'
import { addressesOf, familiesOf, hostnameIn, isHeadless, mayServe, targetPort, targetReference } from '../shared/service-pods.ts'

/** No more addresses than this go into one Endpoints object; EndpointSlices have no such bound. */
export const maxAddresses = 1000

interface Entry { readonly address: core.EndpointAddress; readonly port: core.EndpointPort | undefined; readonly ready: boolean }

const order = (a: core.EndpointAddress, b: core.EndpointAddress): number => {
  const [left, right] = [`${a.ip}\0${a.targetRef?.uid ?? ''}`, `${b.ip}\0${b.targetRef?.uid ?? ''}`]
  return left < right ? -1 : left > right ? 1 : 0
}

function portOf(pod: core.Pod, port: core.ServicePort): core.EndpointPort | undefined {
  const number = targetPort(pod, port)
  if (number === undefined) return undefined
  return { ...(port.name ? { name: port.name } : {}), port: number, protocol: port.protocol ?? 'TCP', ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}) }
}

/** What each pod contributes. Pods on their way out serve no more, unless the service publishes what is not ready. */
function entriesOf(service: core.Service, pods: readonly core.Pod[]): Entry[] {
  const [family = 'IPv4'] = familiesOf(service)
  const publish = service.spec.publishNotReadyAddresses === true
  return pods.filter((pod) => mayServe(pod) && (publish || !pod.metadata.deletionTimestamp)).flatMap((pod): Entry[] => {
    const [ip] = addressesOf(pod, family)
    if (ip === undefined) return []
    const hostname = hostnameIn(pod, service)
    const address = { ip, ...(hostname ? { hostname } : {}), ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}), targetRef: targetReference(pod) }
    const ready = publish || isReady(pod)
    const ports = service.spec.ports ?? []
    if (ports.length === 0) return isHeadless(service) ? [{ address, port: undefined, ready }] : []
    return ports.map((port) => portOf(pod, port)).filter((port) => port !== undefined).map((port) => ({ address, port, ready }))
  })
}

/** Addresses with the same ports together, whatever order they came in. */
export function subsetsOf(service: core.Service, pods: readonly core.Pod[]): readonly core.EndpointSubset[] {
  const byAddress = new Map<string, { readonly address: core.EndpointAddress; readonly ready: boolean; readonly ports: core.EndpointPort[] }>()
  for (const { address, port, ready } of entriesOf(service, pods)) {
    const key = `${stableStringify(address)}${ready}`
    const known = byAddress.get(key) ?? { address, ready, ports: [] }
    if (port) known.ports.push(port)
    byAddress.set(key, known)
  }
  const kept = [...byAddress.values()].sort((a, b) => Number(b.ready) - Number(a.ready)).slice(0, maxAddresses)
  const byPorts = Map.groupBy(kept, ({ ports }) => stableStringify(ports.map((p) => stableStringify(p)).sort()))
  return [...byPorts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => {
    const addresses = group.filter((g) => g.ready).map((g) => g.address).sort(order)
    const notReadyAddresses = group.filter((g) => !g.ready).map((g) => g.address).sort(order)
    const ports = [...(group[0]?.ports ?? [])].sort((a, b) => (stableStringify(a) < stableStringify(b) ? -1 : 1))
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    }
  })
}

/** Whether some addresses did not fit. */
export const isTruncated = (service: core.Service, pods: readonly core.Pod[]): boolean => new Set(entriesOf(service, pods).map((e) => e.address.ip)).size > maxAddresses
