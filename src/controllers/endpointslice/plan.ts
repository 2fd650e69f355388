/** Which slices to create, change and delete so that they hold the wanted endpoints: with as few writes as possible. */
import type { discovery } from '../../api/index.ts'
import { deepEqual, stableStringify } from '../../machinery/meta.ts'

export type Slice = discovery.EndpointSlice
export type Endpoint = discovery.Endpoint
export type AddressType = 'IPv4' | 'IPv6'

/** Endpoints that share their ports. */
export interface Group { readonly addressType: string; readonly ports: readonly discovery.EndpointPort[]; readonly endpoints: readonly Endpoint[] }

export interface Plan {
  readonly create: readonly Group[]
  readonly update: readonly Slice[]
  readonly remove: readonly Slice[]
}

/** No slice holds more endpoints than this. */
const maxPerSlice = 100

const portsKey = (addressType: string, ports: readonly discovery.EndpointPort[]): string => `${addressType} ${ports.map((port) => stableStringify(port)).sort().join()}`
/** What makes two endpoints the same one: the pod and the address. */
const identity = (e: Endpoint): string => `${e.targetRef?.uid ?? ''} ${e.addresses.join()}`

/** A slice in the making: the existing one, and the endpoints it will hold. */
interface Draft { readonly slice: Slice; endpoints: Endpoint[]; changed: boolean }

/** Keeps what is still wanted where it is; gives back what found no place yet. */
function keepInPlace(slices: readonly Slice[], wanted: readonly Endpoint[]): { readonly drafts: Draft[]; readonly homeless: Endpoint[] } {
  const open = new Map(wanted.map((endpoint) => [identity(endpoint), endpoint]))
  const drafts = slices.map((slice): Draft => {
    const endpoints = slice.endpoints.flatMap((old) => {
      const now = open.get(identity(old))
      open.delete(identity(old))
      return now ? [deepEqual(old, now) ? old : now] : []
    })
    return { slice, endpoints, changed: !(endpoints.length === slice.endpoints.length && endpoints.every((e, i) => e === slice.endpoints[i])) }
  })
  return { drafts, homeless: [...open.values()] }
}

function planGroup(group: Group, slices: readonly Slice[]): { readonly create: Group[]; readonly drafts: Draft[] } {
  const { drafts, homeless } = keepInPlace(slices, group.endpoints)
  // Slices that are written anyway are filled first, then the fullest of the others.
  const order = [...drafts].sort((a, b) => Number(b.changed) - Number(a.changed) || b.endpoints.length - a.endpoints.length)
  for (const draft of order) {
    const taken = homeless.splice(0, Math.max(0, maxPerSlice - draft.endpoints.length))
    if (taken.length === 0) continue
    draft.endpoints.push(...taken)
    draft.changed = true
  }
  const create: Group[] = []
  while (homeless.length > 0) create.push({ ...group, endpoints: homeless.splice(0, maxPerSlice) })
  return { create, drafts }
}

/**
 * The plan for one owner's slices. `dress` gives a slice the metadata it should have (labels, annotations, owner); a
 * slice that changes only by that is updated too. Without endpoints one empty slice per address type stays.
 */
export function planSlices(groups: readonly Group[], existing: readonly Slice[], dress: (slice: Slice, changed: boolean) => Slice): Plan {
  const byPorts = Map.groupBy(existing, (slice) => portsKey(slice.addressType, slice.ports))
  const create: Group[] = []
  const update: Slice[] = []
  const remove: Slice[] = []
  for (const group of groups) {
    const key = portsKey(group.addressType, group.ports)
    const planned = planGroup(group, byPorts.get(key) ?? [])
    byPorts.delete(key)
    const used = planned.drafts.filter((d) => d.endpoints.length > 0)
    // An empty group stands for an owner without endpoints: it keeps its one slice.
    const kept = group.endpoints.length === 0 ? planned.drafts.slice(0, 1) : used
    for (const draft of planned.drafts) {
      if (!kept.includes(draft)) remove.push(draft.slice)
      else {
        const next = dress({ ...draft.slice, endpoints: draft.endpoints }, draft.changed)
        if (draft.changed || !deepEqual(next.metadata, draft.slice.metadata)) update.push(next)
      }
    }
    if (group.endpoints.length === 0 && kept.length === 0) create.push(group)
    create.push(...planned.create)
  }
  for (const slices of byPorts.values()) remove.push(...slices)
  return { create, update, remove }
}
