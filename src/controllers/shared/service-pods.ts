/** Which pods stand behind a service, and how: what Endpoints and EndpointSlices have in common. */
import { core } from '../../api/index.ts'
import type { Change, Informer, Informers } from '../../client/index.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { selectorFromSet } from '../../machinery/labels.ts'
import { isReady } from './pods.ts'

type Pod = core.Pod
type Service = core.Service

/** The pod's addresses of one family. */
export const addressesOf = (pod: Pod, family: 'IPv4' | 'IPv6'): readonly string[] => {
  const all = pod.status.podIPs?.map(({ ip }) => ip) ?? (pod.status.podIP ? [pod.status.podIP] : [])
  return all.filter((ip) => ip.includes(':') === (family === 'IPv6'))
}

/** Whether the pod has an address and its containers may run; finished pods and those that will never run again do not count. */
export const mayServe = (pod: Pod): boolean =>
  pod.status.phase !== 'Succeeded' && pod.status.phase !== 'Failed' && Boolean(pod.status.podIP ?? pod.status.podIPs?.[0]?.ip)

/** The port a service port leads to in this pod: a number, or the container port of that name and protocol. */
export function targetPort(pod: Pod, port: core.ServicePort): number | undefined {
  if (typeof port.targetPort === 'number') return port.targetPort === 0 ? port.port : port.targetPort
  if (port.targetPort === '') return port.port
  const restarting = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...restarting])
    for (const candidate of container.ports ?? [])
      if (candidate.name === port.targetPort && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) return candidate.containerPort
  return undefined
}

/** The pod's own name in the service's domain, if it asks for one. */
export const hostnameIn = (pod: Pod, service: Service): string | undefined =>
  (pod.spec.hostname && pod.spec.subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace ? pod.spec.hostname : undefined)

/** An endpoint's reference to its pod. */
export const targetReference = (pod: Pod): core.ObjectReference =>
  ({ kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' })

/** The families a service has addresses of. */
export function familiesOf(service: Service): readonly ('IPv4' | 'IPv6')[] {
  const families = (service.spec.ipFamilies ?? []).filter((f) => f === 'IPv4' || f === 'IPv6')
  if (families.length > 0) return families
  return [service.spec.clusterIP?.includes(':') ? 'IPv6' : 'IPv4']
}

/** Whether the service has no cluster IP on purpose. */
export const isHeadless = (service: Service): boolean => service.spec.clusterIP === 'None'
/** A service whose endpoints come from its selector. */
export const selects = (service: Service): boolean => service.spec.type !== 'ExternalName' && Object.keys(service.spec.selector ?? {}).length > 0

/** The service's pods, in the order of their names. */
export function podsOf(service: Service, pods: Informer<Pod>): readonly Pod[] {
  const selector = selectorFromSet(service.spec.selector)
  return pods.list(service.metadata.namespace ?? '')
    .filter((pod) => selector.matches(pod.metadata.labels))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
}

/** What a service's endpoints depend on in a pod: heartbeats of conditions and counts of restarts are not among it. */
const servingSide = (pod: Pod) => [
  pod.status.podIP, pod.status.podIPs, isReady(pod), pod.status.phase, pod.metadata.deletionTimestamp, pod.metadata.labels, pod.spec.nodeName, pod.spec.hostname, pod.spec.subdomain,
]

/** The services a change of a pod concerns: those that select it now, none when nothing they look at changed. */
export function servicesOf(pod: Pod, change: Change<Pod>, services: Informer<Service>): readonly string[] {
  if (change.type === 'updated' && change.old && deepEqual(servingSide(change.object), servingSide(change.old))) return []
  return services.list(pod.metadata.namespace ?? '')
    .filter((service) => selects(service) && selectorFromSet(service.spec.selector).matches(pod.metadata.labels))
    .map((service) => `${service.metadata.namespace}/${service.metadata.name}`)
}

/** The informer of all services; the same for everyone. */
export const serviceInformer = (informers: Informers): Informer<Service> => informers.for(core.services)
