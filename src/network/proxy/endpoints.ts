/** The endpoints that a service port's traffic may go to from this node. */
import type { core, discovery } from '../../api/index.ts'

/** This node's place: decides what is local and which topology hints apply. */
export interface Place { readonly node: string; readonly zone?: string | undefined }

export interface Target { readonly ip: string; readonly port: number; readonly local: boolean }

export interface Targets {
  /** Targets of traffic under policy `Cluster`. */
  readonly cluster: readonly Target[]
  /** Targets of traffic under policy `Local`. */
  readonly local: readonly Target[]
  /** Every target that is ready or still serving, anywhere: for hairpin detection. */
  readonly all: readonly Target[]
}

interface Candidate extends Target {
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly zones?: readonly string[] | undefined
  readonly nodes?: readonly string[] | undefined
}

function candidateOf(endpoint: discovery.Endpoint, port: number, place: Place): Candidate | undefined {
  const ip = endpoint.addresses[0]
  if (ip === undefined) return undefined
  const ready = endpoint.conditions.ready !== false
  return {
    ip,
    port,
    local: endpoint.nodeName === place.node,
    ready,
    serving: endpoint.conditions.serving ?? ready,
    terminating: endpoint.conditions.terminating === true,
    zones: endpoint.hints?.forZones?.map((z) => z.name),
    nodes: endpoint.hints?.forNodes?.map((n) => n.name),
  }
}

/** Every endpoint of the port, once per address and port; of two that differ, the ready one wins. */
function candidates(port: core.ServicePort, slices: readonly discovery.EndpointSlice[], addressType: string, place: Place): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const slice of slices) {
    if (slice.addressType !== addressType) continue
    const match = slice.ports.find((p) => (p.name ?? '') === (port.name ?? '') && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
    if (match?.port === undefined) continue
    for (const endpoint of slice.endpoints) {
      const candidate = candidateOf(endpoint, match.port, place)
      if (!candidate) continue
      const id = `${candidate.ip} ${candidate.port}`
      if (!found.get(id)?.ready) found.set(id, candidate)
    }
  }
  // Sorted, so that the rules do not depend on the order of slices.
  return [...found.values()].sort((a, b) => (a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1))
}

/**
 * Topology: hints apply only if every ready endpoint has them and one is for us; else they are ignored, so that
 * no traffic is lost while hints are being changed. Hints for nodes come before hints for zones.
 * https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/#safeguards
 */
function nearby(ready: readonly Candidate[], place: Place): readonly Candidate[] {
  const pick = (hints: (c: Candidate) => readonly string[] | undefined, here: string | undefined) => {
    if (here === undefined || ready.some((c) => !hints(c)?.length)) return []
    return ready.filter((c) => hints(c)?.includes(here))
  }
  const sameNode = pick((c) => c.nodes, place.node)
  if (sameNode.length > 0) return sameNode
  const sameZone = pick((c) => c.zones, place.zone)
  return sameZone.length > 0 ? sameZone : ready
}

/** When no endpoint is ready, terminating ones that still serve get the traffic (KEP-1669). */
const orTerminating = (all: readonly Candidate[], ready: readonly Candidate[]): readonly Candidate[] =>
  (ready.length > 0 ? ready : all.filter((c) => c.serving && c.terminating))

const targetOf = ({ ip, port, local }: Candidate): Target => ({ ip, port, local })

/** The targets of one port of a service. `slices` are those of the service, of any address type. */
export function targetsOf(port: core.ServicePort, slices: readonly discovery.EndpointSlice[], addressType: 'IPv4' | 'IPv6', place: Place): Targets {
  const all = candidates(port, slices, addressType, place)
  const ready = all.filter((c) => c.ready)
  const here = all.filter((c) => c.local)
  return {
    cluster: orTerminating(all, nearby(ready, place)).map(targetOf),
    local: orTerminating(here, here.filter((c) => c.ready)).map(targetOf),
    all: all.filter((c) => c.ready || c.serving).map(targetOf),
  }
}
