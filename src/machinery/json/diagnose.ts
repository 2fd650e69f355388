/** The slow walk over a value that a decoder was not content with: says where, in Kubernetes's words. */
import { JSONSchemaProps } from '../../api/apiextensions/v1.ts'
import { resolve, type AnyType, type ScalarType, type StructType } from '../../api/schema.ts'
import { slotTable } from '../slots.ts'
import { bad, explainScalar, kindOf, scalarDecoders } from './scalars.ts'

/** What a value has wrong: the fields the schema does not know, and the first value of a wrong type. */
export interface Diagnosis {
  readonly unknownFields: readonly string[]
  readonly typeError?: string
}

const most = 100

class WrongType extends Error {}

/** Walks `value` by the schema. Unknown fields are listed in the order they stand in, at most 100 of them. */
export function diagnose(type: AnyType, value: unknown): Diagnosis {
  if (type.form === 'struct' && type.codec) return type.codec.diagnose(value)
  const unknownFields: string[] = []
  try {
    walk(type, value, '', unknownFields)
    return { unknownFields }
  } catch (error) {
    if (error instanceof WrongType) return { unknownFields, typeError: error.message }
    throw error
  }
}

const join = (path: string, name: string) => (path ? `${path}.${name}` : name)

function refuse(path: string, problem: string): never {
  throw new WrongType(path ? `${path}: ${problem}` : problem)
}

function walk(type: AnyType, value: unknown, path: string, unknown: string[]): void {
  const target = resolve(type)
  switch (target.form) {
    case 'scalar': return walkScalar(target, value, path, unknown)
    case 'list':
      if (!Array.isArray(value)) refuse(path, `expected array, got ${kindOf(value)}`)
      value.forEach((item, i) => present(item) && walk(target.of, item, `${path}[${i}]`, unknown))
      return
    case 'map':
      for (const [key, item] of Object.entries(objectAt(value, path))) if (present(item)) walk(target.of, item, join(path, key), unknown)
      return
    case 'struct': return walkStruct(target, objectAt(value, path), path, unknown)
  }
}

const present = (value: unknown) => value !== null && value !== undefined

function objectAt(value: unknown, path: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(path, `expected object, got ${kindOf(value)}`)
  return value
}

function walkStruct(type: StructType, value: object, path: string, unknown: string[]): void {
  const { slots, index } = slotTable(type)
  for (const [key, item] of Object.entries(value)) {
    const slot = slots[index.get(key) ?? -1]
    if (slot && present(item)) walk(slot.type, item, join(path, key), unknown)
    if (!slot && item !== undefined && unknown.length < most) unknown.push(`unknown field ${JSON.stringify(join(path, key))}`)
  }
}

function walkScalar(type: ScalarType, value: unknown, path: string, unknown: string[]): void {
  const decode = scalarDecoders[type.name]
  if (decode) {
    if (decode(value) === bad) refuse(path, explainScalar(type.name, value))
    return
  }
  if (type.name === 'schemaOrBool' && typeof value === 'boolean') return
  if (type.name !== 'schemaOrBool' && Array.isArray(value)) {
    const of: AnyType = type.name === 'schemaOrArray' ? JSONSchemaProps : { form: 'scalar', name: 'string' }
    return walk({ form: 'list', of, kind: 'atomic' }, value, path, unknown)
  }
  if (typeof value !== 'object') refuse(path, explainScalar(type.name, value))
  walk(JSONSchemaProps, value, path, unknown)
}
