/**
 * The watch cache: all reads are served from here. One watch of the store feeds it; a write is answered only once it has
 * arrived here, so whoever reads after an answer sees it.
 */
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import { deepFreeze } from '../../machinery/meta.ts'
import type { Change, Entry, Store } from '../../store/store.ts'
import { eachPausing } from '../../machinery/pausing.ts'
import { withResourceVersion } from '../registry/meta.ts'
import { Encoded, type Revive } from './encoded.ts'
import { prefixOfKey, registryPrefix } from './keys.ts'
import { ResourceCache } from './resource-cache.ts'

/** What the cache needs to know of a stored resource. */
export interface StoredKind {
  readonly prefix: string
  /** Decodes stored bytes; throws when they are malformed. */
  decode(bytes: Uint8Array): ApiObject
  /** Makes an object again of the JSON that was made of it. Kinds without this keep the objects themselves: what is made again is equal, but not the same. */
  readonly revive?: Revive
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
  /** The revision up to which the cache has every change. */
  revision(): number
  /** The cache of a resource that was there from the start. */
  of(prefix: string): ResourceCache
  /**
   * Adds a resource at run time; resolves with its cache once that has everything stored. A resource that is cached already is
   * cached a second time, decoded by the new kind, until the first cache is removed.
   */
  add(kind: StoredKind): Promise<ResourceCache>
  /** Stops feeding a cache that `add` returned; its watches end. */
  remove(cache: ResourceCache): void
  /** Resolves when the cache has reached the revision. */
  reached(revision: number): Promise<void> | undefined
  /** Announces an object that is about to be stored as these bytes, which saves decoding them when they come back. Returns a function that withdraws it. */
  expect(key: string, bytes: Uint8Array, object: ApiObject): () => void
  /** Calls back for every cache about once a minute, until the server stops: bookmarks. */
  onTick(callback: () => void): () => void
}

/** Milliseconds between two rounds of bookmarks, and of dropping unused bytes. */
const bookmarkEvery = 60_000

/**
 * How many of the objects written last have both forms, for answers and watch events: the tree, which is kept longer only if somebody looks at it
 * (about as many as are written to the disk at once), and the stored bytes.
 */
const recently = { tree: 32, stored: 256 }

function createRecent(): (item: Encoded) => Encoded {
  const ring: Encoded[] = []
  let at = 0
  return (item) => {
    ring[at]?.forgetStored()
    ring[(at + recently.stored - recently.tree) % recently.stored]?.forgetTree()
    ring[at] = item
    at = (at + 1) % recently.stored
    return item
  }
}

interface Expected { readonly bytes: Uint8Array; readonly object: ApiObject }
interface Waiter { readonly revision: number; readonly resolve: () => void }

/** A resource's cache and what reads its bytes. */
interface Fed { readonly kind: StoredKind; readonly cache: ResourceCache }

function createState({ clock, log, kinds, freeze }: CacheOptions) {
  /** By prefix; several while one replaces another. */
  const feds = new Map<string, readonly Fed[]>()
  const expected = new Map<string, Expected[]>()
  for (const kind of kinds) feds.set(kind.prefix, [{ kind, cache: new ResourceCache(kind.prefix, clock) }])
  const recent = createRecent()
  const own = (object: ApiObject): ApiObject => (freeze ? deepFreeze(object) : object)
  const reviveOf = ({ revive }: StoredKind): Revive | undefined => (freeze && revive ? (json) => own(revive(json)) : revive)
  const awaited = (key: string, bytes: Uint8Array): Expected | undefined => expected.get(key)?.find((e) => e.bytes === bytes || Buffer.compare(e.bytes, bytes) === 0)
  /** The object of an entry; undefined, and an error in the log, when its bytes are malformed. `known`: an announced object may be used instead of decoding. */
  const decode = (kind: StoredKind, key: string, bytes: Uint8Array, revision: number, known: boolean): Encoded | undefined => {
    try {
      const mine = known ? awaited(key, bytes) : undefined
      const object = withResourceVersion(mine?.object ?? kind.decode(bytes), String(revision))
      const item = new Encoded(key, revision, own(object), mine?.bytes, reviveOf(kind))
      return mine ? recent(item) : item
    } catch (error) {
      log.error({ key, revision, error: error instanceof Error ? error.message : String(error) }, 'a stored object cannot be decoded and is not served')
      return undefined
    }
  }
  const spoil = (cache: ResourceCache, key: string, problem: string): void => {
    cache.spoil(key, problem)
    log.error({ key, error: problem }, 'a stored object cannot be read')
  }
  /** `loads`: how often everything was read from the store. */
  return { feds, expected, decode, spoil, loads: 0 }
}

type State = ReturnType<typeof createState>

/** How many entries are read at a time, so that their bytes are not all in memory at once. */
const pageSize = 500

/** Reads everything in the store as of one revision; returns that revision. */
async function load(state: State, store: Store): Promise<number> {
  const found = new Map([...state.feds.values()].flat().map((fed) => [fed, { items: [] as Encoded[], spoiled: [] as Entry[] }]))
  const sort = (entry: Entry) => {
    const prefix = prefixOfKey(entry.key)
    for (const fed of (prefix === undefined ? undefined : state.feds.get(prefix)) ?? []) {
      const of = found.get(fed)
      if (entry.problem !== undefined) of?.spoiled.push(entry)
      const item = of && entry.problem === undefined ? state.decode(fed.kind, entry.key, entry.value, entry.modRevision, false) : undefined
      if (item) of!.items.push(item)
    }
  }
  let page = await store.range(registryPrefix, { limit: pageSize, uncounted: true })
  const { revision } = page
  for (;;) {
    await eachPausing(page.entries, sort)
    if (!page.more) break
    page = await store.range(registryPrefix, { limit: pageSize, uncounted: true, revision, after: page.entries.at(-1)!.key })
  }
  const now = [...state.feds.values()].flat()
  // A kind that was added meanwhile has missed what was read before.
  if (now.some((fed) => !found.has(fed))) return load(state, store)
  for (const fed of now) {
    const { items, spoiled } = found.get(fed)!
    fed.cache.fill(items, revision)
    for (const { key, problem = '' } of spoiled) state.spoil(fed.cache, key, problem)
  }
  state.loads++
  return revision
}

function apply(state: State, change: Change, touched: Set<ResourceCache>): void {
  const prefix = prefixOfKey(change.key)
  const feds = prefix === undefined ? undefined : state.feds.get(prefix)
  if (!feds) return
  const { key, value, modRevision, problem } = change.entry
  // Must not be taken for a deletion: everything is read again, and what cannot be decrypted is marked as such.
  if (problem !== undefined) throw new Error(problem)
  for (const { kind, cache } of feds) {
    const item = change.type === 'put' ? state.decode(kind, key, value, modRevision, feds.length === 1) : undefined
    if (item) cache.put(item)
    else cache.delete(key, modRevision)
    touched.add(cache)
  }
}

/**
 * Fills the cache of an added kind. From its registration on, the feed brings every change after `from`, so what is read from
 * the store counts only if it is not newer than that and the feed has not brought anything else since.
 */
async function fillLate(state: State, store: Store, { kind, cache }: Fed, from: number): Promise<number> {
  const { loads } = state
  const { entries, revision } = await store.range(kind.prefix)
  await eachPausing(entries, ({ key, value, modRevision, problem }) => {
    // Everything was read again meanwhile, this resource included.
    if (state.loads !== loads) return false
    if (modRevision > from || cache.heardOf(key)) return true
    const item = problem === undefined ? state.decode(kind, key, value, modRevision, false) : undefined
    if (problem !== undefined) state.spoil(cache, key, problem)
    if (item) cache.seed(item)
    return true
  })
  cache.seeded()
  return revision
}

/** Fills the cache and keeps it fed until the signal aborts. Resolves when it is full. */
export async function startCache(options: CacheOptions): Promise<Cache> {
  const { store, clock, log, signal } = options
  const state = createState(options)
  const waiters: Waiter[] = []
  let revision = await load(state, store)
  const ticks = new Set<() => void>()

  const advance = (to: number) => {
    if (to !== Infinity) revision = to
    if (!waiters.length) return
    let left = 0
    for (const waiter of waiters) {
      if (waiter.revision <= to) waiter.resolve()
      else waiters[left++] = waiter
    }
    waiters.length = left
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
    for (const feds of state.feds.values()) for (const { cache } of feds) void cache.age()
    clock.after(bookmarkEvery, tick)
  }
  // A durable write is answered even when the cache stops before it has seen it.
  signal.addEventListener('abort', () => advance(Infinity), { once: true })
  void run()
  clock.after(bookmarkEvery, tick)

  const reached = (wanted: number) => (wanted <= revision ? undefined : new Promise<void>((resolve) => waiters.push({ revision: wanted, resolve })))
  return {
    revision: () => revision,
    of: (prefix) => state.feds.get(prefix)![0]!.cache,
    async add(kind) {
      const fed: Fed = { kind, cache: new ResourceCache(kind.prefix, clock, revision) }
      state.feds.set(kind.prefix, [...(state.feds.get(kind.prefix) ?? []), fed])
      try {
        await reached(await fillLate(state, store, fed, revision))
      } catch (error) {
        forget(state, fed.cache, revision)
        throw error
      }
      return fed.cache
    },
    remove: (cache) => forget(state, cache, revision),
    reached,
    expect: (key, bytes, object) => expectObject(state.expected, key, { bytes, object }),
    onTick(callback) {
      ticks.add(callback)
      return () => ticks.delete(callback)
    },
  }
}

function forget(state: State, cache: ResourceCache, revision: number): void {
  const left = (state.feds.get(cache.prefix) ?? []).filter((fed) => fed.cache !== cache)
  if (left.length) state.feds.set(cache.prefix, left)
  else state.feds.delete(cache.prefix)
  cache.close(revision)
}

function expectObject(all: State['expected'], key: string, entry: Expected): () => void {
  const list = all.get(key)
  if (list) list.push(entry)
  else all.set(key, [entry])
  return () => {
    const left = all.get(key)
    if (!left) return
    const at = left.indexOf(entry)
    if (at >= 0) left.splice(at, 1)
    if (left.length === 0) all.delete(key)
  }
}
