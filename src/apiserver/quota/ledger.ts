/**
 * What is used of each quota right now. Counted from what is there, so nothing drifts; what was just let in and is on its way to the
 * store, a new object or one that grows, is counted from a note until it is seen, so that fifty writers at once do not get past a limit of ten.
 */
import { core, dra, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { amountsOf, minus, sum, zero, type Amounts } from './amounts.ts'
import { inScope } from './scopes.ts'
import { countedUnder, usageOf, type Circumstances } from './usage.ts'

/** Where objects are looked up; a `Lister` fits. */
export interface Source { get(namespace: string, name: string): ApiObject | undefined; list(namespace?: string): readonly ApiObject[] }
export type Sources = (resource: Resource) => Source

/** How long an object that was let in may take to be stored. A write that failed holds its place no longer. */
const patience = 10_000

/** `before`: the object as it is in the store, which is to become `object`; undefined: it is new. */
interface Note { readonly resource: Resource; readonly object: ApiObject; readonly before: ApiObject | undefined; readonly until: number }

export interface Ledger {
  /** What is used of the names that the quota limits, notes included. */
  used(quota: core.ResourceQuota): Amounts
  /** What the object uses, under every name. */
  usage(resource: Pick<Resource, 'groupResource'>, object: unknown): Amounts
  /** What the object uses of the quota more than it did. */
  growth(quota: core.ResourceQuota, resource: Pick<Resource, 'groupResource'>, object: unknown, before: unknown): Amounts
  /** Counts the object as it will be from now on, whether that can be seen or not. `before`: what it was; undefined: it is new. */
  note(resource: Resource, object: ApiObject, before?: ApiObject): void
}

/** `resources`: everything that is served; quotas may count any of them. */
export function createLedger(sources: Sources, resources: () => readonly Resource[], clock: Pick<Clock, 'now'>): Ledger {
  const notes = new Set<Note>()
  const circumstances: Circumstances = {
    get now() { return clock.now() },
    extendedResource: (deviceClass) => (sources(dra.deviceclasses).get('', deviceClass) as unknown as dra.DeviceClass | undefined)?.spec.extendedResourceName,
  }

  const stillComing = (namespace: string): readonly Note[] => {
    for (const note of notes) if (note.until < clock.now() || isSeen(note)) notes.delete(note)
    return [...notes].filter(({ object }) => object.metadata.namespace === namespace)
  }
  const isSeen = ({ resource, object, before }: Note): boolean => {
    const seen = sources(resource).get(object.metadata.namespace ?? '', object.metadata.name ?? '')
    // Seen, or its name was taken by another one; changed, by this or by another write, or gone.
    return before ? seen?.metadata.resourceVersion !== before.metadata.resourceVersion : seen !== undefined
  }

  const usage: Ledger['usage'] = (resource, object) => usageOf(resource, object, circumstances)
  /** What the object uses of what this quota limits; nothing when it is out of its scope. */
  const shareOf = (quota: core.ResourceQuota, resource: Pick<Resource, 'groupResource'>, object: unknown): Amounts => {
    if (!inScope(quota, resource.groupResource, object)) return new Map()
    const limited = quota.spec.hard ?? {}
    return new Map([...usage(resource, object)].filter(([name]) => Object.hasOwn(limited, name)))
  }
  const growth: Ledger['growth'] = (quota, resource, object, before) => {
    const share = shareOf(quota, resource, object)
    if (before === undefined || share.size === 0) return share
    return new Map([...minus(share, shareOf(quota, resource, before))].filter(([, amount]) => amount.compare(zero) > 0))
  }

  return {
    usage,
    growth,
    used(quota) {
      const namespace = quota.metadata.namespace ?? ''
      const limited = [...amountsOf(quota.spec.hard).keys()]
      const total = sum([
        ...countedBy(limited, resources()).flatMap((resource) => sources(resource).list(namespace).map((object) => shareOf(quota, resource, object))),
        ...stillComing(namespace).map(({ resource, object, before }) => growth(quota, resource, object, before)),
      ])
      return new Map(limited.map((name) => [name, total.get(name) ?? zero]))
    },
    note(resource, object, before) {
      notes.add({ resource, object, before, until: clock.now() + patience })
    },
  }
}

/** The resources that these names count, each once whatever its versions. */
function countedBy(limited: readonly string[], served: readonly Resource[]): readonly Resource[] {
  const wanted = new Set(limited.flatMap(countedUnder))
  const first = new Map<string, Resource>()
  for (const resource of served) if (wanted.has(resource.groupResource) && !first.has(resource.groupResource)) first.set(resource.groupResource, resource)
  return [...first.values()]
}
