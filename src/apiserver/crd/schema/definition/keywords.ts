/** What each keyword of a schema may be, and what Kubernetes does not allow of JSON schema. */
import type { Place } from '../../../../machinery/field.ts'
import { additionalOf, isEmbedded, itemsOf, metaFields, type Schema } from '../props.ts'
import { schemaAtPath } from './paths.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** Where a schema stands. */
interface Standing {
  readonly root?: boolean
  /** Why there may be no default. */
  readonly noDefaults?: string
  readonly insideMetadata?: boolean
}

/** Everything that is wrong with the keywords of a schema and of all its parts. */
export function keywords(at: Place, schema: Schema, place: Standing): void {
  forbidden(at, schema, place)
  const additional = additionalOf(schema)
  if (schema.properties && (schema.additionalProperties === false || additional)) at.at('additionalProperties').forbidden('additionalProperties and properties are mutual exclusive')
  const { root: _, ...inside } = place
  if (additional) {
    keywords(at.at('additionalProperties'), additional, place.insideMetadata ? { ...inside, noDefaults: 'inside additionalProperties applying to object metadata' } : inside)
  }
  for (const [name, child] of Object.entries(schema.properties ?? {})) keywords(at.at('properties').key(name), child, placeOf(name, schema, place))
  for (const name of ['allOf', 'oneOf', 'anyOf'] as const) for (const [i, branch] of (schema[name] ?? []).entries()) keywords(at.at(name).index(i), branch, inside)
  if (schema.not) keywords(at.at('not'), schema.not, inside)
  const items = itemsOf(schema)
  if (items) keywords(at.at('items'), items, inside)
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) at.at('x-kubernetes-preserve-unknown-fields').invalid(false, 'must be true or undefined')
  mapType(at, schema)
  listType(at, schema, items)
  uniqueKeys(at, schema, items)
  ruleTexts(at, schema)
}

function placeOf(name: string, schema: Schema, { root = false, ...inside }: Standing): Standing {
  if (!(root || isEmbedded(schema)) || !metaFields.has(name)) return inside
  return { ...inside, insideMetadata: true, ...(root ? { noDefaults: `in top-level ${name}` } : {}) }
}

const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const

function forbidden(at: Place, schema: Schema, { noDefaults, insideMetadata }: Standing): void {
  if (schema.type && !types.includes(schema.type)) at.at('type').notSupported(schema.type, types)
  if (schema.default !== undefined && noDefaults) at.at('default').forbidden(`must not be set ${noDefaults}`)
  for (const name of unsupported) if (schema[name] !== undefined) at.at(name).forbidden(`${name} is not supported`)
  if (schema.type === 'null') at.at('type').forbidden('type cannot be set to null, use nullable as an alternative')
  if (Array.isArray(schema.items)) at.at('items').forbidden('items must be a schema object and not an array')
  if (insideMetadata && isEmbedded(schema)) at.at('x-kubernetes-embedded-resource').forbidden('must not be used inside of resource meta')
  if (schema.uniqueItems) at.at('uniqueItems').forbidden('uniqueItems cannot be set to true since the runtime complexity becomes quadratic')
}

/** `type` is what an extension needs it to be. */
function typed(at: Place, schema: Schema, type: string, extension: string): void {
  const why = `must be ${type} if ${extension} is specified`
  if (schema.type === type) return
  if (schema.type) at.at('type').invalid(schema.type, why)
  else at.at('type').required(why)
}

function mapType(at: Place, schema: Schema): void {
  const kind = schema['x-kubernetes-map-type']
  if (kind === undefined) return
  typed(at, schema, 'object', 'x-kubernetes-map-type')
  if (kind !== 'atomic' && kind !== 'granular') at.at('x-kubernetes-map-type').notSupported(kind, ['atomic', 'granular'])
}

function listType(at: Place, schema: Schema, items: Schema | undefined): void {
  const kind = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (kind !== undefined) {
    typed(at, schema, 'array', 'x-kubernetes-list-type')
    if (schema.type === 'array' && kind === 'set' && items) setItems(at.at('items'), items)
    if (!['atomic', 'set', 'map'].includes(kind)) at.at('x-kubernetes-list-type').notSupported(kind, ['atomic', 'set', 'map'])
  }
  if (keys.length > 0 && kind !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty'
    if (kind === undefined) at.at('x-kubernetes-list-type').required(why)
    else at.at('x-kubernetes-list-type').invalid(kind, why)
  }
  if (kind === 'map') mapKeys(at, schema, items, keys)
}

/** The elements of a set are told apart as a whole, so nobody can own a part of one. */
function setItems(at: Place, items: Schema): void {
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const list = items['x-kubernetes-list-type']
  const map = items['x-kubernetes-map-type']
  if (items.type === 'array' && list !== undefined && list !== 'atomic') at.at('x-kubernetes-list-type').invalid(list, why)
  if (items.type === 'object' && map !== 'atomic') at.at('x-kubernetes-map-type').invalid(null, why)
}

function mapKeys(at: Place, schema: Schema, items: Schema | undefined, keys: readonly string[]): void {
  const place = at.at('x-kubernetes-list-map-keys')
  if (keys.length === 0) place.required('must not be empty if x-kubernetes-list-type is map')
  if (schema.items === undefined) at.at('items').required('must have a schema if x-kubernetes-list-type is map')
  if (!items) return
  if (items.type !== 'object') return at.at('items').at('type').invalid(items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map")
  const seen = new Set<string>()
  for (const key of keys) {
    const property = propertyOf(items, key)
    if (!property) place.invalid(keys, 'entries must all be names of item properties')
    else if (property.type === 'array' || property.type === 'object') {
      at.at('items').at('properties').key(key).at('type').invalid(property.type, "must be a scalar type if parent array's x-kubernetes-list-type is map")
    }
    if (seen.has(key)) place.invalid(keys, 'must not contain duplicate entries')
    seen.add(key)
  }
}

const propertyOf = (schema: Schema, name: string): Schema | undefined => (schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined)

/** Elements of sets and maps are there, and so are their keys. */
function uniqueKeys(at: Place, schema: Schema, items: Schema | undefined): void {
  const kind = schema['x-kubernetes-list-type']
  if (!items || (kind !== 'set' && kind !== 'map')) return
  if (items.nullable) at.at('items').at('nullable').forbidden(`cannot be nullable when x-kubernetes-list-type is ${kind}`)
  if (kind === 'set') return
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = propertyOf(items, key)
    if (!property) continue
    const place = at.at('items').at('properties').key(key)
    if (!items.required?.includes(key) && property.default === undefined) {
      place.at('default').required('this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property')
    }
    if (property.nullable) place.at('nullable').forbidden('this property is in x-kubernetes-list-map-keys, so it cannot be nullable')
  }
}

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const lineBreak = /[\n\r]/

/** What a rule says beside its expressions. */
function ruleTexts(at: Place, schema: Schema): void {
  for (const [i, { rule, message = '', messageExpression = '', reason, fieldPath = '' }] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    const place = at.at('x-kubernetes-validations').index(i)
    const [text, told] = [rule.trim(), message.trim()]
    if (text === '') place.at('rule').required('rule is not specified')
    else if (message !== '' && told === '') place.at('message').invalid(message, 'message must be non-empty if specified')
    else if (lineBreak.test(told)) place.at('message').invalid(message, 'message must not contain line breaks')
    else if (lineBreak.test(text) && told === '') place.at('message').required('message must be specified if rule contains line breaks')
    if (messageExpression !== '' && messageExpression.trim() === '') place.at('messageExpression').required('messageExpression must be non-empty if specified')
    if (reason !== undefined && !reasons.includes(reason)) place.at('reason').notSupported(reason, reasons)
    if (fieldPath === '') continue
    if (fieldPath.trim() === '') place.at('fieldPath').invalid(fieldPath, 'fieldPath must be non-empty if specified')
    if (lineBreak.test(fieldPath)) place.at('fieldPath').invalid(fieldPath, 'fieldPath must not contain line breaks')
    if ('problem' in schemaAtPath(schema, fieldPath)) place.at('fieldPath').invalid(fieldPath, 'fieldPath must be a valid path')
  }
}
