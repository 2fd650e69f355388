/**
 * What is used of each quota right now. Counted from what is there, so nothing drifts; an object that was just let in and is
 * on its way to the store is counted from a note until it is seen, so that fifty creators at once do not get past a limit of ten.
 */
import { core, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { amountsOf, sum, zero, type Amounts } from './amounts.ts'
import { inScope } from './scopes.ts'
import { usageOf } from './usage.ts'

/** Where objects are looked up; a `Lister` fits. */
export interface Source { get(namespace: string, name: string): ApiObject | undefined; list(namespace?: string): readonly ApiObject[] }
export type Sources = (resource: Resource) => Source

/** How long an object that was let in may take to be stored. A write that failed holds its place no longer. */
const patience = 10_000

interface Note { readonly resource: Resource; readonly object: ApiObject; readonly until: number }

export interface Ledger {
  /** What is used of the names that the quota limits, notes included. */
  used(quota: core.ResourceQuota): Amounts
  /** Counts the object from now on, whether it can be seen or not. */
  note(resource: Resource, object: ApiObject): void
}

/** `resources`: everything that is served; quotas may count any of them. */
export function createLedger(sources: Sources, resources: () => readonly Resource[], clock: Pick<Clock, 'now'>): Ledger {
  const notes = new Map<string, Note>()

  const stillComing = (namespace: string): readonly Note[] => {
    for (const [uid, { resource, object, until }] of notes) {
      const seen = sources(resource).get(object.metadata.namespace ?? '', object.metadata.name ?? '')
      // Seen, or its name was taken by another one.
      if (seen || until < clock.now()) notes.delete(uid)
    }
    return [...notes.values()].filter((n) => n.object.metadata.namespace === namespace)
  }

  return {
    used(quota) {
      const namespace = quota.metadata.namespace ?? ''
      const limited = [...amountsOf(quota.spec.hard).keys()]
      const total = sum([
        ...countedBy(limited, resources()).flatMap((resource) => sources(resource).list(namespace).map((object) => shareOf(quota, resource, object))),
        ...stillComing(namespace).map(({ resource, object }) => shareOf(quota, resource, object)),
      ])
      return new Map(limited.map((name) => [name, total.get(name) ?? zero]))
    },
    note(resource, object) {
      if (object.metadata.uid) notes.set(object.metadata.uid, { resource, object, until: clock.now() + patience })
    },
  }
}

/** What the object uses of what this quota limits; nothing when it is out of its scope. */
export function shareOf(quota: core.ResourceQuota, resource: Pick<Resource, 'groupResource'>, object: unknown): Amounts {
  if (!inScope(quota, resource.groupResource, object)) return new Map()
  const limited = quota.spec.hard ?? {}
  return new Map([...usageOf(resource, object)].filter(([name]) => Object.hasOwn(limited, name)))
}

/** The resources that these names count, each once whatever its versions. */
function countedBy(limited: readonly string[], served: readonly Resource[]): readonly Resource[] {
  const wanted = new Set(limited.map((name) => {
    if (name.startsWith('count/')) return name.slice('count/'.length)
    if (name === 'services.nodeports' || name === 'services.loadbalancers') return 'services'
    if (name.endsWith('persistentvolumeclaims') || name.endsWith('requests.storage')) return 'persistentvolumeclaims'
    return ['services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps'].includes(name) ? name : 'pods'
  }))
  const first = new Map<string, Resource>()
  for (const resource of served) if (wanted.has(resource.groupResource) && !first.has(resource.groupResource)) first.set(resource.groupResource, resource)
  return [...first.values()]
}
