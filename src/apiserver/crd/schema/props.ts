/** Reading a schema: the few questions that every part of this folder asks of it. */
import type { apiextensions } from '../../../api/index.ts'
import { deepFreeze } from '../../../machinery/meta.ts'

export type Schema = apiextensions.JSONSchemaProps
export type Obj = Readonly<Record<string, unknown>>

/** What stands in every resource, and in embedded ones. */
export const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** Whether a value is a JSON object. */
export const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The properties of a schema in alphabetical order, as objects have them. */
export const propertiesOf = (schema: Schema): readonly (readonly [string, Schema])[] =>
  Object.entries(schema.properties ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))

/** The schema of the values of a map. */
export const additionalOf = (schema: Schema): Schema | undefined => (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)

/** The schema of the elements of a list. */
export const itemsOf = (schema: Schema): Schema | undefined => (schema.items && !Array.isArray(schema.items) ? (schema.items as Schema) : undefined)

/** Kubernetes's extensions of schemas. */
export const preserves = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true
export const isEmbedded = (schema: Schema): boolean => schema['x-kubernetes-embedded-resource'] === true
export const isIntOrString = (schema: Schema): boolean => schema['x-kubernetes-int-or-string'] === true

/** Sets a property, whatever its name: `__proto__` is one like others. */
export function put(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  else target[key] = value
}

/** An object with these entries, in this order. */
export function fromEntries(entries: readonly (readonly [string, unknown])[]): Obj {
  const out: Record<string, unknown> = {}
  for (const [key, value] of entries) put(out, key, value)
  return out
}

/** An order of keys: alphabetical, as Kubernetes writes maps. */
export type Order = (a: string, b: string) => number
/** Orders by code units, as JavaScript sorts text. */
export const byKey: Order = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
/** At the root of an object what says which it is comes first. */
export const byRootKey: Order = (a, b) => rootRank(a) - rootRank(b) || byKey(a, b)
const rootRank = (key: string): number => (key === 'kind' ? 0 : key === 'apiVersion' ? 1 : key === 'metadata' ? 2 : 3)

/** The keys of an object in an order. */
export function sortedKeys(object: Obj, order: Order): readonly string[] {
  const keys = Object.keys(object).sort()
  if (order === byKey) return keys
  return [...keys.filter((key) => rootRank(key) < 3).sort(order), ...keys.filter((key) => rootRank(key) === 3)]
}

/** An object with these entries, in an order. */
export const inOrder = (entries: Iterable<readonly [string, unknown]>, order: Order): Obj => fromEntries([...entries].toSorted(([a], [b]) => order(a, b)))

/** A value with the keys of all its objects in order, frozen. */
export const canonical = (value: unknown): unknown => deepFreeze(sorted(value))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return inOrder(Object.entries(value).map(([key, item]) => [key, sorted(item)] as const), byKey)
}
