/** What an object uses of a quota, under the names that quotas limit. */
import type { core, Resource } from '../../api/index.ts'
import { parseQuantity, quantityOf, type Quantity } from '../../machinery/quantity.ts'
import { amountsOf, largest, one, sum, type Amounts } from './amounts.ts'

/** Resources that are also counted under their bare plural. */
const counted = new Set(['pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'persistentvolumeclaims'])

/** `count/deployments.apps` and, for the oldest kinds, `pods`. */
const countNames = (resource: Pick<Resource, 'groupResource'>): readonly string[] =>
  [`count/${resource.groupResource}`, ...(counted.has(resource.groupResource) ? [resource.groupResource] : [])]

/** Everything that an object uses. */
export function usageOf(resource: Pick<Resource, 'groupResource'>, object: unknown): Amounts {
  switch (resource.groupResource) {
    case 'pods': return podUsage(object as core.Pod)
    case 'services': return serviceUsage(object as core.Service)
    case 'persistentvolumeclaims': return claimUsage(object as core.PersistentVolumeClaim)
    default: return new Map(countNames(resource).map((name) => [name, one]))
  }
}

function podUsage(pod: core.Pod): Amounts {
  const usage = new Map<string, Quantity>([['count/pods', one]])
  // What has ended uses nothing any more; its object is still counted.
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return usage
  usage.set('pods', one)
  for (const [name, value] of podResources(pod, 'requests')) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage.set(name, value)
    if (name.startsWith('hugepages-')) usage.set(name, value)
    usage.set(`requests.${name}`, value)
  }
  for (const [name, value] of podResources(pod, 'limits')) usage.set(`limits.${name}`, value)
  return usage
}

/** What the containers of a pod ask for together: they add up, with the sidecars; init containers run one at a time beside the sidecars before them. What the pod says as a whole counts instead. */
export function podAmounts(spec: core.PodSpec, kind: 'requests' | 'limits'): Amounts {
  let running = sum(spec.containers.map((c) => amountsOf(c.resources[kind])))
  let starting: Amounts = new Map()
  let sidecars: Amounts = new Map()
  for (const c of spec.initContainers ?? []) {
    const own = amountsOf(c.resources[kind])
    if (c.restartPolicy === 'Always') {
      running = sum([running, own])
      sidecars = sum([sidecars, own])
      starting = largest(starting, sidecars)
    } else {
      starting = largest(starting, sum([sidecars, own]))
    }
  }
  return new Map([...largest(running, starting), ...amountsOf(spec.resources?.[kind])])
}

/** The same with the overhead, which comes on top. */
function podResources({ spec }: core.Pod, kind: 'requests' | 'limits'): Amounts {
  const whole = podAmounts(spec, kind)
  const overhead = amountsOf(spec.overhead)
  if (overhead.size === 0) return whole
  return new Map([...whole.keys(), ...(kind === 'requests' ? overhead.keys() : [])].map((name) => [name, (whole.get(name) ?? quantityOf(0)).add(overhead.get(name) ?? quantityOf(0))]))
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
  const size = parseQuantity(claim.spec.resources.requests?.['storage'] ?? '0')
  const storageClass = claim.spec.storageClassName ?? claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class']
  usage.set('requests.storage', size)
  if (storageClass) {
    usage.set(`${storageClass}.storageclass.storage.k8s.io/requests.storage`, size)
    usage.set(`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`, one)
  }
  return usage
}

const mustBeSaid = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

/**
 * What a quota counts and a new pod's containers do not say: `limits.cpu for: a; requests.memory for: a,b`. Empty when all is said.
 * A quota on an amount means that every container says the amount.
 */
export function unsaid(pod: core.Pod, limited: Iterable<string>): string {
  if (pod.spec.resources?.requests ?? pod.spec.resources?.limits) return ''
  const missing = [...limited].filter((name) => mustBeSaid.has(name)).toSorted().map((name) => {
    const [kind, amount] = name.includes('.') ? (name.split('.') as ['requests' | 'limits', string]) : (['requests', name] as const)
    const silent = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter((c) => c.resources[kind]?.[amount] === undefined).map((c) => c.name)
    return silent.length === 0 ? '' : `${name} for: ${silent.join(',')}`
  })
  return missing.filter(Boolean).join('; ')
}
