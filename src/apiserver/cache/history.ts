/** Changes that the cache no longer has, read from the store's history, so that a watch resumes even after a restart. */
import { internal } from '../../machinery/errors.ts'
import type { Change } from '../../store/store.ts'
import { CompactedError } from '../../store/store.ts'
import { withResourceVersion } from '../registry/meta.ts'
import { Encoded } from './encoded.ts'
import type { ListSource } from './list.ts'
import type { CacheEvent } from './resource-cache.ts'

/** A watch that is further behind than this must list again. */
const most = 10_000

/** The change as watchers see it; undefined when the store no longer knows the object. */
function eventOf({ decode }: ListSource, change: Change): CacheEvent | undefined {
  const { key, value, modRevision } = change.entry
  if (change.entry.problem !== undefined) throw internal(change.entry.problem)
  // Nobody knows the object any more: watchers must list again.
  if (change.previous?.problem !== undefined) return undefined
  const at = (bytes: Uint8Array, revision: number) => new Encoded(key, revision, withResourceVersion(decode(bytes), String(revision)))
  const previous = change.previous && at(change.previous.value, change.previous.modRevision)
  if (change.type === 'put') return { type: 'put', revision: modRevision, at: 0, current: at(value, modRevision), previous }
  return previous && { type: 'delete', revision: modRevision, at: 0, current: new Encoded(key, modRevision, withResourceVersion(previous.object, String(modRevision))), previous }
}

/** The changes after `from` up to `to`, which the cache has reached; undefined when they are compacted, too many, or not all known. */
export async function readHistory(source: ListSource, from: number, to: number): Promise<readonly CacheEvent[] | undefined> {
  const { store, objects } = source
  const stop = new AbortController()
  const events: CacheEvent[] = []
  try {
    for await (const { revision, changes } of store.watch(objects.prefix, { from: from + 1, signal: stop.signal })) {
      for (const change of changes) {
        if (change.entry.modRevision > to) break
        const event = eventOf(source, change)
        if (!event || events.length === most) return undefined
        events.push(event)
      }
      if (revision >= to) return events
    }
    return undefined
  } catch (error) {
    if (error instanceof CompactedError) return undefined
    throw error
  } finally {
    stop.abort()
  }
}
