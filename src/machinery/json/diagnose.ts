/**
 * The slow walk over a value that a decoder was not content with: says where, in Kubernetes's words, which are those of Go's library for JSON:
 * `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
 */
import * as api from '../../api/index.ts'
import { resolve, type AnyType, type ScalarName, type ScalarType, type StructType } from '../../api/schema.ts'
import { quantityFault } from '../quantity.ts'
import { slotTable } from '../slots.ts'
import { base64Fault, durationFault, timeFault } from './faults.ts'
import { bad, kindOf, scalarDecoders } from './scalars.ts'

/** What a value has wrong: the fields the schema does not know, and the first value of a wrong type. */
export interface Diagnosis {
  readonly unknownFields: readonly string[]
  readonly typeError?: string
  /** Where that value is: `rules[0].verbs`. */
  readonly typeErrorAt?: string
}

const most = 100

/** A value that has a reader of its own cannot be read: that is said whatever else is wrong. */
class Unreadable extends Error {
  readonly at: string
  constructor(message: string, { path }: Place) {
    super(message)
    this.at = path
  }
}

/** What was found so far. */
interface Notes { readonly unknown: string[]; wrong?: string; at?: string }

/** Where the walk is: by fields and indices, by fields alone, and the struct that the last field belongs to. */
interface Place { readonly path: string; readonly fields: string; readonly struct: string }

/** Walks `value` by the schema. Unknown fields are listed in the order they stand in, at most 100 of them. */
export function diagnose(type: AnyType, value: unknown): Diagnosis {
  if (type.form === 'struct' && type.codec) return type.codec.diagnose(value)
  const notes: Notes = { unknown: [] }
  try {
    walk(type, value, { path: '', fields: '', struct: '' }, notes)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    notes.wrong = error.message
    notes.at = error.at
  }
  return { unknownFields: notes.unknown, ...(notes.wrong === undefined ? {} : { typeError: notes.wrong, typeErrorAt: notes.at ?? '' }) }
}

const join = (path: string, name: string) => (path ? `${path}.${name}` : name)

/** Of several values of wrong types Go names the first. */
function mismatch(found: string, type: string, place: Place, notes: Notes): void {
  say(mismatchText(found, type, place), place, notes)
}
function say(problem: string, { path }: Place, notes: Notes): void {
  if (notes.wrong !== undefined) return
  notes.wrong = problem
  notes.at = path
}
const mismatchText = (found: string, type: string, { struct, fields }: Place): string => `json: cannot unmarshal ${found} into Go ${struct ? `struct field ${struct}.${fields}` : 'value'} of type ${type}`

function walk(type: AnyType, value: unknown, place: Place, notes: Notes): void {
  const target = resolve(type)
  switch (target.form) {
    case 'scalar': return walkScalar(target, value, place, notes)
    case 'list':
      if (!Array.isArray(value)) return mismatch(goKind(value), typeText(target, place), place, notes)
      value.forEach((item, i) => present(item) && walk(target.of, item, { ...place, path: `${place.path}[${i}]` }, notes))
      return
    case 'map':
      if (!isObject(value)) return mismatch(goKind(value), typeText(target, place), place, notes)
      for (const [key, item] of Object.entries(value)) if (present(item)) walk(target.of, item, { ...place, path: join(place.path, key) }, notes)
      return
    case 'struct':
      if (!isObject(value)) return mismatch(goKind(value), typeText(target, place), place, notes)
      return walkStruct(target, value, place, notes)
  }
}

const present = (value: unknown) => value !== null && value !== undefined
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

function walkStruct(type: StructType, value: object, { path, fields }: Place, notes: Notes): void {
  const { slots, index } = slotTable(type)
  for (const [key, item] of Object.entries(value)) {
    const slot = slots[index.get(key) ?? -1]
    if (slot && present(item)) walk(slot.type, item, { path: join(path, key), fields: join(fields, slot.via + key), struct: type.name }, notes)
    if (!slot && item !== undefined && notes.unknown.length < most) notes.unknown.push(`unknown field ${JSON.stringify(join(path, key))}`)
  }
}

function walkScalar(type: ScalarType, value: unknown, place: Place, notes: Notes): void {
  const decode = scalarDecoders[type.name]
  if (decode) {
    if (decode(value) === bad) explain(type, value, place, notes)
    return
  }
  if (type.name === 'schemaOrBool' && typeof value === 'boolean') return
  if (type.name !== 'schemaOrBool' && Array.isArray(value)) {
    const of: AnyType = type.name === 'schemaOrArray' ? api.apiextensions.JSONSchemaProps : api.string
    return walk({ form: 'list', of, kind: 'atomic' }, value, place, notes)
  }
  if (!isObject(value)) return mismatch(goKind(value), `v1.${schemaUnions[type.name] ?? ''}`, place, notes)
  walk(api.apiextensions.JSONSchemaProps, value, place, notes)
}

const schemaUnions: Readonly<Partial<Record<ScalarName, string>>> = { schemaOrBool: 'JSONSchemaPropsOrBool', schemaOrArray: 'JSONSchemaPropsOrArray', schemaOrStringArray: 'JSONSchemaPropsOrStringArray' }

/** What is said of a scalar that cannot be read. Throws `Unreadable` where it has a reader of its own. */
function explain(type: ScalarType, value: unknown, place: Place, notes: Notes): void {
  const text = typeof value === 'string' ? value : undefined
  switch (type.name) {
    case 'bytes':
      if (text === undefined) return mismatch(goKind(value), '[]uint8', place, notes)
      return say(base64Fault(text), place, notes)
    case 'quantity': throw new Unreadable(quantityFault(text ?? JSON.stringify(value)), place)
    case 'time': case 'microTime': case 'duration':
      if (text === undefined) throw new Unreadable(mismatchText(goKind(value), 'string', place), place)
      throw new Unreadable(type.name === 'duration' ? durationFault(text) : timeFault(text, type.name === 'microTime'), place)
    case 'intOrString': throw new Unreadable(mismatchText(numberText(value), 'int32', place), place)
    case 'int32': case 'int64': return mismatch(numberText(value), type.name, place, notes)
    default: return mismatch(goKind(value), typeText(type, place), place, notes)
  }
}

/** What a JSON value is, as Go calls it. */
const goKind = (value: unknown): string => (typeof value === 'boolean' ? 'bool' : kindOf(value))

/** A number that is no integer, or too much of one, is shown. */
const numberText = (value: unknown): string => (typeof value === 'number' || typeof value === 'bigint' ? `number ${value}` : goKind(value))

const scalarTypes: Readonly<Partial<Record<ScalarName, string>>> = { double: 'float64', bytes: '[]uint8', rawExtension: 'runtime.RawExtension', fieldsV1: 'v1.FieldsV1', quantity: 'resource.Quantity', time: 'v1.Time', microTime: 'v1.MicroTime' }

/** The types that have a name in Kubernetes's Go packages, which is their name in the schema. */
let named: ReadonlyMap<unknown, string> | undefined
function names(): ReadonlyMap<unknown, string> {
  return (named ??= new Map(Object.entries(api).flatMap(([room, types]) => (typeof types === 'object' && types !== null && !('form' in types)
    ? Object.entries(types).map(([name, type]): [unknown, string] => [type, `${room === 'autoscaling' || room === 'apidiscovery' ? 'v2' : 'v1'}.${name}`]) : []))))
}

/** A type as Go calls it. */
function typeText(type: AnyType, place: Place): string {
  const target = resolve(type)
  const name = names().get(target)
  if (name !== undefined) return name
  switch (target.form) {
    case 'list': return `[]${typeText(target.of, place)}`
    case 'map': return resolve(target.of).form === 'scalar' && (resolve(target.of) as ScalarType).name === 'quantity' ? 'v1.ResourceList' : `map[string]${typeText(target.of, place)}`
    case 'struct': return `v1.${target.name}`
    case 'scalar': return target.name === 'string' && /(^|\.)uid$/.test(place.fields) ? 'types.UID' : (scalarTypes[target.name] ?? target.name)
  }
}
