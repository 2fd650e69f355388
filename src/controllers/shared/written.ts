/**
 * Remembers what a controller wrote until its informer has it: a controller that counts what exists must not count
 * before it sees its own creations.
 */
import { keyOf, type ApiObject, type Informer } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'

/** After this long what was written is taken for gone again. */
const patience = 30_000

export interface Written<T> {
  /** `object` was created or updated on behalf of `owner`. */
  wrote(owner: string, object: T): void
  /** The informer has everything written on behalf of `owner`, at that version or a later one. */
  isSeen(owner: string): boolean
}

/** Resource versions grow: the longer decimal is the later one, of equals the greater. */
const reaches = (version: string, wanted: string): boolean => (version.length === wanted.length ? version >= wanted : version.length > wanted.length)

export function createWritten<T extends ApiObject>(informer: Informer<T>, clock: Clock): Written<T> {
  const pending = new Map<string, Map<string, { readonly version: string; readonly at: number }>>()
  informer.onChange(({ type, object }) => {
    if (type === 'deleted') for (const [owner, writes] of pending) if (writes.delete(keyOf(object)) && writes.size === 0) pending.delete(owner)
  })
  return {
    wrote(owner, object) {
      const writes = pending.get(owner) ?? new Map<string, { version: string; at: number }>()
      writes.set(keyOf(object), { version: object.metadata.resourceVersion ?? '', at: clock.now() })
      pending.set(owner, writes)
    },
    isSeen(owner) {
      const writes = pending.get(owner)
      if (!writes) return true
      for (const [key, { version, at }] of writes) {
        const seen = informer.get(key)?.metadata.resourceVersion
        if ((seen === undefined || !reaches(seen, version)) && clock.now() - at < patience) return false
        writes.delete(key)
      }
      pending.delete(owner)
      return true
    },
  }
}
