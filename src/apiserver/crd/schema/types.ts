/** A schema as the type that apply reads: structs, lists and maps as `x-kubernetes-list-type` and `x-kubernetes-map-type` say, and what nothing is known of as its values are. */
import { meta } from '../../../api/index.ts'
import { bool, deduced, double, fill, int64, intOrString, string, zero, type AnyType, type CustomCodec, type Field, type StructType } from '../../../api/schema.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, metaFields, preserves, propertiesOf, type Schema } from './props.ts'

const scalars: Readonly<Record<string, AnyType>> = { string, integer: int64, number: double, boolean: bool }

/** The type of a schema somewhere in an object. */
function typeOf(schema: Schema, name: string): AnyType {
  if (isIntOrString(schema)) return intOrString
  if (schema.type === 'array') return listOf(schema, name)
  if (schema.type === 'object') return objectOf(schema, name)
  return scalars[schema.type ?? ''] ?? deduced
}

function listOf(schema: Schema, name: string): AnyType {
  const items = itemsOf(schema)
  const of = items ? typeOf(items, name) : deduced
  const kind = schema['x-kubernetes-list-type']
  if (kind === 'set') return { form: 'list', of, kind }
  if (kind === 'map' && of.form === 'struct') return { form: 'list', of, kind, keys: schema['x-kubernetes-list-map-keys'] ?? [] }
  return { form: 'list', of, kind: 'atomic' }
}

const isAtomic = (schema: Schema): boolean => schema['x-kubernetes-map-type'] === 'atomic'

function objectOf(schema: Schema, name: string): AnyType {
  const additional = additionalOf(schema)
  if (!schema.properties && !isEmbedded(schema) && (additional || schema.additionalProperties === true)) {
    return { form: 'map', of: additional ? typeOf(additional, name) : deduced, kind: isAtomic(schema) ? 'atomic' : 'granular' }
  }
  return structOf(schema, name, false)
}

const fieldOf = (name: string, schema: Schema, path: string): Field => ({
  presence: 'opt', no: 0, type: typeOf(schema, `${path}.${name}`),
  ...(schema.description === undefined ? {} : { doc: schema.description }),
  ...(schema.default === undefined ? {} : { default: schema.default }),
  ...(schema.nullable ? { nullable: true } : {}),
})

function structOf(schema: Schema, name: string, root: boolean): StructType {
  const fields: Record<string, Field> = {}
  if (root) fields.metadata = fill(0, meta.ObjectMeta)
  else if (isEmbedded(schema)) Object.assign(fields, { apiVersion: zero(0, string), kind: zero(0, string), metadata: zero(0, meta.ObjectMeta) })
  for (const [key, child] of propertiesOf(schema)) {
    if (!(root || isEmbedded(schema)) || !metaFields.has(key)) Object.defineProperty(fields, key, { value: fieldOf(key, child, name), enumerable: true })
  }
  return { form: 'struct', name, doc: schema.description ?? '', fields, root, atomic: isAtomic(schema), ...(preserves(schema) || schema.additionalProperties === true ? { others: deduced } : {}) }
}

/** The type of a custom kind, with the codec that reads it. */
export const customType = (kind: string, schema: Schema, codec: CustomCodec): StructType => ({ ...structOf(schema, kind, true), codec })
