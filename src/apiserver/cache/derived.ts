/** Keeps state that is derived from all objects of a resource in step with the watch cache; costs as much as what changed. */
import type { ApiObject } from '../../client/client.ts'
import type { Lister } from '../options.ts'

/** The part of a lister that is needed here. */
export type Followed<T> = Pick<Lister<T>, 'list' | 'revision' | 'since'>

/**
 * Returns a function that updates the derived state: it calls `set` for every object that changed since the last call, with
 * the object as last known, and does nothing while the source's revision is unchanged. Changes come from the cache's recent
 * history; everything is compared only where that does not reach back far enough.
 */
export function keepDerived<T extends ApiObject>(source: Followed<T>, set: (namespace: string, name: string, next: T | undefined, before: T | undefined) => void): () => void {
  let revision = -1
  const known = new Map<string, T>()

  const apply = (object: T, gone: boolean): void => {
    const { namespace = '', name = '' } = object.metadata
    const key = `${namespace}/${name}`
    const before = known.get(key)
    const next = gone ? undefined : object
    if (next === before) return
    if (next) known.set(key, next)
    else known.delete(key)
    set(namespace, name, next, before)
  }
  const compare = (): void => {
    const gone = new Map(known)
    for (const object of source.list()) {
      gone.delete(`${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`)
      apply(object, false)
    }
    for (const object of gone.values()) apply(object, true)
  }

  return () => {
    const now = source.revision()
    if (now === revision) return
    const changes = revision < 0 ? undefined : source.since(revision)
    revision = now
    if (!changes) return compare()
    for (const { object, gone } of changes) apply(object, gone)
  }
}
