/** A controller of the API server itself: told by the cache, without a client's watch in between. */
import type { ResourceCache, Watcher } from './resource-cache.ts'

export interface Fed {
  /** An object came, changed or went. */
  changed(name: string): void
  /** Everything is to be looked at: at the beginning, and when it is not known what happened meanwhile. */
  everything(): void
}

/** Feeds it with the objects of a cluster-wide resource until the returned function is called. */
export function feed(cache: ResourceCache, { changed, everything }: Fed): () => void {
  const watcher: Watcher = {
    push: ({ current: { object } }) => changed(object.metadata.name ?? ''),
    flush: () => undefined,
    reset() {
      // Somebody read the store anew; the cache is still telling its watchers.
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
