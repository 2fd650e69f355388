/** Hands out cluster addresses and node ports: those that are asked for, or free ones. */
import type { Client } from '../../../client/client.ts'
import { ipRange, type IpRange } from './ip-range.ts'
import { createLedger, type Taken } from './services-ledger.ts'

export interface Allocator {
  readonly range: IpRange
  /** Reserves an address for a service. */
  takeAddress(address: string, owner: string): Promise<Taken>
  /** A free address, reserved; undefined when there is none left. */
  freeAddress(owner: string): Promise<string | undefined>
  /** Reserves a node port. */
  takePort(port: number, owner: string): Promise<Taken>
  freePort(owner: string): Promise<number | undefined>
  /** Gives back what the owner has reserved; nobody else's. */
  releaseAddress(address: string, owner: string): void
  releasePort(port: number, owner: string): void
  /** The owner's last request is over: what it holds is in the list of services now, or given back. */
  settle(owner: string): void
}

export interface AllocatorOptions {
  readonly client: Client
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

/** The allocator of one API server. */
export function createAllocator(options: AllocatorOptions): Allocator {
  const random = options.random ?? Math.random
  const range = ipRange(options.serviceCidr)
  const [firstPort, lastPort] = options.nodePorts
  const ledger = createLedger(options.client)

  /** Starts somewhere above the band and goes round; the band comes last. */
  function search<K>(taken: (what: K) => boolean, size: number, band: number, at: (index: number) => K): K | undefined {
    const upper = size - band
    const start = Math.floor(random() * upper)
    for (let i = 0; i < upper; i++) {
      const candidate = at(band + ((start + i) % upper))
      if (!taken(candidate)) return candidate
    }
    for (let i = 0; i < band; i++) if (!taken(at(i))) return at(i)
    return undefined
  }

  const size = Number(range.size)
  const ports = lastPort - firstPort + 1
  return {
    range,
    async takeAddress(address, owner) {
      if (range.indexOf(address) === undefined) return { why: `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}` }
      return ledger.addresses.take(address, owner, 'provided IP is already allocated')
    },
    freeAddress: (owner) => ledger.addresses.find(owner, (taken) => search(taken, size, staticBand(size, 16, 256, 16), (i) => range.at(BigInt(i + 1)))),
    async takePort(port, owner) {
      if (port < firstPort || port > lastPort) return { why: `provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}` }
      return ledger.ports.take(port, owner, 'provided port is already allocated')
    },
    freePort: (owner) => ledger.ports.find(owner, (taken) => search(taken, ports, staticBand(ports, 16, 128, 32), (i) => firstPort + i)),
    releaseAddress: ledger.addresses.release,
    releasePort: ledger.ports.release,
    settle: ledger.settle,
  }
}
