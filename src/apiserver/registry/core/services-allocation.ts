/** Gives services their addresses and node ports, and takes them back. */
import { services, type Service, type ServicePort, type ServiceSpec } from '../../../api/core/v1.ts'
import { internal, invalid } from '../../../machinery/errors.ts'
import { path } from '../../../machinery/field.ts'
import type { Allocation } from '../../strategy.ts'
import type { Allocator } from './services-allocator.ts'
import type { Family } from './services-families.ts'
import { holdingsOf, ownerOf } from './services-ledger.ts'

/** Whether the type of service has a cluster IP, which may be `None`. */
export const hasClusterIP = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName'
/** Whether the cluster IP is `None`. */
export const isHeadless = (spec: ServiceSpec): boolean => hasClusterIP(spec) && spec.clusterIP === 'None'
/** Whether its ports are opened on the nodes. */
export const hasNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
/** Whether the service gets a health check node port. */
export const hasHealthCheckPort = (spec: ServiceSpec): boolean => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

/** The allocation step of services. Throws `ApiError` 422 when what was asked for cannot be had, 500 when nothing is left. */
export function serviceAllocation(allocator: Allocator): Allocation<Service> {
  return {
    async allocate(object, current, { dryRun }) {
      // What an update no longer needs goes back when the allocator next reads the list.
      if (current) allocator.settle(ownerOf(current))
      const round = createRound(allocator, object, current, dryRun)
      try {
        const next = await round.run()
        const kept = new Set(holdingsOf(next).addresses)
        const dropped = current ? holdingsOf(current).addresses.filter((address) => !kept.has(address)) : []
        return {
          object: next,
          rollback: () => round.undo(),
          commit: async () => void (await Promise.all(dropped.map((address) => allocator.releaseAddress(address, next)))),
        }
      } catch (error) {
        await round.undo()
        throw error
      }
    },
    async release(service) {
      const { addresses, ports } = holdingsOf(service)
      for (const port of ports) allocator.releasePort(port, ownerOf(service))
      await Promise.all(addresses.map((address) => allocator.releaseAddress(address, service)))
      allocator.settle(ownerOf(service))
    },
  }
}

/** One service's turn: everything it reserves is remembered, to be undone as a whole. */
function createRound(allocator: Allocator, service: Service, current: Service | undefined, dryRun: boolean) {
  const owner = ownerOf(service)
  const had = current ? holdingsOf(current) : { addresses: [], ports: [] }
  const addresses: string[] = []
  const ports: number[] = []

  const refuse = (at: ReturnType<typeof path>, value: unknown, why: string): never => {
    throw invalid(services, service.metadata.name ?? '', [at.invalid(value, why)])
  }
  async function asked(address: string, all: readonly string[]): Promise<string> {
    const taken = await allocator.takeAddress(address, service, dryRun)
    if (typeof taken === 'object') refuse(path('spec').at('clusterIPs'), all, `failed to allocate IP ${address}: ${taken.why}`)
    if (taken === 'reserved' && !had.addresses.includes(address)) addresses.push(address)
    return address
  }
  async function free(family: Family): Promise<string> {
    const address = await allocator.freeAddress(family, service, dryRun)
    if (!address) throw internal('failed to allocate a serviceIP: range is full')
    addresses.push(address)
    return address
  }
  /** One address for each family; those that are said first, so that nobody else's choice is given out to this one. */
  async function clusterIPs(spec: ServiceSpec): Promise<ServiceSpec> {
    if (!hasClusterIP(spec) || isHeadless(spec)) return spec
    const wanted = spec.clusterIPs?.filter(Boolean) ?? []
    const families = (spec.ipFamilies ?? []) as readonly Family[]
    const given: string[] = []
    for (const address of wanted) given.push(await asked(address, wanted))
    for (const family of families.slice(wanted.length)) given.push(await free(family))
    return { ...spec, clusterIP: given[0], clusterIPs: given }
  }
  async function port(asked: number, at: ReturnType<typeof path>): Promise<number> {
    if (asked > 0) {
      const taken = await allocator.takePort(asked, owner)
      if (typeof taken === 'object') refuse(at, asked, taken.why)
      if (taken === 'reserved' && !had.ports.includes(asked)) ports.push(asked)
      return asked
    }
    const found = await allocator.freePort(owner)
    if (!found) throw internal('failed to allocate a nodePort: range is full')
    ports.push(found)
    return found
  }
  async function nodePorts(spec: ServiceSpec): Promise<ServiceSpec> {
    const wanted = hasNodePorts(spec)
    const out: ServicePort[] = []
    // The same number serves TCP and UDP of one port.
    const given = new Map<number, number>()
    for (const [i, p] of (spec.ports ?? []).entries()) {
      if (!wanted && !p.nodePort) {
        out.push(p)
        continue
      }
      const number = await port(p.nodePort || given.get(p.port) || 0, path('spec').at('ports').index(i).at('nodePort'))
      given.set(p.port, number)
      out.push({ ...p, nodePort: number })
    }
    return spec.ports ? { ...spec, ports: out } : spec
  }
  async function healthCheck(spec: ServiceSpec): Promise<ServiceSpec> {
    if (!hasHealthCheckPort(spec)) return spec
    return { ...spec, healthCheckNodePort: await port(spec.healthCheckNodePort ?? 0, path('spec').at('healthCheckNodePort')) }
  }
  return {
    run: async (): Promise<Service> => ({ ...service, spec: await healthCheck(await nodePorts(await clusterIPs(service.spec))) }),
    async undo(): Promise<void> {
      for (const number of ports) allocator.releasePort(number, owner)
      await Promise.all(addresses.map((address) => allocator.releaseAddress(address, service)))
    },
  }
}
