/** Which element of a list was which before. */
import { stableStringify } from '../../../machinery/meta.ts'
import { none } from './issue.ts'
import { isObject, itemsOf, type Schema } from './props.ts'

/** What an element was before, or `none`. */
export type Before = (item: unknown, index: number) => unknown
/** How the elements of a list find themselves in the list as it was; undefined when there was none. */
export type Correlation = (old: unknown) => Before | undefined

/** Names an element of a list of type map by its keys; a key that is not there has its default. */
function elementKey(schema: Schema): (item: unknown) => string | undefined {
  const items = itemsOf(schema)
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((name) => ({ name, fallback: items?.properties?.[name]?.default }))
  return (item) => (isObject(item) ? stableStringify(keys.map(({ name, fallback }) => (Object.hasOwn(item, name) ? item[name] : fallback) ?? null)) : undefined)
}

/** By keys, in lists of type map; undefined for others. */
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

/** For ratcheting: by keys where there are any, by place in lists that say nothing of their type, not at all in sets and atomic lists. */
export const itemCorrelation = (schema: Schema): Correlation => mapCorrelation(schema) ?? (schema['x-kubernetes-list-type'] === undefined ? byPlace : uncorrelated)
