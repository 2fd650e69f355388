/** Where a webhook is reached: a URL, or a service of the cluster, of which any ready endpoint will do. */
import type { admissionregistration } from '../../../api/index.ts'
import type { ServerEnvironment } from '../../options.ts'
import { createServiceResolver } from '../../reach/services.ts'
import type { Connect } from '../../reach/tunnel.ts'

export interface WebhookPlace {
  readonly address: string
  readonly port: number
  readonly path: string
  /** The name that the certificate must be for. */
  readonly serverName: string
  /** As errors name it. */
  readonly url: string
  /** How it is reached where this host has no way to it. */
  readonly connect?: Connect | undefined
}

export type FindWebhook = (config: admissionregistration.WebhookClientConfig) => WebhookPlace

/** Throws when the service is not there or has nobody behind it. */
export function createFindWebhook(env: Pick<ServerEnvironment, 'lister' | 'tunnels'>): FindWebhook {
  const services = createServiceResolver(env)
  return ({ url, service: reference }) => {
    if (url !== undefined) {
      const parsed = new URL(url)
      const host = parsed.hostname.replace(/^\[|\]$/g, '')
      return { address: host, port: Number(parsed.port || 443), path: parsed.pathname + parsed.search, serverName: host, url }
    }
    if (!reference) throw new Error('the webhook says neither a URL nor a service')
    const { port = 443, path = '/' } = reference
    const place = services.resolve(reference)
    return { ...place, path: path.startsWith('/') ? path : `/${path}`, url: `https://${place.serverName}:${port}${path}` }
  }
}
