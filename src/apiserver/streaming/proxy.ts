/** `nodes/proxy`, `pods/proxy`, `services/proxy`: HTTP to what runs in the cluster, through the API server. */
import type { ServerResponse } from 'node:http'
import { core, discovery } from '../../api/index.ts'
import { badRequest, notFound, unavailable } from '../../machinery/errors.ts'
import type { ApiRequest, Handler, UpgradeHandler } from '../http/request.ts'
import type { Lister } from '../options.ts'
import { readyEndpoints } from '../reach/services.ts'
import type { Tunnels } from '../reach/tunnel.ts'
import { destinationHost, forward, forwardUpgrade, type Destination } from './forward.ts'
import { hostOf, proxyHeaders } from './headers.ts'
import type { Kubelets } from './kubelet.ts'
import { behindProxy } from './links.ts'
import { checkProxyable, parseTarget, type ProxyTarget } from './target.ts'

export interface ProxySources {
  readonly nodes: Lister<core.Node>
  readonly pods: Lister<core.Pod>
  readonly services: Lister<core.Service>
  readonly slices: Lister<discovery.EndpointSlice>
  readonly kubelets: Kubelets
  readonly tunnels?: Tunnels | undefined
}

type Place = Omit<Destination, 'path'>

export interface Proxies {
  handler(plural: 'nodes' | 'pods' | 'services'): Handler
  upgrade(plural: 'nodes' | 'pods' | 'services'): UpgradeHandler
}

export function createProxies(sources: ProxySources): Proxies {
  const locate = {
    nodes: (target: ProxyTarget) => nodePlace(sources, target),
    pods: (target: ProxyTarget, namespace: string) => podPlace(sources, target, namespace),
    services: (target: ProxyTarget, namespace: string) => servicePlace(sources, target, namespace),
  }
  const destination = (plural: keyof typeof locate, request: ApiRequest): Destination => {
    const { name, namespace, rest } = request.info
    return { ...locate[plural](parseTarget(name, plural.slice(0, -1)), namespace), path: `/${rest}${queryOf(request)}` }
  }
  return {
    handler: (plural) => async (request, response) => {
      const base = request.info.rest === '' && !request.info.path.endsWith('/') ? `${request.info.path}/` : undefined
      if (base && (request.method === 'GET' || request.method === 'HEAD')) {
        const back = response as ServerResponse
        back.writeHead(301, { location: base + queryOf(request) }).end()
        return
      }
      const to = destination(plural, request)
      const prefix = request.info.path.slice(0, request.info.path.length - request.info.rest.length).replace(/\/$/, '')
      await forward(request, response, to, {
        headers: { ...proxyHeaders(request), 'x-forwarded-uri': request.info.path, 'x-forwarded-host': hostOf(request), 'x-forwarded-proto': 'https' },
        mend: (headers, answer) => behindProxy(headers, answer, { prefix, hosts: [destinationHost(to), hostOf(request)] }),
      })
    },
    upgrade: (plural) => async (request, socket, head) => forwardUpgrade(request, socket, head, destination(plural, request), proxyHeaders(request)),
  }
}

/** The query as it was sent, with its question mark: what it means is for the target to say. */
function queryOf({ raw, query }: ApiRequest): string {
  const at = raw.url?.indexOf('?') ?? -1
  if (raw.url !== undefined) return at < 0 ? '' : raw.url.slice(at)
  const text = query.toString()
  return text ? `?${text}` : ''
}

const insecure = { rejectUnauthorized: false }
/** What runs in pods has certificates that nobody here can check. */
const placeAt = (scheme: ProxyTarget['scheme'], address: string, port: number): Place => ({ scheme: scheme || 'http', address, port, ...(scheme === 'https' ? { tls: insecure } : {}) })

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badRequest(`invalid port ${JSON.stringify(text)}`)
  return port
}

function nodePlace({ kubelets }: ProxySources, { scheme, name, port }: ProxyTarget): Place {
  const kubelet = kubelets.find(name)
  if (port === '' || port === String(kubelet.port)) return { scheme: 'https', ...kubelet }
  checkProxyable(kubelet.address)
  return placeAt(scheme, kubelet.address, portNumber(port))
}

function podPlace({ pods, tunnels }: ProxySources, { scheme, name, port }: ProxyTarget, namespace: string): Place {
  const pod = pods.get(namespace, name)
  if (!pod) throw notFound(core.pods, name)
  const address = pod.status.podIP ?? ''
  checkProxyable(address)
  const ports = pod.spec.containers.flatMap((c) => c.ports ?? [])
  const wanted = port === '' ? (ports[0]?.containerPort ?? (scheme === 'https' ? 443 : 80)) : (ports.find((p) => p.name === port)?.containerPort ?? portNumber(port))
  return { ...placeAt(scheme, address, wanted), connect: tunnels?.to(namespace, name, wanted) }
}

/**
 * A ready endpoint of the service, a different one each time. It must be a pod of the namespace, and have the address: whoever
 * can write an endpoint slice could otherwise have this server connect to anything.
 */
function servicePlace({ services, slices, pods, tunnels }: ProxySources, { scheme, name, port }: ProxyTarget, namespace: string): Place {
  const service = services.get(namespace, name)
  if (!service) throw notFound(core.services, name)
  const portName = servicePortName(service, port)
  const candidates = readyEndpoints(slices.list(namespace), name, portName).filter(({ address, target }) => {
    const pod = target?.kind === 'Pod' && (target.namespace ?? namespace) === namespace ? pods.get(namespace, target.name ?? '') : undefined
    return pod?.status.podIPs?.some(({ ip }) => ip === address) ?? false
  })
  const chosen = candidates[Math.floor(Math.random() * candidates.length)]
  if (!chosen) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  checkProxyable(chosen.address)
  return { ...placeAt(scheme, chosen.address, chosen.port), connect: tunnels?.to(namespace, chosen.target?.name ?? '', chosen.port) }
}

/** Endpoint ports carry the names of the service's ports; a number is looked up there. */
function servicePortName(service: core.Service, port: string): string {
  const ports = service.spec.ports ?? []
  if (/^\d+$/.test(port)) {
    const found = ports.find((p) => p.port === Number(port))
    if (!found) throw unavailable(`no service port ${port} found for service ${JSON.stringify(service.metadata.name)}`)
    return found.name ?? ''
  }
  return port
}
