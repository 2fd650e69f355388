/** Whether the server of a group version can be reached: the `Available` condition of its API service, in Kubernetes's words. */
import { core, discovery, type apiregistration } from '../../api/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { Lister } from '../options.ts'
import { readyEndpoints } from '../reach/services.ts'
import type { Connections } from './front-proxy.ts'
import { fetchFrom, urlOf } from './fetch.ts'
import type { Remote } from './remotes.ts'

export interface Verdict { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string }

export interface AvailabilitySources {
  readonly services: Lister<core.Service>
  readonly slices: Lister<discovery.EndpointSlice>
  readonly connections: Connections
}

const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })
export const localVerdict: Verdict = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
const passed: Verdict = { status: 'True', reason: 'Passed', message: 'all checks passed' }

/** How many endpoints are asked at once; the first good answer counts. */
const attempts = 5

/** Looks at the service, its endpoints, and asks one of them for what it serves. Never rejects. */
export async function checkAvailability(remote: Remote, { services, slices, connections }: AvailabilitySources): Promise<Verdict> {
  const { namespace, name, port } = remote.service
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  const service = services.get(namespace, name)
  if (!service) return no('ServiceNotFound', `${where} is not present`)
  if (service.spec.type === 'ClusterIP') {
    const wanted = service.spec.ports?.find((p) => p.port === port)
    if (!wanted) return no('ServicePortError', `${where} is not listening on port ${port}`)
    const own = slices.list(namespace).filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name)
    if (own.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${where}`)
    if (readyEndpoints(own, name, wanted.name ?? '').length === 0) {
      return no('MissingEndpoints', `endpointslices for ${where} have no addresses with port name ${JSON.stringify(wanted.name ?? '')}`)
    }
  }
  return probe(remote, connections)
}

async function probe(remote: Remote, connections: Connections): Promise<Verdict> {
  const path = `/apis/${remote.group}/${remote.version}`
  try {
    const places = connections.destinations(remote, path).slice(0, attempts)
    await Promise.any(places.map(async (place) => {
      const url = urlOf(place)
      const { code } = await fetchFrom(place).catch((error: unknown) => {
        throw new Error(`failing or missing response from ${url}: ${error instanceof Error ? error.message : String(error)}`)
      })
      if (code < 200 || code >= 300) throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${code}`)
    }))
    return passed
  } catch (error) {
    const first = error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error)
    return no('FailedDiscoveryCheck', first.message)
  }
}

/** The API service with the verdict among its conditions; itself when it says so already. The time changes with the status only. */
export function withVerdict(service: apiregistration.APIService, verdict: Verdict, now: number): apiregistration.APIService {
  const conditions = service.status.conditions ?? []
  const before = conditions.find((c) => c.type === 'Available')
  if (before && before.status === verdict.status && before.reason === verdict.reason && before.message === verdict.message) return service
  const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : rfc3339(now)
  const next = { type: 'Available', ...verdict, lastTransitionTime }
  return { ...service, status: { ...service.status, conditions: before ? conditions.map((c) => (c === before ? next : c)) : [...conditions, next] } }
}
