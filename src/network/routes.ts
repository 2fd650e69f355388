/**
 * Routes to other nodes' pods: each node's pod CIDR by way of the node's address (the nodes share a link). Also the nodes'
 * addresses, which pods reach without masquerading.
 */
import { core } from '../api/index.ts'
import type { Informers } from '../client/informer.ts'
import type { Logger } from '../machinery/log.ts'
import { run as runCommand } from './host/run.ts'

export interface Route { readonly cidr: string; readonly via: string }

const internalIps = (node: core.Node): string[] => (node.status.addresses ?? []).filter((a) => a.type === 'InternalIP').map((a) => a.address)
const podCidrs = (node: core.Node): readonly string[] => node.spec.podCIDRs ?? (node.spec.podCIDR ? [node.spec.podCIDR] : [])
const familyFlag = (address: string) => (address.includes(':') ? '-6' : '-4')

/** The routes to the pods of all nodes but this one. */
function planRoutes(nodes: readonly core.Node[], nodeName: string): Route[] {
  return nodes.filter((node) => node.metadata.name !== nodeName).flatMap((node) => podCidrs(node).flatMap((cidr) => {
    const via = internalIps(node).find((ip) => familyFlag(ip) === familyFlag(cidr))
    return via ? [{ cidr, via }] : []
  }))
}

export interface RoutesOptions {
  readonly informers: Informers
  readonly log: Logger
  readonly nodeName: string
  /** Called when the set of node addresses changes. */
  readonly onAddresses: (addresses: readonly string[]) => void
  readonly run?: typeof runCommand
}

/** Keeps the routes in step with the nodes. `stop` leaves them in place: running pods stay connected. */
export function followRoutes({ informers, log, nodeName, onAddresses, run = runCommand }: RoutesOptions): { synced(): Promise<void>; stop(): Promise<void> } {
  const nodes = informers.for(core.nodes)
  const installed = new Map<string, string>()
  let addresses = ''
  let working: Promise<void> = Promise.resolve()
  let stopped = false

  async function sync(): Promise<void> {
    if (stopped) return
    const wanted = new Map(planRoutes(nodes.list(), nodeName).map((r) => [r.cidr, r.via]))
    for (const [cidr, via] of wanted) {
      if (installed.get(cidr) === via) continue
      try {
        await run('ip', [familyFlag(cidr), 'route', 'replace', cidr, 'via', via])
        installed.set(cidr, via)
      } catch (error) {
        log.warn({ cidr, via, error: String(error) }, 'no route to the pods of another node: the nodes must share a link')
      }
    }
    for (const cidr of installed.keys()) {
      if (wanted.has(cidr)) continue
      installed.delete(cidr)
      await run('ip', [familyFlag(cidr), 'route', 'delete', cidr]).catch((error: unknown) => log.debug({ cidr, error: String(error) }, 'route was gone already'))
    }
  }

  const unfollow = nodes.onChange(({ object, old, type }) => {
    // Nodes update their status often; only addresses and CIDRs matter here.
    if (type === 'updated' && old && JSON.stringify([internalIps(old), podCidrs(old)]) === JSON.stringify([internalIps(object), podCidrs(object)])) return
    const now = nodes.list().flatMap(internalIps).sort()
    if (now.join(' ') !== addresses) {
      addresses = now.join(' ')
      onAddresses(now)
    }
    working = working.then(sync)
  })

  return {
    synced: () => nodes.synced(),
    async stop() {
      stopped = true
      unfollow()
      await working
    },
  }
}
