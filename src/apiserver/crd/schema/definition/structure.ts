/** Whether a schema is structural: it says of every value what it is, in one place; junctors only constrain. */
import type { Place } from '../../../../machinery/field.ts'
import { re2Error } from '../../../../machinery/re2.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, preserves, type Schema } from '../props.ts'

type Level = 'root' | 'item' | 'field'

const untyped: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root', item: 'must not be empty for specified array items', field: 'must not be empty for specified object fields',
}
const junctors = ['anyOf', 'allOf', 'oneOf'] as const

/** The rules of structural schemas, from the root. */
export function structural(at: Place, schema: Schema): void {
  node(at, schema, 'root')
  complete(schema, schema, at, at)
}

function node(at: Place, schema: Schema, level: Level): void {
  const items = itemsOf(schema)
  if (schema.type === 'array' && !schema.items) at.at('items').required('must be specified')
  if (items) node(at.at('items'), items, 'item')
  for (const [name, child] of Object.entries(schema.properties ?? {})) node(at.at('properties').key(name), child, 'field')
  const additional = additionalOf(schema)
  if (schema.additionalProperties !== undefined && level === 'root') at.at('additionalProperties').forbidden('must not be used at the root')
  if (additional) node(at.at('additionalProperties'), additional, 'field')
  extensions(at, schema)
  types(at, schema, level)
  metadata(at, schema, level)
  validations(at, schema, bothTypes(schema.anyOf), bothTypes(schema.allOf?.[0]?.anyOf))
}

function extensions(at: Place, schema: Schema): void {
  if (!isIntOrString(schema)) return
  if (preserves(schema)) at.at('x-kubernetes-preserve-unknown-fields').invalid(true, 'must be false if x-kubernetes-int-or-string is true')
  if (isEmbedded(schema)) at.at('x-kubernetes-embedded-resource').invalid(true, 'must be false if x-kubernetes-int-or-string is true')
}

function types(at: Place, schema: Schema, level: Level): void {
  const { type = '' } = schema
  const embedded = 'must be object if x-kubernetes-embedded-resource is true'
  if (isEmbedded(schema) && type !== 'object') {
    if (type === '') at.at('type').required(embedded)
    else at.at('type').invalid(type, embedded)
  } else if (type === '' && !isIntOrString(schema) && !preserves(schema)) at.at('type').required(untyped[level])
  if (level === 'root' && type !== '' && type !== 'object') at.at('type').invalid(type, 'must be object at the root')
  if (isEmbedded(schema) && schema.additionalProperties !== undefined) at.at('additionalProperties').forbidden('must not be used if x-kubernetes-embedded-resource is set')
  if (isEmbedded(schema) && !preserves(schema) && !schema.properties) {
    at.at('properties').required('must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields')
  }
}

/** Of apiVersion, kind and metadata next to nothing can be said: they are what they are in every object. */
function metadata(at: Place, schema: Schema, level: Level): void {
  if (level !== 'root' && !isEmbedded(schema)) return
  const { kind, apiVersion, metadata: meta } = schema.properties ?? {}
  const places = at.at('properties')
  if (kind && kind.type !== 'string') places.key('kind').at('type').invalid(kind.type ?? '', 'must be string')
  if (apiVersion && apiVersion.type !== 'string') places.key('apiVersion').at('type').invalid(apiVersion.type ?? '', 'must be string')
  if (!meta) return
  if (meta.type !== 'object') places.key('metadata').at('type').invalid(meta.type ?? '', 'must be object')
  if (level === 'root' && saysMore(meta)) places.key('metadata').forbidden('must not specify anything other than name and generateName, but metadata is implicitly specified')
}

const sayable = new Set(['type', 'default', 'properties'])
const saysMore = (schema: Schema): boolean =>
  Object.entries(schema).some(([name, value]) => value !== undefined && !sayable.has(name)) || Object.keys(schema.properties ?? {}).some((name) => name !== 'name' && name !== 'generateName')

/** `anyOf: [{type: integer}, {type: string}]`, on its own or first in allOf: how generators say what x-kubernetes-int-or-string means. */
const bothTypes = (branches: readonly Schema[] | undefined): boolean => branches?.length === 2 && isOnlyType(branches[0], 'integer') && isOnlyType(branches[1], 'string')
const isOnlyType = (schema: Schema | undefined, type: string): boolean => schema?.type === type && Object.values(schema).filter((value) => value !== undefined).length === 1

function validations(at: Place, schema: Schema, skipAnyOf: boolean, skipFirstAllOf: boolean): void {
  for (const name of junctors) {
    if (name === 'anyOf' && skipAnyOf) continue
    for (const [i, branch] of (schema[name] ?? []).entries()) constraint(at.at(name).index(i), branch, name === 'allOf' && i === 0 && skipFirstAllOf)
  }
  if (schema.not) constraint(at.at('not'), schema.not, false)
  const broken = schema.pattern ? re2Error(schema.pattern) : undefined
  if (broken !== undefined) at.at('pattern').invalid(schema.pattern, `must be a valid regular expression, but isn't: ${broken}`)
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

function constraint(at: Place, schema: Schema, skipAnyOf: boolean): void {
  validations(at, schema, skipAnyOf, false)
  const items = itemsOf(schema)
  if (items) constraint(at.at('items'), items, false)
  for (const [name, child] of Object.entries(schema.properties ?? {})) constraint(at.at('properties').key(name), child, false)
  for (const [name, why] of structureOnly) if (schema[name] !== undefined) at.at(name).forbidden(why)
  if (schema.properties?.metadata) at.at('properties').key('metadata').forbidden('must not be specified in a nested context')
}

/** Whatever a constraint speaks of is specified outside of constraints too. */
function complete(constraints: Schema, schema: Schema, place: Place, at: Place): void {
  for (const [branch, where] of branchesOf(constraints, at)) completeBranch(branch, schema, place, where)
}

function* branchesOf(schema: Schema, at: Place): Generator<readonly [Schema, Place]> {
  if (schema.not) yield [schema.not, at.at('not')]
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) for (const [i, branch] of (schema[name] ?? []).entries()) yield [branch, at.at(name).index(i)]
}

function completeBranch(branch: Schema, schema: Schema | undefined, place: Place, at: Place): void {
  if (!schema) return place.required(`because it is defined in ${at}`)
  complete(branch, schema, place, at)
  const items = itemsOf(branch)
  if (items) completeBranch(items, itemsOf(schema), place.at('items'), at.at('items'))
  for (const [key, child] of Object.entries(branch.properties ?? {})) {
    const own = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    completeBranch(child, own, place.at('properties').key(key), at.at('properties').key(key))
  }
}
