/** Correlates the elements of a list with those of the old list. */
import { stableStringify } from '../../../machinery/meta.ts'
import { none } from './issue.ts'
import { isObject, itemsOf, type Schema } from './props.ts'

/** The old value of an element, or `none`. */
export type Before = (item: unknown, index: number) => unknown
/** Correlates a list with the old one; undefined when there was none. */
export type Correlation = (old: unknown) => Before | undefined

/** The identity of an element of a map list, by its keys; a missing key has its default. */
function elementKey(schema: Schema): (item: unknown) => string | undefined {
  const items = itemsOf(schema)
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((name) => ({ name, fallback: items?.properties?.[name]?.default }))
  return (item) => (isObject(item) ? stableStringify(keys.map(({ name, fallback }) => (Object.hasOwn(item, name) ? item[name] : fallback) ?? null)) : undefined)
}

/** By keys, for map lists; undefined for others. */
export function mapCorrelation(schema: Schema): Correlation | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined
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
      return (name === undefined ? undefined : (byKey ?? index()).get(name)) ?? none
    }
  }
}

const uncorrelated: Correlation = () => undefined
const byPlace: Correlation = (old) => (Array.isArray(old) ? (_, index) => (old[index] as unknown) ?? none : undefined)

/** For ratcheting: by keys in map lists, by index in lists without a type, not at all in sets and atomic lists. */
export const itemCorrelation = (schema: Schema): Correlation => mapCorrelation(schema) ?? (schema['x-kubernetes-list-type'] === undefined ? byPlace : uncorrelated)
