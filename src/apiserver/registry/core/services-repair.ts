/**
 * Keeps services and the objects of their addresses together, as kube-apiserver's repair loops do: an address without its object gets one, an
 * object without its service goes, and what cannot be repaired is told by events. Ports that two services have are told too.
 */
import { core, networking } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'
import { createRecorder, type EventRecorder } from '../../../client/events.ts'
import { createInformers, type Informer } from '../../../client/informer.ts'
import { runController, watch } from '../../../client/run-controller.ts'
import type { Clock } from '../../../machinery/clock.ts'
import { isAlreadyExists, isNotFound } from '../../../machinery/errors.ts'
import type { Component, Logger } from '../../../machinery/log.ts'
import { inCIDR } from '../../../machinery/names.ts'
import { claimOf, isClaimedBy, isLabelled, isManaged, isOfService, nameOfAddress } from './services-claims.ts'
import { familyOf } from './services-families.ts'
import { holdingsOf } from './services-ledger.ts'

export interface RepairOptions {
  /** Acts as the server itself. */
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly nodePorts: readonly [from: number, to: number]
}

/** The object of an address is there a moment before its service: so old it must be to count as leaked. */
const grace = 60_000

interface Parts {
  readonly client: Client
  readonly clock: Clock
  readonly services: Informer<core.Service>
  readonly addresses: Informer<networking.IPAddress>
  readonly cidrs: Informer<networking.ServiceCIDR>
  readonly recorder: EventRecorder
}

const keyOfService = ({ metadata }: core.Service): string => `${metadata.namespace}/${metadata.name}`
const addressesOf = (service: core.Service): readonly string[] => holdingsOf(service).addresses

/** Starts both loops over informers of their own; resolves at once. */
export function startServiceRepair({ client, clock, log, nodePorts }: RepairOptions): Component {
  const stopping = new AbortController()
  const informers = createInformers(client, { clock, log })
  const recorder = createRecorder(client, { component: 'ipallocator-repair-controller', clock, log })
  const ports = createRecorder(client, { component: 'portallocator-repair-controller', clock, log })
  const services = informers.for(core.services, { indexes: { address: addressesOf, port: (service) => holdingsOf(service).ports.map(String) } })
  const addresses = informers.for(networking.ipaddresses)
  const cidrs = informers.for(networking.servicecidrs)
  const parts: Parts = { client, clock, services, addresses, cidrs, recorder }
  const common = { clock, log, signal: stopping.signal, ready: informers }
  const ofServices = runController({
    ...common,
    name: 'service-address-repair',
    reconciler: {
      async reconcile(key) {
        const service = services.get(key)
        if (!service) return
        checkPorts(service, services, nodePorts, ports)
        for (const address of addressesOf(service)) await repairAddress(parts, service, address)
      },
    },
    watches: [
      watch(services, (service) => [keyOfService(service)]),
      watch(addresses, ({ metadata }) => services.byIndex('address', metadata.name ?? '').map(keyOfService)),
    ],
  })
  const ofAddresses = runController({
    ...common,
    name: 'address-leak-repair',
    reconciler: { reconcile: (name) => removeLeaked(parts, name) },
    watches: [
      watch(addresses, ({ metadata }) => [metadata.name ?? '']),
      // What a service had and has no longer is looked at too: the old object is asked about as well.
      watch(services, (service) => addressesOf(service).map(nameOfAddress)),
    ],
  })
  informers.start(stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await Promise.all([ofServices.stop(), ofAddresses.stop()])
    },
  }
}

/** Makes sure that an address of a service is an object that says so. */
async function repairAddress({ client, services, addresses, cidrs, recorder }: Parts, service: core.Service, address: string): Promise<void> {
  const family = familyOf(address)
  const { namespace = '', name = '' } = service.metadata
  const warn = (reason: string, message: string) => recorder.event(service, 'Warning', reason, message, 'ClusterIPAllocation')
  if (!cidrs.list().some(({ spec }) => (spec.cidrs ?? []).some((cidr) => inCIDR(cidr, address)))) {
    return warn('ClusterIPOutOfRange', `Cluster IP [${family}]: ${address} is not within any configured Service CIDR; please recreate service`)
  }
  const object = addresses.get(nameOfAddress(address))
  const recreate = async () => {
    if (object) await client.delete(networking.ipaddresses, object.metadata.name ?? '').catch(unless(isNotFound))
    await client.create(networking.ipaddresses, claimOf(address, service)).catch(unless(isAlreadyExists))
  }
  if (!object) {
    // The informer may be a moment behind; what is there needs no repair.
    const there = await client.get(networking.ipaddresses, nameOfAddress(address)).then(() => true, unless(isNotFound))
    if (there) return
    warn('ClusterIPNotAllocated', `Cluster IP [${family}]: ${address} is not allocated; repairing`)
    return recreate()
  }
  if (isClaimedBy(object, service)) return isLabelled(object) ? undefined : recreate()
  const parent = object.spec.parentRef
  const other = isOfService(object) ? services.get(`${parent?.namespace}/${parent?.name}`) : undefined
  if (other && addressesOf(other).map(nameOfAddress).includes(object.metadata.name ?? '')) {
    return warn('ClusterIPAlreadyAllocated', `Cluster IP [${family}]:${address} was assigned to multiple services; please recreate service`)
  }
  warn('ClusterIPNotAllocated', `the ClusterIP [${family}]: ${address} for Service ${namespace}/${name} has a wrong reference; repairing`)
  await recreate()
}

/** Removes an object of the allocator's that no service has any use for. Those of others are theirs to look after. */
async function removeLeaked({ client, clock, services, addresses, recorder }: Parts, name: string): Promise<{ readonly requeueAfter: number } | undefined> {
  const object = addresses.get(name)
  if (!object || !isManaged(object)) return undefined
  const { namespace: space = '', name: owner = '' } = object.spec.parentRef ?? {}
  const remove = async (reason: string, message: string) => {
    recorder.event(object, 'Warning', reason, message, 'IPAddressAllocation')
    const { uid } = object.metadata
    await client.delete(networking.ipaddresses, name, uid ? { preconditions: { uid } } : {}).catch(unless(isNotFound))
    return undefined
  }
  if (!isOfService(object)) return remove('IPAddressNotAllocated', `IPAddress ${name} appears to have been modified, not referencing a Service ${JSON.stringify(object.spec.parentRef)}: cleaning up`)
  const service = services.get(`${space}/${owner}`)
  if (service && addressesOf(service).map(nameOfAddress).includes(name)) return undefined
  // A service about to be stored, or one about to be updated, has its object already.
  const age = clock.now() - Date.parse(object.metadata.creationTimestamp ?? '')
  if (age < grace) return { requeueAfter: grace - age }
  if (service) return remove('IPAddressWrongReference', `IPAddress: ${name} for Service ${space}/${owner} has a wrong reference; cleaning up`)
  return remove('IPAddressNotAllocated', `IPAddress: ${name} for Service ${space}/${owner} appears to have leaked: cleaning up`)
}

/** Tells of ports that another service has as well, or that lie outside of the range. */
function checkPorts(service: core.Service, services: Informer<core.Service>, [first, last]: readonly [number, number], recorder: EventRecorder): void {
  const warn = (reason: string, message: string) => recorder.event(service, 'Warning', reason, message, 'PortAllocation')
  for (const port of holdingsOf(service).ports) {
    const [oldest] = services.byIndex('port', String(port)).toSorted((a, b) => Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? ''))
    if (port < first || port > last) warn('PortOutOfRange', `Port ${port} is not within the port range ${first}-${last}; please recreate service`)
    else if (oldest && keyOfService(oldest) !== keyOfService(service)) warn('PortAlreadyAllocated', `Port ${port} was assigned to multiple services; please recreate service`)
  }
}

const unless = (expected: (error: unknown) => boolean) => (error: unknown): undefined => {
  if (!expected(error)) throw error
}
