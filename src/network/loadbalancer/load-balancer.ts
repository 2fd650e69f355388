/**
 * Services of type LoadBalancer without a cloud: the nodes' own addresses are the load balancer, and each node's service
 * proxy forwards to the endpoints. Runs once per cluster.
 *
 *     Service (LoadBalancer, no class) ──▶ whose ports are free? ──▶ status.loadBalancer.ingress = addresses of the Ready nodes
 *                                               └▶ taken: stays pending, with an event that names who has the port
 */
import { core, discovery } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { createRecorder, type EventRecorder } from '../../client/events.ts'
import { createInformers, keyOf, type Informers } from '../../client/informer.ts'
import { runController, watch, type Controller } from '../../client/run-controller.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import { familiesOf } from '../nft/family.ts'
import { bySliceService } from '../slices.ts'

export interface LoadBalancerOptions {
  readonly client: Client
  readonly informers?: Informers
  readonly clock: Clock
  readonly log: Logger
  /** TCP ports on the nodes that no service may take: the API server's, the kubelets', ssh. */
  readonly reservedPorts: readonly number[]
  readonly signal: AbortSignal
}

/** Nodes with this well-known label are left out. */
const excludedLabel = 'node.kubernetes.io/exclude-from-external-load-balancers'

/** Whether we handle the service: one with a class is for the controller of that class. */
export const isOurs = (service: core.Service): boolean => service.spec.type === 'LoadBalancer' && !service.spec.loadBalancerClass && !service.metadata.deletionTimestamp

const isReady = (node: core.Node) => (node.status.conditions ?? []).some((c) => c.type === 'Ready' && c.status === 'True')

/** The cluster's addresses: those of nodes that are Ready and not excluded. ExternalIP before InternalIP. */
export function nodeAddresses(nodes: readonly core.Node[], families: readonly string[]): string[] {
  const usable = nodes.filter((node) => isReady(node) && node.metadata.labels?.[excludedLabel] === undefined && !node.metadata.deletionTimestamp)
  const of = (node: core.Node, type: string) => (node.status.addresses ?? []).filter((a) => a.type === type).map((a) => a.address)
  const wanted = (ip: string) => familiesOf([ip]).some((family) => families.includes(family.addressType))
  return usable.flatMap((node) => {
    const external = of(node, 'ExternalIP').filter(wanted)
    return external.length > 0 ? external : of(node, 'InternalIP').filter(wanted)
  }).sort()
}

const portsOf = (service: core.Service) => (service.spec.ports ?? []).map((p) => ({ protocol: p.protocol ?? 'TCP', port: p.port }))
/** If two services want the same port, the older one gets it. */
const isOlder = (a: core.Service, b: core.Service) =>
  `${a.metadata.creationTimestamp ?? ''} ${a.metadata.uid ?? ''}` < `${b.metadata.creationTimestamp ?? ''} ${b.metadata.uid ?? ''}`

/** Why the service cannot get its ports; undefined when it can. */
export function obstacle(service: core.Service, others: readonly core.Service[], reserved: readonly number[]): string | undefined {
  for (const { protocol, port } of portsOf(service)) {
    if (protocol === 'TCP' && reserved.includes(port)) return `port ${port} of the nodes is used by the cluster itself`
    const owner = others.find((other) => other !== service && other.metadata.uid !== service.metadata.uid && isOurs(other) && isOlder(other, service)
      && portsOf(other).some((p) => p.port === port && p.protocol === protocol))
    if (owner) return `port ${port}/${protocol} of the nodes belongs to service ${keyOf(owner)}`
  }
  return undefined
}

interface Picture {
  readonly services: readonly core.Service[]
  readonly nodes: readonly core.Node[]
  readonly slices: readonly discovery.EndpointSlice[]
  readonly reservedPorts: readonly number[]
}

/** With externalTrafficPolicy Local, only nodes with local endpoints can answer. */
function candidates(service: core.Service, { nodes, slices }: Picture): readonly core.Node[] {
  if (service.spec.externalTrafficPolicy !== 'Local') return nodes
  const here = new Set(slices.flatMap((slice) => slice.endpoints.filter((e) => e.conditions.ready !== false).map((e) => e.nodeName)))
  return nodes.filter((node) => here.has(node.metadata.name))
}

/** The ingress that the service's status should have. */
function planIngress(service: core.Service, picture: Picture): { readonly ingress: readonly core.LoadBalancerIngress[]; readonly obstacle?: string | undefined } {
  const why = obstacle(service, picture.services, picture.reservedPorts)
  if (why) return { ingress: [], obstacle: why }
  const families = service.spec.ipFamilies?.length ? service.spec.ipFamilies : ['IPv4']
  return { ingress: nodeAddresses(candidates(service, picture), families).map((ip) => ({ ip, ipMode: 'VIP' })) }
}

const same = (a: readonly core.LoadBalancerIngress[], b: readonly core.LoadBalancerIngress[]) =>
  a.length === b.length && a.every((entry, i) => entry.ip === b[i]?.ip && entry.hostname === b[i]?.hostname && entry.ipMode === b[i]?.ipMode)

/** Starts the loop; resolves at once. */
export function startLoadBalancer(options: LoadBalancerOptions): Controller {
  const { client, clock, log, signal, reservedPorts } = options
  const informers = options.informers ?? createInformers(client, { clock, log })
  const recorder: EventRecorder = createRecorder(client, { component: 'service-controller', clock, log })
  const services = informers.for(core.services)
  const nodes = informers.for(core.nodes)
  const slices = informers.for(discovery.endpointslices, { indexes: bySliceService })
  const ours = () => services.list().filter(isOurs).map(keyOf)
  const told = new Map<string, string>()

  async function reconcile(key: string): Promise<void> {
    const service = services.get(key)
    if (!service || !isOurs(service)) {
      told.delete(key)
      return
    }
    const plan = planIngress(service, { services: services.list(), nodes: nodes.list(), slices: slices.byIndex('service', key), reservedPorts })
    if (plan.obstacle && told.get(key) !== plan.obstacle) {
      told.set(key, plan.obstacle)
      recorder.event(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${plan.obstacle}`)
    }
    if (!plan.obstacle) told.delete(key)
    if (same(service.status.loadBalancer.ingress ?? [], plan.ingress)) return
    const body = { status: { loadBalancer: { ingress: plan.ingress.map(({ ip = '', ipMode = '' }) => ({ ip, ipMode })) } } }
    await client.patch(core.services, service.metadata.name ?? '', { type: 'merge', body }, { namespace: service.metadata.namespace, subresource: 'status', signal })
    if (plan.ingress.length > 0) recorder.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
  }

  const controller = runController({
    name: 'load-balancer',
    reconciler: { reconcile },
    watches: [
      // A created or deleted service may take or free a port that another waits for.
      watch(services, (service, change) => (isOurs(service) || (change.old && isOurs(change.old)) ? ours().concat(keyOf(service)) : [])),
      watch(nodes, (node, change) => (change.old && aspects(change.old) === aspects(node) ? [] : ours())),
      watch(slices, (slice) => bySliceService.service(slice).filter((key) => services.get(key)?.spec.externalTrafficPolicy === 'Local')),
    ],
    clock,
    log,
    concurrency: 1,
    signal,
  })
  if (!options.informers) informers.start(signal)
  return controller
}

/** The parts of a node that matter here: nodes update their status often. */
const aspects = (node: core.Node) => JSON.stringify([isReady(node), node.status.addresses, node.metadata.labels?.[excludedLabel], node.metadata.deletionTimestamp])
