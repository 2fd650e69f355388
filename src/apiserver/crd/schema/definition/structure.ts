/** Whether a schema is structural: it says of every value what it is, in one place; junctors only constrain. */
import type { Path } from '../../../../machinery/field.ts'
import { re2Error } from '../../../../machinery/re2.ts'
import type { Check } from '../../../registry/checks.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, preserves, type Schema } from '../props.ts'

type Level = 'root' | 'item' | 'field'

const untyped: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root', item: 'must not be empty for specified array items', field: 'must not be empty for specified object fields',
}
const junctors = ['anyOf', 'allOf', 'oneOf'] as const

/** The rules of structural schemas, from the root. */
export function* structural(at: Path, schema: Schema): Check {
  yield* node(at, schema, 'root')
  yield* complete(schema, schema, at, at)
}

function* node(at: Path, schema: Schema, level: Level): Check {
  const items = itemsOf(schema)
  if (schema.type === 'array' && !schema.items) yield at.at('items').required('must be specified')
  if (items) yield* node(at.at('items'), items, 'item')
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* node(at.at('properties').key(name), child, 'field')
  const additional = additionalOf(schema)
  if (schema.additionalProperties !== undefined && level === 'root') yield at.at('additionalProperties').forbidden('must not be used at the root')
  if (additional) yield* node(at.at('additionalProperties'), additional, 'field')
  yield* extensions(at, schema)
  yield* types(at, schema, level)
  yield* metadata(at, schema, level)
  yield* validations(at, schema, bothTypes(schema.anyOf), bothTypes(schema.allOf?.[0]?.anyOf))
}

function* extensions(at: Path, schema: Schema): Check {
  if (!isIntOrString(schema)) return
  if (preserves(schema)) yield at.at('x-kubernetes-preserve-unknown-fields').invalid(true, 'must be false if x-kubernetes-int-or-string is true')
  if (isEmbedded(schema)) yield at.at('x-kubernetes-embedded-resource').invalid(true, 'must be false if x-kubernetes-int-or-string is true')
}

function* types(at: Path, schema: Schema, level: Level): Check {
  const { type = '' } = schema
  const embedded = 'must be object if x-kubernetes-embedded-resource is true'
  if (isEmbedded(schema) && type !== 'object') yield type === '' ? at.at('type').required(embedded) : at.at('type').invalid(type, embedded)
  else if (type === '' && !isIntOrString(schema) && !preserves(schema)) yield at.at('type').required(untyped[level])
  if (level === 'root' && type !== '' && type !== 'object') yield at.at('type').invalid(type, 'must be object at the root')
  if (isEmbedded(schema) && schema.additionalProperties !== undefined) yield at.at('additionalProperties').forbidden('must not be used if x-kubernetes-embedded-resource is set')
  if (isEmbedded(schema) && !preserves(schema) && !schema.properties) {
    yield at.at('properties').required('must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields')
  }
}

/** Of apiVersion, kind and metadata next to nothing can be said: they are what they are in every object. */
function* metadata(at: Path, schema: Schema, level: Level): Check {
  if (level !== 'root' && !isEmbedded(schema)) return
  const { kind, apiVersion, metadata: meta } = schema.properties ?? {}
  const places = at.at('properties')
  if (kind && kind.type !== 'string') yield places.key('kind').at('type').invalid(kind.type ?? '', 'must be string')
  if (apiVersion && apiVersion.type !== 'string') yield places.key('apiVersion').at('type').invalid(apiVersion.type ?? '', 'must be string')
  if (!meta) return
  if (meta.type !== 'object') yield places.key('metadata').at('type').invalid(meta.type ?? '', 'must be object')
  if (level === 'root' && saysMore(meta)) yield places.key('metadata').forbidden('must not specify anything other than name and generateName, but metadata is implicitly specified')
}

const sayable = new Set(['type', 'default', 'properties'])
const saysMore = (schema: Schema): boolean =>
  Object.entries(schema).some(([name, value]) => value !== undefined && !sayable.has(name)) || Object.keys(schema.properties ?? {}).some((name) => name !== 'name' && name !== 'generateName')

/** `anyOf: [{type: integer}, {type: string}]`, on its own or first in allOf: how generators say what x-kubernetes-int-or-string means. */
const bothTypes = (branches: readonly Schema[] | undefined): boolean => branches?.length === 2 && isOnlyType(branches[0], 'integer') && isOnlyType(branches[1], 'string')
const isOnlyType = (schema: Schema | undefined, type: string): boolean => schema?.type === type && Object.values(schema).filter((value) => value !== undefined).length === 1

function* validations(at: Path, schema: Schema, skipAnyOf: boolean, skipFirstAllOf: boolean): Check {
  for (const name of junctors) {
    if (name === 'anyOf' && skipAnyOf) continue
    for (const [i, branch] of (schema[name] ?? []).entries()) yield* constraint(at.at(name).index(i), branch, name === 'allOf' && i === 0 && skipFirstAllOf)
  }
  if (schema.not) yield* constraint(at.at('not'), schema.not, false)
  const broken = schema.pattern ? re2Error(schema.pattern) : undefined
  if (broken !== undefined) yield at.at('pattern').invalid(schema.pattern, `must be a valid regular expression, but isn't: ${broken}`)
}

/** What has no place in a constraint, by what it must be there. */
const structureOnly = [
  ['type', 'must be empty to be structural'], ['additionalProperties', 'must be undefined to be structural'], ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'], ['description', 'must be empty to be structural'], ['nullable', 'must be false to be structural'],
  ['externalDocs', 'must be undefined to be structural'], ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'], ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'], ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'], ['x-kubernetes-validations', 'must be empty to be structural'],
] as const

function* constraint(at: Path, schema: Schema, skipAnyOf: boolean): Check {
  yield* validations(at, schema, skipAnyOf, false)
  const items = itemsOf(schema)
  if (items) yield* constraint(at.at('items'), items, false)
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* constraint(at.at('properties').key(name), child, false)
  for (const [name, why] of structureOnly) if (schema[name] !== undefined) yield at.at(name).forbidden(why)
  if (schema.properties?.metadata) yield at.at('properties').key('metadata').forbidden('must not be specified in a nested context')
}

/** Whatever a constraint speaks of is specified outside of constraints too. */
function* complete(constraints: Schema, schema: Schema, place: Path, at: Path): Check {
  for (const [branch, where] of branchesOf(constraints, at)) yield* completeBranch(branch, schema, place, where)
}

function* branchesOf(schema: Schema, at: Path): Generator<readonly [Schema, Path]> {
  if (schema.not) yield [schema.not, at.at('not')]
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) for (const [i, branch] of (schema[name] ?? []).entries()) yield [branch, at.at(name).index(i)]
}

function* completeBranch(branch: Schema, schema: Schema | undefined, place: Path, at: Path): Check {
  if (!schema) return yield place.required(`because it is defined in ${at}`)
  yield* complete(branch, schema, place, at)
  const items = itemsOf(branch)
  if (items) yield* completeBranch(items, itemsOf(schema), place.at('items'), at.at('items'))
  for (const [key, child] of Object.entries(branch.properties ?? {})) {
    const own = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    yield* completeBranch(child, own, place.at('properties').key(key), at.at('properties').key(key))
  }
}
