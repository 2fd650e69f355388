/** How the API server gets to a service of the cluster: which address and port lead to a pod behind it, without the service network. */
import { core, discovery } from '../../api/index.ts'
import type { ServerEnvironment } from '../options.ts'
import type { Connect, Tunnels } from './tunnel.ts'

/** What webhooks, conversion webhooks and API services say: a service, and which of its ports. */
export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  /** Default 443. */
  readonly port?: number | undefined
}

export interface ServicePlace {
  /** An address, or the name an ExternalName service stands for. */
  readonly address: string
  readonly port: number
  /** `name.namespace.svc`: the name that a certificate must be for. */
  readonly serverName: string
  /** How it is reached where this host has no way to it. */
  readonly connect?: Connect | undefined
}

export interface ServiceResolver {
  /** Somebody ready behind the service, a different one each time. Throws an `Error` that says what is missing. */
  resolve(reference: ServiceReference): ServicePlace
  /** Everybody ready behind the service. Throws like `resolve` when there is nobody. */
  resolveAll(reference: ServiceReference): readonly ServicePlace[]
}

export interface ReadyEndpoint {
  readonly address: string
  readonly port: number
  /** The object behind it. */
  readonly target: core.ObjectReference | undefined
}

/** The ready endpoints of a service's port, by the port's name. */
export function readyEndpoints(slices: readonly discovery.EndpointSlice[], service: string, portName: string): readonly ReadyEndpoint[] {
  return slices
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === service && slice.addressType !== 'FQDN')
    .flatMap((slice) => slice.ports.filter((p) => (p.name ?? '') === portName && p.port).flatMap((p) =>
      slice.endpoints.filter((e) => e.conditions?.ready !== false).flatMap((e) =>
        (e.addresses as readonly string[]).slice(0, 1).map((address) => ({ address, port: p.port as number, target: e.targetRef })))))
}

/** The tunnel to an endpoint, where there are tunnels and it is a pod. */
const tunnelTo = (tunnels: Tunnels | undefined, namespace: string, target: core.ObjectReference | undefined, port: number): Connect | undefined =>
  (target?.kind === 'Pod' ? tunnels?.to(target.namespace ?? namespace, target.name ?? '', port) : undefined)

/**
 * Goes by the endpoints themselves, as kube-apiserver does with `--enable-aggregator-routing`: the server's host needs no
 * rules of the service network, only a way to the pods.
 */
export function createServiceResolver(env: Pick<ServerEnvironment, 'lister' | 'tunnels'>): ServiceResolver {
  const services = env.lister(core.services)
  const slices = env.lister(discovery.endpointslices)
  const resolveAll = ({ namespace, name, port = 443 }: ServiceReference): readonly ServicePlace[] => {
    const service = services.get(namespace, name)
    if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
    const serverName = `${name}.${namespace}.svc`
    if (service.spec.type === 'ExternalName') return [{ address: service.spec.externalName ?? '', port, serverName }]
    const wanted = service.spec.ports?.find((p) => p.port === port)
    if (!wanted) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
    const places = readyEndpoints(slices.list(namespace), name, wanted.name ?? '')
    if (places.length === 0) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
    return places.map(({ address, port: at, target }) => ({ address, port: at, serverName, connect: tunnelTo(env.tunnels, namespace, target, at) }))
  }
  return {
    resolveAll,
    resolve: (reference) => {
      const places = resolveAll(reference)
      return places[Math.floor(Math.random() * places.length)] as ServicePlace
    },
  }
}
