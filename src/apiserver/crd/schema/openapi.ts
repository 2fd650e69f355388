/** The schema of a custom kind as it is published: whole in OpenAPI v3, without what v2 cannot say in v2. */
import type { StructType } from '../../../api/index.ts'
import { additionalOf, isEmbedded, itemsOf, preserves, propertiesOf, type Schema } from './props.ts'

export type Published = { readonly [key: string]: unknown }

/** What a published schema refers to. */
export interface Publishing {
  readonly flavour: 'v2' | 'v3'
  /** The reference to ObjectMeta. */
  readonly objectMeta: Published
  /** The schemas of `apiVersion` and `kind`. */
  readonly typeMeta: Readonly<Record<string, Published>>
}

export interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: Schema
  /** Paths of the fields that lists and watches can select by. */
  readonly selectable?: readonly string[]
}

const kinds = new WeakMap<StructType, Kind>()

/** Remembers what a custom type was compiled from. */
export const publish = (type: StructType, kind: Kind): void => void kinds.set(type, kind)

/** The custom kind that a type is the type of. */
export const publishedKind = (type: StructType): Kind | undefined => kinds.get(type)

/** What is said of the fields that objects of a kind are selected by, of the kind and of its lists. */
export const selectableOf = (kind: Kind | undefined): Published =>
  (kind?.selectable?.length ? { 'x-kubernetes-selectable-fields': kind.selectable.map((path) => ({ fieldPath: path.replace(/^\./, '') })) } : {})

/** The definition of a custom kind; undefined for built-in types. */
export function openApiOf(type: StructType, to: Publishing): Published | undefined {
  const kind = kinds.get(type)
  if (!kind) return undefined
  const { group, version, kind: name, schema } = kind
  const named = { 'x-kubernetes-group-version-kind': [{ group, version, kind: name }], ...selectableOf(kind) }
  // Clients of v2 take any field that is stated for a promise that there are no others.
  if (to.flavour === 'v2' && preserves(schema)) return { type: 'object', ...named }
  const body = published(schema, to)
  return { ...body, type: 'object', properties: sorted({ ...(body.properties as object | undefined), ...to.typeMeta, metadata: to.objectMeta }), ...named }
}

const sorted = (record: object): object => Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const junctors = ['allOf', 'anyOf', 'oneOf'] as const

/** A schema with its parts; the form of the definition is that of OpenAPI v3 already. */
function published(schema: Schema, to: Publishing): Published {
  const plain = to.flavour === 'v2' ? inV2(schema) : schema
  const out: Record<string, unknown> = { ...plain }
  const items = itemsOf(plain)
  const additional = additionalOf(plain)
  if (items) out.items = published(items, to)
  if (additional) out.additionalProperties = published(additional, to)
  if (plain.properties) out.properties = Object.fromEntries(propertiesOf(plain).map(([name, child]) => [name, published(child, to)]))
  for (const name of junctors) if (plain[name]) out[name] = plain[name].map((branch) => published(branch, to))
  if (plain.not) out.not = published(plain.not, to)
  if (isEmbedded(plain) && !(to.flavour === 'v2' && preserves(plain))) {
    out.properties = sorted({ ...(out.properties as object | undefined), ...to.typeMeta, metadata: to.objectMeta })
    out.required = [...(plain.required ?? []), 'kind', 'apiVersion']
  }
  // In v3 it is said which types it may be of; clients of v2 know it by its extension.
  if (to.flavour === 'v3' && plain['x-kubernetes-int-or-string'] && !plain.anyOf && !plain.allOf) out.anyOf = [{ type: 'integer' }, { type: 'string' }]
  return out
}

/** A schema without what v2 does not know, and what clients of v2 (old kubectl) stumble over. */
function inV2(schema: Schema): Schema {
  const { allOf: _all, anyOf: _any, oneOf: _one, not: _not, default: _default, nullable, ...out }: { -readonly [K in keyof Schema]: Schema[K] } = schema
  const optional = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => (child.nullable ? [name] : []))
  if (nullable) delete out.type
  if (nullable || preserves(schema)) {
    delete out.items
    delete out.properties
  }
  if ((out.type === 'array' && !out.items) || (out.type === 'object' && preserves(schema))) delete out.type
  if (out.required && optional.length > 0) out.required = out.required.filter((name) => !optional.includes(name))
  if (out.required?.length === 0 || additionalOf(schema)?.nullable) delete out.required
  return out
}
