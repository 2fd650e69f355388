/** Where a webhook is reached: a URL, or a service of the cluster, of which any ready endpoint will do. */
import { core, discovery, type admissionregistration } from '../../../api/index.ts'
import type { ServerEnvironment } from '../../options.ts'

export interface WebhookPlace {
  readonly address: string
  readonly port: number
  readonly path: string
  /** The name that the certificate must be for. */
  readonly serverName: string
  /** As errors name it. */
  readonly url: string
}

export type FindWebhook = (config: admissionregistration.WebhookClientConfig) => WebhookPlace

/** Throws when the service is not there or has nobody behind it. */
export function createFindWebhook(env: Pick<ServerEnvironment, 'lister'>): FindWebhook {
  const services = env.lister(core.services)
  const slices = env.lister(discovery.endpointslices)
  return ({ url, service: reference }) => {
    if (url !== undefined) {
      const parsed = new URL(url)
      const host = parsed.hostname.replace(/^\[|\]$/g, '')
      return { address: host, port: Number(parsed.port || 443), path: parsed.pathname + parsed.search, serverName: host, url }
    }
    if (!reference) throw new Error('the webhook says neither a URL nor a service')
    const { namespace, name, port = 443, path = '/' } = reference
    const service = services.get(namespace, name)
    if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
    const wanted = service.spec.ports?.find((p) => p.port === port)
    if (!wanted) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
    const serverName = `${name}.${namespace}.svc`
    const at = { path: path.startsWith('/') ? path : `/${path}`, serverName, url: `https://${serverName}:${port}${path}` }
    if (service.spec.type === 'ExternalName') return { ...at, address: service.spec.externalName ?? '', port }
    const places = slices.list(namespace)
      .filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === name)
      .flatMap((s) => s.ports.filter((p) => (p.name ?? '') === (wanted.name ?? '') && p.port).flatMap((p) =>
        s.endpoints.filter((e) => e.conditions?.ready !== false).map((e) => ({ address: (e.addresses as readonly string[])[0] ?? '', port: p.port as number }))))
    const place = places[Math.floor(Math.random() * places.length)]
    if (!place) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
    return { ...at, ...place }
  }
}
