/** Feeds controllers inside the API server from the cache, without a client's watch. */
import type { ResourceCache, Watcher } from './resource-cache.ts'

export interface Fed {
  /** An object was added, changed or removed. */
  changed(name: string): void
  /** Everything must be checked: at the beginning, and after a gap in the changes. */
  everything(): void
}

/** Feeds the controller with the objects of a cluster-scoped resource until the returned function is called. */
export function feed(cache: ResourceCache, { changed, everything }: Fed): () => void {
  const watcher: Watcher = {
    push: ({ current: { object } }) => changed(object.metadata.name ?? ''),
    flush: () => undefined,
    reset() {
      // The store was read again; the cache is still notifying its watchers.
      queueMicrotask(() => {
        cache.watch(watcher)
        everything()
      })
    },
    close: () => undefined,
  }
  cache.watch(watcher)
  everything()
  return () => cache.unwatch(watcher)
}
