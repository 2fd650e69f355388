/** Which element of a list was there before: only those of lists of type map can be told, by their keys. */
import { stableStringify } from '../../../machinery/meta.ts'
import { itemsOf, isObject, type Schema } from './props.ts'
import { none } from './issue.ts'

/** What an element was before, or `none`. */
export type Before = (item: unknown) => unknown

/** Names an element of a list of type map by its keys; a key that is not there has its default. */
export function elementKey(schema: Schema): (item: unknown) => string | undefined {
  const items = itemsOf(schema)
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((name) => ({ name, fallback: items?.properties?.[name]?.default }))
  return (item) => (isObject(item) ? stableStringify(keys.map(({ name, fallback }) => (Object.hasOwn(item, name) ? item[name] : fallback) ?? null)) : undefined)
}

/** How the elements of a list find themselves in the list as it was; undefined when they cannot. */
export function itemCorrelation(schema: Schema): (old: unknown) => Before | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map') return () => undefined
  const key = elementKey(schema)
  return (old) => {
    if (!Array.isArray(old)) return undefined
    let byKey: Map<string, unknown> | undefined
    const index = () => {
      byKey = new Map()
      for (const item of old as readonly unknown[]) {
        const name = key(item)
        if (name !== undefined && !byKey.has(name)) byKey.set(name, item)
      }
      return byKey
    }
    return (item) => {
      const name = key(item)
      const found = name === undefined ? undefined : (byKey ?? index()).get(name)
      return found === undefined ? none : found
    }
  }
}
