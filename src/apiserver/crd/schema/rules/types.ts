/** The CEL type of a schema, with the largest size that its values can have in a request: what costs are estimated by. */
import { BOOL, DOUBLE, INT, bytesOf, escapeName, listOf, mapOf, objectOf, stringOf, type CelType } from '../../../../machinery/cel/index.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, type Schema } from '../props.ts'

/** The largest request there is, in bytes. */
const largestRequest = 3 * 1024 * 1024

/** A type, and the fewest bytes that a value of it takes in JSON. */
export interface Typed { readonly type: CelType; readonly least: number }

/** What expressions see of a place in an object. */
export interface View extends Typed {
  readonly fields?: ReadonlyMap<string, View>
  /** Of lists and maps. */
  readonly element?: View
}

const longestText = largestRequest - 2
const text: Typed = { type: stringOf(longestText), least: 2 }
const atLeastZero = (value: number): number => Math.max(0, value)

/**
 * What an expression sees of a value; undefined where nothing is known of it (preserved fields). `root`: kind, apiVersion and
 * the name are there whether or not the schema mentions them. `name` is a name of its own for each object type.
 */
export function viewOf(schema: Schema, root: boolean, name: string): View | undefined {
  if (isIntOrString(schema)) return { type: { kind: 'dyn', max: schema.maxLength === undefined ? longestText : atLeastZero(schema.maxLength) * 4 }, least: 1 }
  if (schema.type === 'array') return listView(schema, name)
  if (schema.type === 'object') return additionalOf(schema) && !root ? mapView(schema, name) : objectView(schema, root, name)
  if (schema.type === 'string') return stringView(schema)
  if (schema.type === 'boolean') return { type: BOOL, least: 4 }
  if (schema.type === 'integer') return { type: INT, least: 1 }
  return schema.type === 'number' ? { type: DOUBLE, least: 1 } : undefined
}

function listView(schema: Schema, name: string): View | undefined {
  const items = itemsOf(schema)
  const element = items && viewOf(items, isEmbedded(items), `${name}.@idx`)
  if (!element) return undefined
  const max = schema.maxItems === undefined ? Math.trunc((largestRequest - 2) / (element.least + 1)) : atLeastZero(schema.maxItems)
  const listType = schema['x-kubernetes-list-type'] as 'atomic' | 'set' | 'map' | undefined
  const keys = schema['x-kubernetes-list-map-keys']?.flatMap((key) => escapeName(key) ?? [])
  return { type: listOf(element.type, { max, ...(listType ? { listType } : {}), ...(keys ? { keys } : {}) }), least: 2, element }
}

function mapView(schema: Schema, name: string): View | undefined {
  const values = additionalOf(schema) as Schema
  const element = viewOf(values, isEmbedded(values), `${name}.@elem`)
  if (!element) return undefined
  const max = schema.maxProperties === undefined ? Math.trunc((largestRequest - 2) / (element.least + 6)) : atLeastZero(schema.maxProperties)
  return { type: mapOf(element.type, { max }), least: 2, element }
}

const named: View = { type: objectOf('metadata', { name: text.type, generateName: text.type }), least: 2, fields: new Map([['name', text], ['generateName', text]]) }

function objectView(schema: Schema, root: boolean, name: string): View {
  const fields = new Map<string, View>()
  let least = 2
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const view = viewOf(child, isEmbedded(child), `${name}.${key}`)
    if (!view) continue
    fields.set(key, view)
    if (schema.required?.includes(key) && child.default === undefined) least += key.length + view.least + 4
  }
  if (root) {
    fields.set('apiVersion', text).set('kind', text)
    fields.set('metadata', named)
  }
  const types = Object.fromEntries([...fields].map(([key, { type }]) => [key, { type, required: schema.required?.includes(key) === true }]))
  return { type: objectOf(name, types, { nullsAbsent: true }), least, fields }
}

const enumLength = (values: readonly unknown[]): number => Math.max(0, ...values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0)))

function stringView({ format, maxLength, enum: values }: Schema): View {
  switch (format) {
    case 'byte': return { type: bytesOf(maxLength === undefined ? longestText : atLeastZero(maxLength)), least: 2 }
    case 'duration': return { type: { kind: 'duration', max: 32 }, least: 3 }
    case 'date': return { type: { kind: 'timestamp', max: 12 }, least: 12 }
    case 'date-time': return { type: { kind: 'timestamp', max: 27 }, least: 21 }
  }
  // A character is up to four bytes, and it is bytes that are counted.
  const max = maxLength !== undefined ? atLeastZero(maxLength) * 4 : values?.length ? enumLength(values) : longestText
  return { type: stringOf(max), least: 2 }
}

/** How often a value of at least so many bytes can be in a request. */
export const mostTimes = (least: number): number => Math.trunc(largestRequest / (least + 1))
