/** All objects of one resource, ordered by key, and the recent changes from which watches resume. */
import type { Clock } from '../../machinery/clock.ts'
import type { ApiObject } from '../../client/client.ts'
import { eachPausing } from '../../machinery/pausing.ts'
import { withResourceVersion } from '../registry/meta.ts'
import { internal } from '../../machinery/errors.ts'
import { Encoded } from './encoded.ts'
import { Sorted } from './sorted.ts'

/** One change, with the frames that watchers share, encoded once. */
export interface CacheEvent {
  readonly type: 'put' | 'delete'
  readonly revision: number
  /** When it arrived, in milliseconds. */
  readonly at: number
  /** The object now; for a deletion, its last state with the revision of the deletion. */
  readonly current: Encoded
  readonly previous: Encoded | undefined
}

export interface Watcher {
  /** Called for every change, in order. */
  push(event: CacheEvent): void
  /** Called after the changes of one batch. */
  flush(): void
  /** The history was lost: the watch ends with 410. */
  reset(): void
  /** The kind was removed or replaced: the watch ends, and can be resumed where it was. */
  close(): void
}

/** History: at least `few` changes, more while they are younger than `young` ms, at most `many`. Older ones are in the store. */
const few = 100
const many = 2000
const young = 60_000

/** Shared by empty listings: of most kinds that admission looks at there are no objects. */
const nothing: readonly ApiObject[] = []

export class ResourceCache {
  readonly prefix: string
  readonly #items = new Sorted<Encoded>()
  readonly #byKey = new Map<string, Encoded>()
  readonly #watchers = new Set<Watcher>()
  readonly #clock: Clock
  #events: CacheEvent[] = []
  #head = 0
  /** The oldest revision from which a watch can resume. */
  #horizon = 0
  #changed = 0
  /** Entries that cannot be decrypted, with the reason; undefined when there are none. */
  #unreadable: Map<string, string> | undefined
  /** The keys of changes that arrived while the cache is being filled. */
  #heard: Set<string> | undefined
  #closedAt: number | undefined

  /** `from`: the revision after which changes arrive; given when earlier objects come through `seed`. */
  constructor(prefix: string, clock: Clock, from?: number) {
    this.prefix = prefix
    this.#clock = clock
    if (from === undefined) return
    this.#horizon = from
    this.#heard = new Set()
  }

  /** Throws `ApiError` 500 when the object cannot be decrypted. */
  get(path: string): Encoded | undefined { return this.#byKey.get(this.prefix + path) ?? this.#missing(this.prefix + path) }
  byKey(key: string): Encoded | undefined { return this.#byKey.get(key) }
  get size(): number { return this.#items.size }
  /** The revision of the last change. */
  get changed(): number { return this.#changed }
  get horizon(): number { return this.#horizon }
  get watcherCount(): number { return this.#watchers.size }

  #missing(key: string): undefined {
    const why = this.#unreadable?.get(key)
    if (why !== undefined) throw internal(why)
    return undefined
  }

  /** Whether there is an entry under the key that cannot be decrypted. */
  spoil(key: string, why: string): void { (this.#unreadable ??= new Map()).set(key, why) }

  /** Throws `ApiError` 500 when an entry below `path` cannot be decrypted: a list without it would say that it is gone. */
  checkReadable(path = ''): void {
    if (!this.#unreadable) return
    for (const [key, why] of this.#unreadable) if (key.startsWith(this.prefix + path)) throw internal(why)
  }

  /** The objects whose path starts with `path` (`''` for all, `namespace/`), in order, after the key `after`. */
  slice(path = '', after?: string): readonly Encoded[] {
    if (path === '' && after === undefined) return this.#items.all()
    const prefix = this.prefix + path
    const to = path === '' ? undefined : `${prefix}\uffff`
    return after !== undefined && after >= prefix ? this.#items.range(after, true, to) : this.#items.range(prefix, false, to)
  }

  #set(item: Encoded): Encoded | undefined {
    const previous = this.#byKey.get(item.key)
    this.#byKey.set(item.key, item)
    if (previous) this.#items.replace(item)
    else this.#items.add(item)
    return previous
  }

  /** Starts over with the store's state at `revision`; watches end, because what happened in between is unknown. */
  fill(items: readonly Encoded[], revision: number): void {
    for (const watcher of this.#watchers) watcher.reset()
    this.#watchers.clear()
    this.#items.clear()
    this.#byKey.clear()
    this.#unreadable = undefined
    this.#events = []
    this.#head = 0
    for (const item of items) this.#set(item)
    // Deletions during a gap are unknown, so after refilling everything counts as changed.
    const refilled = this.#changed > 0
    this.#horizon = revision
    this.#changed = refilled ? revision : items.reduce((newest, item) => Math.max(newest, item.revision), 0)
  }

  /** Adds an entry that the store had before the first change arrived. */
  seed(item: Encoded): void {
    this.#set(item)
    this.#changed = Math.max(this.#changed, item.revision)
  }
  /** Whether a change of the key has arrived while the cache is being filled. */
  heardOf(key: string): boolean { return this.#heard?.has(key) ?? false }
  /** Says that all earlier entries are in. */
  seeded(): void { this.#heard = undefined }

  /** Says that the cache is no longer fed; `revision` is the last one it has seen. Ends all watches. */
  close(revision: number): void {
    this.#closedAt = revision
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers.clear()
  }
  /** The revision up to which it was fed; undefined while it still is. */
  get closedAt(): number | undefined { return this.#closedAt }

  put(item: Encoded): void {
    this.#heard?.add(item.key)
    const previous = this.#set(item)
    this.#unreadable?.delete(item.key)
    this.#record({ type: 'put', revision: item.revision, at: this.#clock.now(), current: item, previous })
    // Watchers that select by labels or fields have looked at it by now.
    if (previous) item.replace(previous)
  }

  delete(key: string, revision: number): void {
    this.#heard?.add(key)
    const previous = this.#byKey.get(key)
    this.#unreadable?.delete(key)
    if (!previous) return
    this.#byKey.delete(key)
    this.#items.delete(key)
    const current = new Encoded(key, revision, withResourceVersion(previous.object, String(revision)))
    this.#record({ type: 'delete', revision, at: this.#clock.now(), current, previous })
    current.replace(previous)
  }

  #record(event: CacheEvent): void {
    this.#changed = event.revision
    this.#events.push(event)
    this.#trim(event.at)
    for (const watcher of this.#watchers) watcher.push(event)
  }

  #trim(now: number): void {
    const events = this.#events
    for (;;) {
      const length = events.length - this.#head
      const oldest = events[this.#head]
      if (!oldest || length <= few || (length <= many && oldest.at > now - young)) break
      this.#horizon = oldest.revision
      this.#head++
    }
    if (this.#head > 1000 && this.#head * 2 > events.length) {
      this.#events = events.slice(this.#head)
      this.#head = 0
    }
  }

  flush(): void {
    for (const watcher of this.#watchers) watcher.flush()
  }

  /** The changes after `revision`; undefined when not all of them are known any more. */
  since(revision: number): readonly CacheEvent[] | undefined {
    if (revision < this.#horizon) return undefined
    let from = this.#events.length
    while (from > this.#head && this.#events[from - 1]!.revision > revision) from--
    return this.#events.slice(from)
  }

  /** Drops bytes that nobody has asked for since the last call. */
  async age(): Promise<void> { await eachPausing(this.#items.all(), (item) => item.age()) }

  watch(watcher: Watcher): void {
    if (this.#closedAt === undefined) this.#watchers.add(watcher)
    else watcher.close()
  }
  unwatch(watcher: Watcher): void { this.#watchers.delete(watcher) }

  /** The objects themselves, for listers. */
  objects(path = ''): readonly ApiObject[] { return this.size === 0 ? nothing : this.slice(path).map((item) => item.object) }
}
