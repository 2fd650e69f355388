/** Hands out cluster addresses and node ports: those that are asked for, or free ones. */
import type { Service } from '../../../api/core/v1.ts'
import type { Client } from '../../../client/client.ts'
import type { IpRange } from './ip-range.ts'
import { createClaims } from './services-claims.ts'
import { createLedger, ownerOf, type Taken } from './services-ledger.ts'
import { createRanges } from './services-ranges.ts'
import type { Family } from './services-families.ts'

export interface Allocator {
  /** The address families of the cluster's services, its own first. */
  readonly families: readonly Family[]
  /** Reserves an address for a service. */
  takeAddress(address: string, service: Service, dryRun: boolean): Promise<Taken>
  /** A free address of the family, reserved; undefined when there is none left. */
  freeAddress(family: Family, service: Service, dryRun: boolean): Promise<string | undefined>
  /** Reserves a node port. */
  takePort(port: number, owner: string): Promise<Taken>
  freePort(owner: string): Promise<number | undefined>
  /** Gives back what the service has reserved; nobody else's. */
  releaseAddress(address: string, service: Service): Promise<void>
  releasePort(port: number, owner: string): void
  /** The owner's last request is over: what it holds is in the list of services now, or given back. */
  settle(owner: string): void
}

export interface AllocatorOptions {
  readonly client: Client
  /** One block, or two of different families with a comma. */
  readonly serviceCidr: string
  readonly nodePorts: readonly [from: number, to: number]
  /** A number from 0 up to, not including, 1: `Math.random` unless a test says otherwise. */
  readonly random?: () => number
}

/** The lower end of a range is left for those who choose for themselves (KEP-3070, KEP-3668). */
const staticBand = (size: number, least: number, most: number, share: number): number => {
  const band = Math.min(Math.max(Math.floor(size / share), least), most)
  return band >= size ? 0 : band
}

/** Starts somewhere above the band and goes round; the band comes last. */
function search<K>(random: () => number, taken: (what: K) => boolean, size: number, band: number, at: (index: number) => K): K | undefined {
  const upper = size - band
  const start = Math.floor(random() * upper)
  for (let i = 0; i < upper; i++) {
    const candidate = at(band + ((start + i) % upper))
    if (!taken(candidate)) return candidate
  }
  for (let i = 0; i < band; i++) if (!taken(at(i))) return at(i)
  return undefined
}

const allocated = { why: 'provided IP is already allocated' } as const

/** The allocator of one API server. */
export function createAllocator(options: AllocatorOptions): Allocator {
  const random = options.random ?? Math.random
  const ranges = createRanges(options.client, options.serviceCidr)
  const [firstPort, lastPort] = options.nodePorts
  const ledger = createLedger(options.client)
  const claims = createClaims(options.client)
  const ports = lastPort - firstPort + 1

  /** A free address of one block, claimed. What somebody else has an object for is passed over. */
  async function freeIn(range: IpRange, service: Service, dryRun: boolean): Promise<string | undefined> {
    const owner = ownerOf(service)
    const size = Number(range.size)
    const elsewhere = new Set<string>()
    for (;;) {
      const found = await ledger.addresses.find(owner, (taken) =>
        search(random, (address) => elsewhere.has(address) || taken(address), size, staticBand(size, 16, 256, 16), (i) => range.at(BigInt(i + 1))))
      if (found === undefined || (await claimOr(found, service, dryRun)) !== 'taken') return found
      elsewhere.add(found)
    }
  }
  /** Claims what the ledger has reserved; what cannot be claimed is not reserved any more. */
  async function claimOr(address: string, service: Service, dryRun: boolean): Promise<'claimed' | 'held' | 'taken'> {
    const give = () => ledger.addresses.release(address, ownerOf(service))
    const outcome = await claims.claim(address, service, dryRun).catch((error: unknown) => {
      give()
      throw error
    })
    if (outcome === 'taken') give()
    return outcome
  }
  return {
    families: ranges.configured.map((range) => range.family),
    async takeAddress(address, service, dryRun) {
      const taken = await ledger.addresses.take(address, ownerOf(service), allocated.why)
      // Held before: the object is there, or the repair will make it.
      if (taken !== 'reserved') return taken
      if (!(await ranges.current()).some((range) => range.indexOf(address) !== undefined)) {
        ledger.addresses.release(address, ownerOf(service))
        return { why: 'the provided network does not match the current range' }
      }
      return (await claimOr(address, service, dryRun)) === 'taken' ? allocated : taken
    },
    async freeAddress(family, service, dryRun) {
      for (const range of await ranges.current()) {
        const found = range.family === family ? await freeIn(range, service, dryRun) : undefined
        if (found !== undefined) return found
      }
      return undefined
    },
    async takePort(port, owner) {
      if (port < firstPort || port > lastPort) return { why: `provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}` }
      return ledger.ports.take(port, owner, 'provided port is already allocated')
    },
    freePort: (owner) => ledger.ports.find(owner, (taken) => search(random, taken, ports, staticBand(ports, 16, 128, 32), (i) => firstPort + i)),
    async releaseAddress(address, service) {
      ledger.addresses.release(address, ownerOf(service))
      // A service that is gone stays gone: what refuses to go with it is found by the repair loop, which says so.
      await claims.release(address, service).catch(() => undefined)
    },
    releasePort: ledger.ports.release,
    settle: ledger.settle,
  }
}
