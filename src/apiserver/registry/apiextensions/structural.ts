/** Whether the schema of a custom resource is structural: says of every value what it is, in one place. */
import type { apiextensions } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import type { Check } from '../checks.ts'

type Schema = apiextensions.JSONSchemaProps

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
/** Structure is given outside of these; inside them it is only constrained. */
const junctors = ['allOf', 'anyOf', 'oneOf'] as const
const structureOnly = ['description', 'title', 'default', 'additionalProperties', 'nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-int-or-string', 'x-kubernetes-embedded-resource'] as const

/** The schema of a version, from its root. */
export function* structural(at: Path, root: Schema): Check {
  if (!root.type) yield at.at('type').required('must not be empty at the root')
  else if (root.type !== 'object') yield at.at('type').invalid(root.type, 'must be object at the root')
  yield* node(at, root, true)
}

function* node(at: Path, schema: Schema, isRoot: boolean): Check {
  const intOrString = schema['x-kubernetes-int-or-string']
  const open = schema['x-kubernetes-preserve-unknown-fields']
  if (!schema.type && !isRoot && !intOrString && !open) yield at.at('type').required('must not be empty for specified object fields')
  if (schema.type && !types.includes(schema.type)) yield at.at('type').notSupported(schema.type, types)
  if (schema.type && intOrString) yield at.at('type').forbidden('must be empty if x-kubernetes-int-or-string is true')
  if (schema.$ref) yield at.at('$ref').forbidden('$ref is not supported')
  if (schema.uniqueItems) yield at.at('uniqueItems').forbidden('uniqueItems cannot be set to true since the runtime complexity becomes quadratic')
  if (schema.properties && schema.additionalProperties !== undefined && schema.additionalProperties !== false) {
    yield at.at('additionalProperties').forbidden('additionalProperties and properties are mutual exclusive')
  }
  if (schema.additionalProperties === false) yield at.at('additionalProperties').forbidden('additionalProperties cannot be set to false')
  yield* lists(at, schema)
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (isRoot && name === 'metadata') yield* metadataNode(at.at('properties').key(name), child)
    else if (!isRoot || (name !== 'apiVersion' && name !== 'kind')) yield* node(at.at('properties').key(name), child, false)
  }
  if (typeof schema.additionalProperties === 'object') yield* node(at.at('additionalProperties'), schema.additionalProperties, false)
  if (schema.items && !Array.isArray(schema.items)) yield* node(at.at('items'), schema.items as Schema, false)
  for (const name of junctors) {
    if (intOrString && saysIntOrString(schema, name)) continue
    for (const [i, child] of (schema[name] ?? []).entries()) yield* constraint(at.at(name).index(i), child)
  }
  if (schema.not) yield* constraint(at.at('not'), schema.not)
}

/** `anyOf: [{type: integer}, {type: string}]`, on its own or first in allOf: how generators say what x-kubernetes-int-or-string means. */
function saysIntOrString(schema: Schema, name: (typeof junctors)[number]): boolean {
  const both = (list: readonly Schema[] | undefined) => list?.length === 2 && list[0]?.type === 'integer' && list[1]?.type === 'string'
  return name === 'anyOf' ? both(schema.anyOf) : name === 'allOf' && both(schema.allOf?.[0]?.anyOf)
}

function* lists(at: Path, schema: Schema): Check {
  if (schema.type === 'array' && !schema.items) yield at.at('items').required('must be specified')
  if (Array.isArray(schema.items)) yield at.at('items').forbidden('items must be a schema object and not an array')
  const kind = schema['x-kubernetes-list-type']
  if (kind === undefined) return
  if (schema.type !== 'array') yield at.at('type').invalid(schema.type ?? '', 'must be array if x-kubernetes-list-type is specified')
  if (!['atomic', 'map', 'set'].includes(kind)) yield at.at('x-kubernetes-list-type').notSupported(kind, ['atomic', 'set', 'map'])
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (kind === 'map' && keys.length === 0) yield at.at('x-kubernetes-list-map-keys').required('must not be empty if x-kubernetes-list-type is map')
  if (kind !== 'map' && keys.length > 0) yield at.at('x-kubernetes-list-map-keys').forbidden('must not be set if x-kubernetes-list-type is not map')
}

/** Of metadata only the name can be constrained. */
function* metadataNode(at: Path, schema: Schema): Check {
  if (schema.type && schema.type !== 'object') yield at.at('type').invalid(schema.type, 'must be object')
  for (const name of Object.keys(schema.properties ?? {})) {
    if (name !== 'name' && name !== 'generateName') yield at.at('properties').key(name).forbidden('must not specify anything other than name and generateName, but metadata is implicitly specified')
  }
}

function* constraint(at: Path, schema: Schema): Check {
  for (const name of structureOnly) if (schema[name] !== undefined) yield at.at(name).forbidden('must be undefined to be structural')
  if (schema.type) yield at.at('type').forbidden('must be empty to be structural')
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* constraint(at.at('properties').key(name), child)
  if (schema.items && !Array.isArray(schema.items)) yield* constraint(at.at('items'), schema.items as Schema)
  for (const name of junctors) for (const [i, child] of (schema[name] ?? []).entries()) yield* constraint(at.at(name).index(i), child)
  if (schema.not) yield* constraint(at.at('not'), schema.not)
}
