/** Node IPAM: gives each node its part of the cluster's pod addresses. */
import { core } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { formatCidr, parseCidr, part, partCount, partsCovered, type Cidr } from './cidr.ts'

const defaultMask = { 32: 24, 128: 64 } as const

interface Range { readonly range: Cidr; readonly prefix: number }

/** The cluster's ranges, one per address family, from text such as `10.42.0.0/16` or `10.42.0.0/16,fd00::/56`. */
export function parseRanges(clusterCidr: string, maskSize: number | undefined): readonly Range[] {
  return clusterCidr.split(',').map((text) => {
    const range = parseCidr(text.trim())
    const prefix = maskSize !== undefined && range.bits === 32 ? maskSize : Math.max(range.prefix, defaultMask[range.bits])
    if (prefix < range.prefix || prefix > range.bits) throw new Error(`nodes cannot have a /${prefix} of ${text}`)
    return { range, prefix }
  })
}

function nodeIpamReconciler(nodes: Informer<core.Node>, client: Client, recorder: EventRecorder, ranges: readonly Range[]): Reconciler {
  /** What was given to nodes since the informer last told of them, by node name. */
  const given = new Map<string, readonly string[]>()

  function free({ range, prefix }: Range): Cidr | undefined {
    const taken = [...nodes.list().flatMap((node) => node.spec.podCIDRs ?? (node.spec.podCIDR ? [node.spec.podCIDR] : [])), ...[...given.values()].flat()]
      .flatMap((text) => partsCovered(range, prefix, parseCidr(text)) ?? [])
    const used = new Set(taken.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)))
    const count = partCount(range, prefix)
    for (let index = 0; index < count; index++) if (!used.has(index)) return part(range, prefix, index)
    return undefined
  }

  return {
    async reconcile(name) {
      const node = nodes.get(name)
      if (!node || node.spec.podCIDR || node.metadata.deletionTimestamp) return void given.delete(name)
      const parts = ranges.map(free)
      if (parts.includes(undefined)) {
        recorder.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
        throw new Error('no part of the cluster CIDR is left for the node')
      }
      const podCIDRs = parts.map((p) => formatCidr(p as Cidr))
      given.set(name, podCIDRs)
      try {
        await client.patch(core.nodes, name, { type: 'merge', body: { metadata: { resourceVersion: node.metadata.resourceVersion ?? '' }, spec: { podCIDR: podCIDRs[0] ?? '', podCIDRs } } })
      } catch (error) {
        given.delete(name)
        throw error
      }
    },
  }
}

/** Starts node IPAM over `clusterCidr`. Throws at once when that is no address range. */
export function startNodeIpamController(context: ControllerContext, clusterCidr: string): Controller {
  const name = 'node-ipam-controller'
  const nodes = context.informers.for(core.nodes)
  const ranges = parseRanges(clusterCidr, context.settings.nodeCidrMaskSize)
  return runController({
    name,
    reconciler: nodeIpamReconciler(nodes, context.client('node-controller'), recorderOf(context, 'node-controller', 'cidrAllocator'), ranges),
    watches: [watch(nodes, (node) => [keyOf(node)])],
    clock: context.clock,
    log: context.log,
    // One at a time: two nodes must not be given the same part.
    concurrency: 1,
    signal: context.signal,
  })
}
