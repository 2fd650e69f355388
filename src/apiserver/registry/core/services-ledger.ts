/**
 * Which service holds which cluster address and which node port. The list of services is the truth; this is a memory of
 * it, read at first need and again when something seems to be taken or used up, so that what was lost comes back.
 */
import { core } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'

/** Reserved now; held by the same owner before; or why it cannot be had. */
export type Taken = 'reserved' | 'held' | { readonly why: string }

/** What is held of one kind: addresses, or ports. */
export interface Holdings<K> {
  take(what: K, owner: string, why: string): Promise<Taken>
  /** Reserves what `search` finds; undefined when it finds nothing, the list read again included. */
  find(owner: string, search: (taken: (what: K) => boolean) => K | undefined): Promise<K | undefined>
  /** Gives back what the owner holds; nobody else's. */
  release(what: K, owner: string): void
}

export interface Ledger {
  readonly addresses: Holdings<string>
  readonly ports: Holdings<number>
  /** The owner's last request is over: what it holds is in the list of services now, or given back. */
  settle(owner: string): void
}

/** What a service holds. */
export function holdingsOf({ spec }: core.Service): { readonly addresses: readonly string[]; readonly ports: readonly number[] } {
  const addresses = (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).filter((ip) => ip && ip !== 'None')
  const ports = new Set([...(spec.ports ?? []).map((port) => port.nodePort ?? 0), spec.healthCheckNodePort ?? 0].filter((port) => port > 0))
  return { addresses: spec.type === 'ExternalName' ? [] : addresses, ports: [...ports] }
}

/** The ledger's key of a service: `namespace/name`. */
export const ownerOf = (service: core.Service): string => `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`

/** The ledger over the services that `client` sees. Its calls reject when they cannot be listed. */
export function createLedger(client: Client): Ledger {
  const addresses = new Map<string, string>()
  const ports = new Map<number, string>()
  /** Reserved for requests under way, which the list may not show yet: owner to addresses and ports. */
  const pending = new Map<string, Set<string | number>>()
  let loaded: Promise<void> | undefined

  async function reload(): Promise<void> {
    const { items } = await client.list(core.services)
    for (const map of [addresses, ports] as Map<string | number, string>[]) {
      for (const [what, owner] of map) if (!pending.get(owner)?.has(what)) map.delete(what)
    }
    for (const service of items) {
      const owner = ownerOf(service)
      const held = holdingsOf(service)
      for (const address of held.addresses) addresses.set(address, owner)
      for (const port of held.ports) ports.set(port, owner)
      for (const what of [...held.addresses, ...held.ports]) pending.get(owner)?.delete(what)
    }
  }
  const load = (): Promise<void> => (loaded ??= reload().catch((error: unknown) => {
    loaded = undefined
    throw error
  }))

  function holdings<K extends string | number>(map: Map<K, string>): Holdings<K> {
    function reserve(what: K, owner: string): 'reserved' | 'held' | undefined {
      const has = map.get(what)
      if (has !== undefined) return has === owner ? 'held' : undefined
      pending.set(owner, (pending.get(owner) ?? new Set()).add(what))
      map.set(what, owner)
      return 'reserved'
    }
    return {
      async take(what, owner, why) {
        await load()
        const taken = reserve(what, owner)
        if (taken) return taken
        await reload()
        return reserve(what, owner) ?? { why }
      },
      async find(owner, search) {
        await load()
        const taken = (what: K) => map.has(what)
        let found = search(taken)
        if (found === undefined) {
          await reload()
          found = search(taken)
        }
        if (found !== undefined) reserve(found, owner)
        return found
      },
      release(what, owner) {
        if (map.get(what) === owner) map.delete(what)
        pending.get(owner)?.delete(what)
      },
    }
  }
  return { addresses: holdings(addresses), ports: holdings(ports), settle: (owner) => void pending.delete(owner) }
}
