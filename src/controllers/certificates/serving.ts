/** Whether a node may have a serving certificate without anybody looking: for its own name and addresses, and those of nobody else. */
import type { core, discovery } from '../../api/index.ts'
import type { Asked, Request } from './request.ts'

export interface Neighbourhood {
  readonly nodes: readonly core.Node[]
  /** Where the API server is: no node may serve there. */
  readonly serverSlices: readonly discovery.EndpointSlice[]
}

const addressesOf = (node: core.Node): readonly string[] => (node.status.addresses ?? []).map((a) => a.address)

/** Whether the node that a common name stands for is there, and Ready. */
export const isReady = (commonName: string, { nodes }: Neighbourhood): boolean =>
  nodes.some((node) => `system:node:${node.metadata.name}` === commonName && node.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))

/**
 * Kubernetes leaves these requests to others, because it cannot know what is a node's. Here the rule is: the node asks for itself, by the
 * addresses of its own Node object, of which none is another node's or the API server's.
 */
export function isOwnServing({ spec }: Request, asked: Asked, { nodes, serverSlices }: Neighbourhood): boolean {
  const node = nodes.find((n) => `system:node:${n.metadata.name}` === asked.commonName)
  if (!node || spec.username !== asked.commonName || !spec.groups?.includes('system:nodes')) return false
  const own = addressesOf(node)
  const others = new Set([...nodes.filter((n) => n !== node).flatMap(addressesOf), ...serverSlices.flatMap((s) => s.endpoints.flatMap((e): readonly string[] => e.addresses))])
  const isOwn = (address: string) => own.includes(address) && !others.has(address)
  return asked.ipAddresses.every(isOwn) && asked.dnsNames.every((name) => name === node.metadata.name || isOwn(name))
}
