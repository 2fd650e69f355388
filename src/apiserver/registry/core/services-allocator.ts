/**
 * Who has which cluster address and which node port. The list of services is the truth; this is a memory of it, read
 * once at first need and again when something seems to be taken or used up, so that what was lost comes back.
 */
import { core } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'
import { ipRange, type IpRange } from './ip-range.ts'

export interface Allocator {
  readonly range: IpRange
  /** Reserves an address for a service; undefined, or why it cannot have it. */
  takeAddress(address: string, owner: string): Promise<string | undefined>
  /** A free address, reserved; undefined when there is none left. */
  freeAddress(owner: string): Promise<string | undefined>
  /** Reserves a node port; undefined, or why it cannot be had. */
  takePort(port: number, owner: string): Promise<string | undefined>
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
export const staticBand = (size: number, least: number, most: number, share: number): number => {
  const band = Math.min(Math.max(Math.floor(size / share), least), most)
  return band >= size ? 0 : band
}

/** What a service holds. */
export function holdingsOf({ spec }: core.Service): { readonly addresses: readonly string[]; readonly ports: readonly number[] } {
  const addresses = (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).filter((ip) => ip && ip !== 'None')
  const ports = new Set([...(spec.ports ?? []).map((port) => port.nodePort ?? 0), spec.healthCheckNodePort ?? 0].filter((port) => port > 0))
  return { addresses: spec.type === 'ExternalName' ? [] : addresses, ports: [...ports] }
}

export const ownerOf = (service: core.Service): string => `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`

/** The allocator of one API server. */
export function createAllocator(options: AllocatorOptions): Allocator {
  const random = options.random ?? Math.random
  const range = ipRange(options.serviceCidr)
  const [firstPort, lastPort] = options.nodePorts
  const held = { addresses: new Map<string, string>(), ports: new Map<number, string>() }
  /** Reserved for requests under way, which the list may not show yet: owner to addresses and ports. */
  const pending = new Map<string, Set<string | number>>()
  let loaded: Promise<void> | undefined

  async function reload(): Promise<void> {
    const { items } = await options.client.list(core.services)
    for (const map of [held.addresses, held.ports] as Map<string | number, string>[]) {
      for (const [what, owner] of map) if (!pending.get(owner)?.has(what)) map.delete(what)
    }
    for (const service of items) {
      const owner = ownerOf(service)
      const { addresses, ports } = holdingsOf(service)
      for (const address of addresses) held.addresses.set(address, owner)
      for (const port of ports) held.ports.set(port, owner)
      for (const what of [...addresses, ...ports]) pending.get(owner)?.delete(what)
    }
  }
  const load = (): Promise<void> => (loaded ??= reload().catch((error: unknown) => {
    loaded = undefined
    throw error
  }))

  function reserve<K extends string | number>(map: Map<K, string>, what: K, owner: string): boolean {
    const has = map.get(what)
    if (has !== undefined && has !== owner) return false
    if (has === undefined) pending.set(owner, (pending.get(owner) ?? new Set()).add(what))
    map.set(what, owner)
    return true
  }
  async function take<K extends string | number>(map: Map<K, string>, what: K, owner: string): Promise<boolean> {
    await load()
    if (reserve(map, what, owner)) return true
    await reload()
    return reserve(map, what, owner)
  }
  /** Starts somewhere above the band and goes round; the band comes last. */
  function search<K>(map: Map<K, string>, size: number, band: number, at: (index: number) => K): K | undefined {
    const upper = size - band
    const start = Math.floor(random() * upper)
    for (let i = 0; i < upper; i++) {
      const candidate = at(band + ((start + i) % upper))
      if (!map.has(candidate)) return candidate
    }
    for (let i = 0; i < band; i++) if (!map.has(at(i))) return at(i)
    return undefined
  }
  async function free<K extends string | number>(map: Map<K, string>, owner: string, find: () => K | undefined): Promise<K | undefined> {
    await load()
    let found = find()
    if (found === undefined) {
      await reload()
      found = find()
    }
    if (found !== undefined) reserve(map, found, owner)
    return found
  }
  function release<K extends string | number>(map: Map<K, string>, what: K, owner: string): void {
    if (map.get(what) === owner) map.delete(what)
    pending.get(owner)?.delete(what)
  }

  const size = Number(range.size)
  const ports = lastPort - firstPort + 1
  return {
    range,
    async takeAddress(address, owner) {
      if (range.indexOf(address) === undefined) return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`
      return (await take(held.addresses, address, owner)) ? undefined : 'provided IP is already allocated'
    },
    freeAddress: (owner) => free(held.addresses, owner, () => search(held.addresses, size, staticBand(size, 16, 256, 16), (i) => range.at(BigInt(i + 1)))),
    async takePort(port, owner) {
      if (port < firstPort || port > lastPort) return `provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}`
      return (await take(held.ports, port, owner)) ? undefined : 'provided port is already allocated'
    },
    freePort: (owner) => free(held.ports, owner, () => search(held.ports, ports, staticBand(ports, 16, 128, 32), (i) => firstPort + i)),
    releaseAddress: (address, owner) => release(held.addresses, address, owner),
    releasePort: (port, owner) => release(held.ports, port, owner),
    settle: (owner) => void pending.delete(owner),
  }
}
