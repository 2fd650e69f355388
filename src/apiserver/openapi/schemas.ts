/** JSON schemas of the API's types, for OpenAPI v2 and v3: what `kubectl explain` prints and client-side apply merges by. */
import { meta, resolve, type AnyType, type Field, type Resource, type ScalarName, type ScalarType, type StructType } from '../../api/index.ts'
import { openApiOf, publishedKind, selectableOf } from '../crd/schema/openapi.ts'
import { definitionName, kindOf, scalarDefinitions } from './names.ts'

export type SchemaObject = { readonly [key: string]: unknown }
export type Flavour = 'v2' | 'v3'

export interface Definitions {
  /** The reference to a type's definition, which is made if it is not there yet. */
  refTo(type: StructType, resource?: Resource): SchemaObject
  /** The reference to what a patch is: an object of any form. */
  patch(): SchemaObject
  /** The reference to the list kind of a resource. */
  listOf(resource: Resource): SchemaObject
  /** Everything referred to so far, by name, in alphabetical order. */
  all(): Readonly<Record<string, SchemaObject>>
}

const where: Record<Flavour, string> = { v2: '#/definitions/', v3: '#/components/schemas/' }

/** A set of definitions that grows with what is asked for. */
export function createDefinitions(flavour: Flavour): Definitions {
  const made = new Map<string, SchemaObject>()
  const ref = (name: string): SchemaObject => ({ $ref: where[flavour] + name })

  function refTo(meant: StructType, resource?: Resource): SchemaObject {
    const type = meant.granularOf ?? meant
    const name = definitionName(type, resource)
    if (!made.has(name)) {
      made.set(name, {})
      made.set(name, structSchema(type))
    }
    return ref(name)
  }

  function structSchema(type: StructType): SchemaObject {
    const objectMeta = refTo(meta.ObjectMeta as StructType)
    const custom = type.codec && openApiOf(type, { flavour, typeMeta, objectMeta: flavour === 'v3' ? { allOf: [objectMeta] } : objectMeta })
    if (custom) return custom
    const properties: Record<string, SchemaObject> = {}
    const required: string[] = []
    if (type.root) Object.assign(properties, typeMeta)
    addFields(type, properties, required)
    const kind = kindOf(type)
    return {
      ...(type.doc ? { description: type.doc } : {}),
      type: 'object',
      ...(Object.keys(properties).length > 0 ? { properties: sorted(properties) } : {}),
      ...(required.length > 0 ? { required: required.toSorted() } : {}),
      ...(kind ? { 'x-kubernetes-group-version-kind': [kind] } : {}),
      ...(type.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    }
  }

  function addFields(type: StructType, properties: Record<string, SchemaObject>, required: string[]): void {
    for (const [name, field] of Object.entries(type.fields)) {
      if (field.inline) {
        addFields(resolve(field.type) as StructType, properties, required)
        continue
      }
      properties[name] = property(field)
      if (field.presence === 'req' || field.presence === 'must' || field.required) required.push(name)
    }
  }

  /** A field: beside its type, what patches and apply need to know of it. */
  function property(field: Field): SchemaObject {
    const type = resolve(field.type)
    const schema = schemaOf(type)
    const extras: SchemaObject = {
      ...(field.doc ? { description: field.doc } : {}),
      ...(flavour === 'v3' ? defaultOf(field, type) : {}),
      ...mergeExtensions(field, type),
    }
    if (flavour === 'v3' && '$ref' in schema && Object.keys(extras).length > 0) return { allOf: [schema], ...extras }
    return { ...schema, ...extras }
  }

  function schemaOf(any: AnyType): SchemaObject {
    const type = resolve(any)
    if (type.form === 'struct') return refTo(type)
    if (type.form === 'list') return { type: 'array', items: part(type.of) }
    if (type.form === 'map') return { type: 'object', additionalProperties: part(type.of) }
    if (type.form === 'scalar') return scalar(type)
    throw new Error('a lazy type resolves to another form')
  }

  /** What a list or a map is of: never absent, so that v3 says what it is when nothing is said. */
  function part(of: AnyType): SchemaObject {
    const type = resolve(of)
    const schema = schemaOf(type)
    const zero = flavour === 'v3' ? zeroOf(type) : undefined
    if (zero === undefined) return schema
    return '$ref' in schema ? { allOf: [schema], default: zero } : { ...schema, default: zero }
  }

  function scalar(type: ScalarType): SchemaObject {
    const definition = scalarDefinitions[type.name]
    if (definition) {
      if (!made.has(definition)) made.set(definition, definedScalars(flavour)[type.name] ?? {})
      return ref(definition)
    }
    return { ...plainScalars[type.name], ...(type.values ? { enum: type.values.toSorted() } : {}) }
  }

  function listOf(resource: Resource): SchemaObject {
    const item = definitionName(resource.type as StructType, resource)
    const name = resource.listKind ? `${item.slice(0, item.lastIndexOf('.'))}.${resource.listKind}` : `${item}List`
    const listMeta = refTo(meta.ListMeta as StructType)
    if (!made.has(name)) made.set(name, listSchema(resource, refTo(resource.type as StructType, resource), flavour === 'v3' ? { allOf: [listMeta] } : listMeta))
    return ref(name)
  }

  function patch(): SchemaObject {
    const name = `${definitionName(meta.ObjectMeta as StructType).replace(/ObjectMeta$/, '')}Patch`
    if (!made.has(name)) made.set(name, { description: 'A patch, in the form that the content type names.', type: 'object' })
    return ref(name)
  }

  return { refTo, patch, listOf, all: () => sorted(Object.fromEntries(made)) }
}

const listSchema = ({ group, version, kind, listKind = `${kind}List`, type }: Resource, item: SchemaObject, listMeta: SchemaObject): SchemaObject => ({
  description: `${listKind} is a list of ${kind} objects.`,
  type: 'object',
  properties: { ...typeMeta, items: { type: 'array', items: item }, metadata: listMeta },
  required: ['items'],
  'x-kubernetes-group-version-kind': [{ group, version, kind: listKind }],
  ...selectableOf(publishedKind(type as StructType)),
})

/** Patch and apply: how two versions of a field are merged. */
function mergeExtensions(field: Field, type: AnyType): SchemaObject {
  return {
    ...(type.form === 'list' ? { 'x-kubernetes-list-type': type.kind, ...(type.kind === 'map' ? { 'x-kubernetes-list-map-keys': type.keys } : {}) } : {}),
    ...(type.form === 'map' && type.kind === 'atomic' ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(type.form === 'struct' && type.granularOf ? { 'x-kubernetes-map-type': 'granular' } : {}),
    ...(field.key ? { 'x-kubernetes-patch-merge-key': field.key } : {}),
    ...(field.patch ? { 'x-kubernetes-patch-strategy': field.patch } : {}),
  }
}

/** What stands where nothing was sent, of types for which OpenAPI says that. */
function zeroOf(type: AnyType): unknown {
  if (type.form === 'struct') return {}
  return type.form === 'scalar' ? plainZeros[type.name] : undefined
}
const plainZeros: Partial<Readonly<Record<ScalarName, unknown>>> = { string: '', bool: false, int32: 0, int64: 0, double: 0 }

/** The default of a field: its own, or of one that is always there the zero value. */
function defaultOf(field: Field, type: AnyType): SchemaObject {
  const always = field.presence === 'req' || field.presence === 'fill'
  const value = field.default ?? (always ? zeroOf(type) : undefined)
  return value === undefined ? {} : { default: value }
}

const typeMeta: Readonly<Record<string, SchemaObject>> = {
  apiVersion: { type: 'string', description: 'The group and version of the schema that this object follows: `v1`, `apps/v1`.' },
  kind: { type: 'string', description: 'What this object is, in CamelCase. Cannot be changed.' },
}

const plainScalars: Partial<Readonly<Record<ScalarName, SchemaObject>>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
}

const definedScalars = (flavour: Flavour): Partial<Readonly<Record<ScalarName, SchemaObject>>> => ({
  time: { description: 'A time in RFC 3339, to the second.', type: 'string', format: 'date-time' },
  microTime: { description: 'A time in RFC 3339, to the microsecond.', type: 'string', format: 'date-time' },
  duration: { description: 'A span of time such as 1h30m.', type: 'string' },
  fieldsV1: { description: 'A set of fields: a trie of their names.', type: 'object' },
  quantity: { description: 'An amount such as 500m, 1.5Gi or 2e3.', ...(flavour === 'v3' ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' }) },
  intOrString: { description: 'A number, or a text: the name of a port, a percentage.', format: 'int-or-string', ...(flavour === 'v3' ? { oneOf: [{ type: 'integer' }, { type: 'string' }] } : { type: 'string' }) },
  rawExtension: { description: 'An object of any kind.', type: 'object' },
  json: { description: 'Any JSON value.' },
  schemaOrBool: { description: 'A JSON schema or a boolean.' },
  schemaOrArray: { description: 'A JSON schema or a list of them.' },
  schemaOrStringArray: { description: 'A JSON schema or a list of strings.' },
})

const sorted = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
