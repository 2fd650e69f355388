/** What an object uses of a quota, under the names that quotas limit. */
import type { core, dra, Resource } from '../../api/index.ts'
import { parseQuantity, quantityOf, type Quantity } from '../../machinery/quantity.ts'
import { classAnnotation } from '../registry/core/volume-text.ts'
import { largest, one, sum, type Amounts } from './amounts.ts'
import { podUsage } from './pods.ts'

/** What usage depends on beside the object itself. */
export interface Circumstances {
  /** Milliseconds. */
  readonly now: number
  /** The extended resource that a device class stands for. */
  extendedResource(deviceClass: string): string | undefined
}

/** Resources that are also counted under their bare plural. */
const counted = new Set(['pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'persistentvolumeclaims'])

/** `count/deployments.apps` and, for the oldest kinds, `pods`. */
const countNames = (resource: Pick<Resource, 'groupResource'>): readonly string[] =>
  [`count/${resource.groupResource}`, ...(counted.has(resource.groupResource) ? [resource.groupResource] : [])]

export const deviceClaims = 'resourceclaims.resource.k8s.io'
const ofDeviceClass = '.deviceclass.resource.k8s.io/devices'

/** The resources whose objects use what goes by this name. */
export function countedUnder(name: string): readonly string[] {
  if (name.startsWith('count/')) return [name.slice('count/'.length)]
  if (name === 'services.nodeports' || name === 'services.loadbalancers') return ['services']
  if (name.endsWith('persistentvolumeclaims') || name.endsWith('requests.storage')) return ['persistentvolumeclaims']
  if (name.endsWith(ofDeviceClass)) return [deviceClaims]
  // Devices are asked for by pods, or by claims of a class that stands for them.
  if (name.startsWith('requests.') && name.includes('/')) return ['pods', deviceClaims]
  return [counted.has(name) ? name : 'pods']
}

/** Everything that an object uses. */
export function usageOf(resource: Pick<Resource, 'groupResource'>, object: unknown, circumstances: Circumstances): Amounts {
  switch (resource.groupResource) {
    case 'pods': return podUsage(object as core.Pod, circumstances.now)
    case 'services': return serviceUsage(object as core.Service)
    case 'persistentvolumeclaims': return claimUsage(object as core.PersistentVolumeClaim)
    case deviceClaims: return deviceUsage(object as dra.ResourceClaim, circumstances)
    default: return new Map(countNames(resource).map((name) => [name, one]))
  }
}

function serviceUsage(service: core.Service): Amounts {
  const usage = new Map<string, Quantity>(countNames({ groupResource: 'services' }).map((name) => [name, one]))
  const ports = service.spec.ports?.length ?? 0
  if (service.spec.type === 'NodePort') usage.set('services.nodeports', quantityOf(ports))
  if (service.spec.type === 'LoadBalancer') {
    usage.set('services.loadbalancers', one)
    const own = service.spec.allocateLoadBalancerNodePorts === false ? (service.spec.ports ?? []).filter((p) => p.nodePort).length : ports
    usage.set('services.nodeports', quantityOf(own))
  }
  return usage
}

function claimUsage(claim: core.PersistentVolumeClaim): Amounts {
  const usage = new Map<string, Quantity>(countNames({ groupResource: 'persistentvolumeclaims' }).map((name) => [name, one]))
  // The annotation wins, as it does for whoever makes the volume.
  const storageClass = claim.metadata.annotations?.[classAnnotation] ?? claim.spec.storageClassName
  const size = sizeOf(claim)
  usage.set('requests.storage', size)
  if (storageClass) {
    usage.set(`${storageClass}.storageclass.storage.k8s.io/requests.storage`, size)
    usage.set(`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`, one)
  }
  return usage
}

/** Whole bytes; a volume that may have grown already counts as large as that. */
function sizeOf({ spec, status }: core.PersistentVolumeClaim): Quantity {
  const [wanted, allocated] = [spec.resources.requests, status?.allocatedResources].map((amounts) => parseQuantity(amounts?.['storage'] ?? '0')) as [Quantity, Quantity]
  const size = allocated.compare(wanted) > 0 ? allocated : wanted
  const whole = quantityOf(size.value(), size.format)
  return whole.compare(size) === 0 ? size : whole
}

/** The most devices that one claim can be given. */
const mostDevices = 32

/** The devices of each class, and of the extended resource it stands for; of alternatives the most of each class. */
function deviceUsage({ spec }: dra.ResourceClaim, { extendedResource }: Circumstances): Amounts {
  const of = ({ deviceClassName, allocationMode, count = 1 }: dra.ExactDeviceRequest | dra.DeviceSubRequest): Amounts =>
    new Map([[deviceClassName, quantityOf(allocationMode === 'All' ? mostDevices : count)]])
  const classes = sum((spec.devices.requests ?? []).map(({ exactly, firstAvailable = [] }) =>
    (firstAvailable.length > 0 ? firstAvailable.map(of).reduce(largest) : exactly ? of(exactly) : new Map<string, Quantity>())))
  const named = [...classes].map(([name, amount]): Amounts => {
    const resource = extendedResource(name)
    return new Map([[`${name}${ofDeviceClass}`, amount], [`requests.deviceclass.resource.kubernetes.io/${name}`, amount], ...(resource === undefined ? [] : [[`requests.${resource}`, amount] as const])])
  })
  return sum([new Map([[`count/${deviceClaims}`, one]]), ...named])
}
