/**
 * The watch cache: everything that is read is read here. One watch of the store feeds it; a write is answered only after
 * it has arrived, so whoever reads after an answer sees it.
 */
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import { deepFreeze } from '../../machinery/meta.ts'
import type { Change, Store } from '../../store/store.ts'
import { withResourceVersion } from '../registry/meta.ts'
import { Encoded } from './encoded.ts'
import { prefixOfKey, registryPrefix } from './keys.ts'
import { ResourceCache } from './resource-cache.ts'

/** What the cache must know of a stored resource. */
export interface StoredKind {
  readonly prefix: string
  /** An object from stored bytes; throws when they cannot be understood. */
  decode(bytes: Uint8Array): ApiObject
}

export interface CacheOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly kinds: readonly StoredKind[]
  readonly freeze?: boolean
  readonly signal: AbortSignal
}

export interface Cache {
  /** The revision up to which every change is in the cache. */
  revision(): number
  of(prefix: string): ResourceCache
  /** Resolves when the cache has reached the revision. */
  reached(revision: number): Promise<void> | undefined
  /** An object that is about to be stored as these bytes: spares decoding them when they come back. Returns what takes it back. */
  expect(key: string, bytes: Uint8Array, object: ApiObject): () => void
  /** Runs `callback` on every cache about once a minute until the signal of the server ends: bookmarks. */
  onTick(callback: () => void): () => void
}

/** Milliseconds between two rounds of bookmarks, and of letting go of bytes. */
const bookmarkEvery = 60_000

interface Expected { readonly bytes: Uint8Array; readonly object: ApiObject }
interface Waiter { readonly revision: number; readonly resolve: () => void }

function createState({ clock, log, kinds, freeze }: CacheOptions) {
  const caches = new Map<string, ResourceCache>()
  const decoders = new Map<string, StoredKind>()
  const expected = new Map<string, Expected[]>()
  for (const kind of kinds) {
    caches.set(kind.prefix, new ResourceCache(kind.prefix, clock))
    decoders.set(kind.prefix, kind)
  }
  const awaited = (key: string, bytes: Uint8Array): ApiObject | undefined =>
    expected.get(key)?.find((e) => e.bytes === bytes || Buffer.compare(e.bytes, bytes) === 0)?.object
  /** The object of an entry; undefined, and an error in the log, when its bytes are not understood. */
  const decode = (prefix: string, key: string, bytes: Uint8Array, revision: number): Encoded | undefined => {
    try {
      const object = withResourceVersion(awaited(key, bytes) ?? decoders.get(prefix)!.decode(bytes), String(revision))
      return new Encoded(key, revision, freeze ? deepFreeze(object) : object)
    } catch (error) {
      log.error({ key, revision, error: error instanceof Error ? error.message : String(error) }, 'a stored object cannot be decoded and is not served')
      return undefined
    }
  }
  return { caches, expected, decode }
}

type State = ReturnType<typeof createState>

/** Reads everything the store has at one revision; returns that revision. */
async function load(state: State, store: Store): Promise<number> {
  const { entries, revision } = await store.range(registryPrefix)
  const found = new Map<string, Encoded[]>()
  for (const { key, value, modRevision } of entries) {
    const prefix = prefixOfKey(key)
    if (prefix === undefined || !state.caches.has(prefix)) continue
    const item = state.decode(prefix, key, value, modRevision)
    if (!item) continue
    const list = found.get(prefix)
    if (list) list.push(item)
    else found.set(prefix, [item])
  }
  for (const [prefix, cache] of state.caches) cache.fill(found.get(prefix) ?? [], revision)
  return revision
}

function apply(state: State, change: Change, touched: Set<ResourceCache>): void {
  const prefix = prefixOfKey(change.key)
  const cache = prefix === undefined ? undefined : state.caches.get(prefix)
  if (!cache || prefix === undefined) return
  const { key, value, modRevision } = change.entry
  const item = change.type === 'put' ? state.decode(prefix, key, value, modRevision) : undefined
  if (item) cache.put(item)
  else cache.delete(key, modRevision)
  touched.add(cache)
}

/** Fills the cache and keeps it fed until the signal aborts. Resolves when it is full. */
export async function startCache(options: CacheOptions): Promise<Cache> {
  const { store, clock, log, signal } = options
  const state = createState(options)
  let waiters: Waiter[] = []
  let revision = await load(state, store)
  const ticks = new Set<() => void>()

  const advance = (to: number) => {
    if (to !== Infinity) revision = to
    if (!waiters.length) return
    const due = waiters.filter((w) => w.revision <= to)
    waiters = waiters.filter((w) => w.revision > to)
    for (const waiter of due) waiter.resolve()
  }
  const feed = async () => {
    const touched = new Set<ResourceCache>()
    for await (const batch of store.watch(registryPrefix, { from: revision + 1, signal })) {
      for (const change of batch.changes) apply(state, change, touched)
      for (const cache of touched) cache.flush()
      touched.clear()
      advance(batch.revision)
    }
  }
  const run = async () => {
    while (!signal.aborted) {
      try {
        await feed()
        if (!signal.aborted) throw new Error('the watch ended')
      } catch (error) {
        if (signal.aborted) return
        log.error({ error: error instanceof Error ? error.message : String(error) }, 'the watch of the store broke; reading everything again')
        await clock.sleep(100, signal).catch(() => undefined)
        if (!signal.aborted) await load(state, store).then(advance, () => undefined)
      }
    }
  }
  const tick = () => {
    if (signal.aborted) return
    for (const callback of ticks) callback()
    for (const cache of state.caches.values()) void cache.age()
    clock.after(bookmarkEvery, tick)
  }
  // A write that is durable is answered even when the cache stops before it has seen it.
  signal.addEventListener('abort', () => advance(Infinity), { once: true })
  void run()
  clock.after(bookmarkEvery, tick)

  return {
    revision: () => revision,
    of: (prefix) => state.caches.get(prefix)!,
    reached: (wanted) => (wanted <= revision ? undefined : new Promise((resolve) => waiters.push({ revision: wanted, resolve }))),
    expect: (key, bytes, object) => expectObject(state.expected, key, { bytes, object }),
    onTick(callback) {
      ticks.add(callback)
      return () => ticks.delete(callback)
    },
  }
}

function expectObject(all: State['expected'], key: string, entry: Expected): () => void {
  const list = all.get(key)
  if (list) list.push(entry)
  else all.set(key, [entry])
  return () => {
    const left = all.get(key)?.filter((e) => e !== entry) ?? []
    if (left.length) all.set(key, left)
    else all.delete(key)
  }
}
