/** The service proxy: watches Services and EndpointSlices, and maintains each service's part of the nftables table. */
import { core, discovery } from '../../api/index.ts'
import { keyOf, type Informers } from '../../client/informer.ts'
import type { Logger } from '../../machinery/log.ts'
import { bySliceService } from '../slices.ts'
import type { Tables } from '../nft/tables.ts'
import type { Family } from '../nft/family.ts'
import { createFlowCleaner, staleFlows, type FlowCleaner } from './conntrack.ts'
import type { Place } from './endpoints.ts'
import { targetsOf } from './endpoints.ts'
import { createHealthServers } from './health.ts'
import { isProxied, planService, type Front } from './service.ts'

export interface ProxyOptions {
  readonly informers: Informers
  readonly tables: Tables
  readonly log: Logger
  readonly nodeName: string
  readonly clusterCidrs: readonly string[]
  /** A service that the node itself answers (cluster DNS): without endpoints it is ignored instead of refused. */
  readonly isAnsweredHere: (service: core.Service) => boolean
  readonly flows?: FlowCleaner
}

export interface Proxy {
  /** Resolves when services and slices have synced. */
  synced(): Promise<void>
  stop(): Promise<void>
}

const zoneLabel = 'topology.kubernetes.io/zone'

export function startProxy(options: ProxyOptions): Proxy {
  const { informers, tables, log, nodeName, clusterCidrs } = options
  const services = informers.for(core.services)
  const slices = informers.for(discovery.endpointslices, { indexes: bySliceService })
  const nodes = informers.for(core.nodes)
  const health = createHealthServers(log)
  const flows = options.flows ?? createFlowCleaner(log)
  /** The last planned and last written fronts of each service: the difference tells which UDP flows are stale. */
  const planned = new Map<string, readonly Front[]>()
  const written = new Map<string, readonly Front[]>()
  let place: Place = { node: nodeName }

  function part(key: string, family: Family) {
    const service = services.get(key)
    if (!service || !isProxied(service)) return undefined
    const own = slices.byIndex('service', key)
    if (options.isAnsweredHere(service) && !own.some((slice) => slice.endpoints.length > 0)) return undefined
    const plan = planService(service, own, { family, place, clusterCidrs })
    planned.set(key, [...(planned.get(key) ?? []), ...plan.fronts])
    return plan.fragment
  }

  function touch(key: string): void {
    let fresh = true
    tables.touch(`service ${key}`, (family) => {
      if (fresh) planned.delete(key)
      fresh = false
      return part(key, family)
    })
    updateHealth(key)
  }

  function updateHealth(key: string): void {
    const service = services.get(key)
    const port = service?.spec.externalTrafficPolicy === 'Local' ? service.spec.healthCheckNodePort : undefined
    if (!service || !port) return health.set(key, undefined)
    const { namespace = '', name = '' } = service.metadata
    const own = slices.byIndex('service', key)
    const local = new Set((service.spec.ports ?? []).flatMap((p) => targetsOf(p, own, 'IPv4', place).local.map((t) => t.ip)))
    health.set(key, { port, namespace, name, localEndpoints: local.size })
  }

  tables.onWritten((owners) => {
    const stale: (readonly string[])[] = []
    for (const owner of owners) {
      if (!owner.startsWith('service ')) continue
      const key = owner.slice('service '.length)
      const now = planned.get(key) ?? []
      stale.push(...staleFlows(written.get(key) ?? [], now))
      if (now.length > 0) written.set(key, now)
      else written.delete(key)
    }
    void flows.clean(stale)
  })

  const followed = [
    services.onChange(({ object }) => touch(keyOf(object))),
    slices.onChange(({ object, old }) => {
      for (const key of new Set([...bySliceService.service(object), ...(old ? bySliceService.service(old) : [])])) touch(key)
    }),
    nodes.onChange(({ object, type }) => {
      if (object.metadata.name !== nodeName || type === 'deleted') return
      const zone = object.metadata.labels?.[zoneLabel]
      if (zone === place.zone) return
      place = { node: nodeName, zone }
      for (const service of services.list()) touch(keyOf(service))
    }),
  ]

  return {
    synced: async () => void (await Promise.all([services.synced(), slices.synced()])),
    async stop() {
      for (const stop of followed) stop()
      await health.close()
    },
  }
}
