/** Which nulls in the JSON of an object an expression wrote itself: Kubernetes takes them for values, while those in what was copied are nothing. */
import { CelList, CelMap, CelObject, JsonMap, type CelValue } from './values.ts'

const written = new WeakMap<object, Set<string | number>>()

/** Whether an expression wrote the null that is at `key` of this part of an object's JSON. */
export const isWrittenNull = (container: object, key: string | number): boolean => written.get(container)?.has(key) === true

/** Remembers the nulls of a value that was put at `key` of `container`, as `container[key]`. */
export function rememberNulls(container: object, key: string | number, value: CelValue): void {
  if (value === null) {
    const keys = written.get(container)
    if (keys) keys.add(key)
    else written.set(container, new Set([key]))
    return
  }
  const json = (container as Readonly<Record<string | number, unknown>>)[key] as object
  if (value instanceof JsonMap || value instanceof CelObject) return
  if (value instanceof CelList && !value.type) for (const [i, item] of value.values().entries()) rememberNulls(json, i, item)
  if (value instanceof CelMap) for (const name of value.keys()) if (typeof name === 'string') rememberNulls(json, name, value.get(name) as CelValue)
}
