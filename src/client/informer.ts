/** Informers: a component's live picture of a resource, kept by list and watch, and shared by all who ask for the same. */
import type { Resource } from '../api/index.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/log.ts'
import { keyOf } from '../machinery/meta.ts'
import type { ApiObject, Client } from './client.ts'
import { reflect, type Selection } from './reflector.ts'

export { keyOf, splitKey } from '../machinery/meta.ts'

export interface Change<T> {
  readonly type: 'added' | 'updated' | 'deleted'
  /** The object as it is now, or as it was before its deletion. */
  readonly object: T
  /** The object before an update. */
  readonly old?: T
}

export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>

export interface Informer<T> {
  readonly resource: Resource<T>
  /** The object under `namespace/name` (`name` for cluster-scoped kinds), as of what the watch has delivered. */
  get(key: string): T | undefined
  /** All objects, or those of one namespace. */
  list(namespace?: string): readonly T[]
  /** The objects for which the index function gave `value`. Throws for an index that was never declared. */
  byIndex(index: string, value: string): readonly T[]
  /** Calls back for every change from now on, and once with `added` for each existing object. Returns a function that stops it. */
  onChange(listener: (change: Change<T>) => void): () => void
  /** Resolves when the first list has arrived. */
  synced(): Promise<void>
  readonly hasSynced: boolean
}

export interface InformerOptions<T> extends Selection {
  /** Index functions by name; on a shared informer they are added to the existing ones. */
  readonly indexes?: Indexes<T>
}

export interface Informers {
  /** The informer of a resource and selection; the same one for the same arguments. Runs once `start` was called. */
  for<T extends ApiObject, I>(resource: Resource<T, I>, options?: InformerOptions<T>): Informer<T>
  /** Starts all informers, present and future, until the signal aborts. */
  start(signal: AbortSignal): void
  /** Resolves when every informer requested so far has had its first list. */
  synced(): Promise<void>
}

/** An index: value → key → object. */
function createIndex<T extends ApiObject>(values: (object: T) => readonly string[]) {
  const entries = new Map<string, Map<string, T>>()
  return {
    put(key: string, object: T) {
      for (const value of values(object)) {
        const bucket = entries.get(value)
        if (bucket) bucket.set(key, object)
        else entries.set(value, new Map([[key, object]]))
      }
    },
    remove(key: string, object: T) {
      for (const value of values(object)) {
        const bucket = entries.get(value)
        if (bucket?.delete(key) && bucket.size === 0) entries.delete(value)
      }
    },
    get: (value: string): readonly T[] => [...(entries.get(value)?.values() ?? [])],
  }
}

const byNamespace = 'namespace'

/** The objects and their indexes; every change goes to the listeners. */
function createCache<T extends ApiObject>(log: Logger) {
  const objects = new Map<string, T>()
  const indexes = new Map<string, ReturnType<typeof createIndex<T>>>()
  const listeners = new Set<(change: Change<T>) => void>()

  const addIndex = (name: string, values: (object: T) => readonly string[]) => {
    if (indexes.has(name)) return
    const index = createIndex(values)
    for (const [key, object] of objects) index.put(key, object)
    indexes.set(name, index)
  }
  addIndex(byNamespace, (object) => [object.metadata.namespace ?? ''])

  const tell = (listener: (change: Change<T>) => void, change: Change<T>) => {
    try {
      listener(change)
    } catch (error) {
      log.error({ object: keyOf(change.object), error: error instanceof Error ? error.stack : String(error) }, 'a change listener threw')
    }
  }
  const set = (object: T) => {
    const key = keyOf(object)
    const old = objects.get(key)
    if (old) for (const index of indexes.values()) index.remove(key, old)
    objects.set(key, object)
    for (const index of indexes.values()) index.put(key, object)
    // A name that came back with another UID is another object: listeners must see the first one go.
    if (old && old.metadata.uid !== object.metadata.uid) for (const listener of listeners) tell(listener, { type: 'deleted', object: old })
    const change: Change<T> = old && old.metadata.uid === object.metadata.uid ? { type: 'updated', object, old } : { type: 'added', object }
    for (const listener of listeners) tell(listener, change)
  }
  const remove = (object: T) => {
    const key = keyOf(object)
    const old = objects.get(key)
    if (!old) return
    objects.delete(key)
    for (const index of indexes.values()) index.remove(key, old)
    for (const listener of listeners) tell(listener, { type: 'deleted', object })
  }
  const replace = (all: readonly T[]) => {
    const keys = new Set(all.map(keyOf))
    for (const [key, object] of objects) if (!keys.has(key)) remove(object)
    for (const object of all) if (objects.get(keyOf(object))?.metadata.resourceVersion !== object.metadata.resourceVersion) set(object)
  }
  return { objects, indexes, listeners, addIndex, tell, set, remove, replace }
}

type Cache<T extends ApiObject> = ReturnType<typeof createCache<T>>

function informerOver<T extends ApiObject>(resource: Resource<T>, cache: Cache<T>, first: { readonly promise: Promise<void>; done: boolean }): Informer<T> {
  const byIndex = (name: string, value: string) => {
    const index = cache.indexes.get(name)
    if (!index) throw new Error(`informer of ${resource.groupResource} has no index ${name}`)
    return index.get(value)
  }
  return {
    resource,
    get: (key) => cache.objects.get(key),
    list: (namespace) => (namespace === undefined ? [...cache.objects.values()] : byIndex(byNamespace, namespace)),
    byIndex,
    onChange(listener) {
      cache.listeners.add(listener)
      for (const object of cache.objects.values()) cache.tell(listener, { type: 'added', object })
      return () => void cache.listeners.delete(listener)
    },
    synced: () => first.promise,
    get hasSynced() { return first.done },
  }
}

interface Entry {
  readonly informer: Informer<never>
  addIndexes(indexes: Indexes<never>): void
  run(signal: AbortSignal): void
}

/** Informers over one client: each resource and selection is listed and watched once, however many use it. */
export function createInformers(client: Client, options: { readonly clock: Clock; readonly log: Logger }): Informers {
  const entries = new Map<string, Entry>()
  let running: AbortSignal | undefined

  function make<T extends ApiObject>(resource: Resource<T>, selection: Selection): Entry {
    const cache = createCache<T>(options.log)
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = { promise, done: false }
    const sink = {
      replace(objects: readonly T[]) {
        cache.replace(objects)
        first.done = true
        resolve()
      },
      change: (type: string, object: T) => (type === 'DELETED' ? cache.remove(object) : cache.set(object)),
    }
    return {
      informer: informerOver(resource, cache, first) as unknown as Informer<never>,
      addIndexes: (indexes) => Object.entries(indexes as Indexes<T>).forEach(([name, values]) => cache.addIndex(name, values)),
      run: (signal) => void reflect({ ...selection, client, resource, sink, ...options, signal }),
    }
  }

  return {
    for<T extends ApiObject, I>(resource: Resource<T, I>, { indexes, ...selection }: InformerOptions<T> = {}): Informer<T> {
      const id = JSON.stringify([resource.groupResource, resource.version, selection.namespace, selection.labelSelector, selection.fieldSelector])
      let entry = entries.get(id)
      if (!entry) {
        entry = make<T>(resource, selection)
        entries.set(id, entry)
        if (running) entry.run(running)
      }
      if (indexes) entry.addIndexes(indexes as unknown as Indexes<never>)
      return entry.informer as unknown as Informer<T>
    },
    start(signal) {
      if (running) return
      running = signal
      for (const entry of entries.values()) entry.run(signal)
    },
    async synced() { await Promise.all([...entries.values()].map((entry) => entry.informer.synced())) },
  }
}
