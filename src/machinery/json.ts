/**
 * JSON by the schema. Decoding normalises: properties in schema order, zero values where the presence table
 * (`api/schema.ts`) wants them, map keys sorted, times and quantities in canonical text, unknown fields dropped.
 * `JSON.stringify` of a decoded object is the canonical wire form.
 */
import type { StructType } from '../api/schema.ts'
import { badRequest, type ApiError } from './errors.ts'
import { decoderOf, type Findings } from './json/decoder.ts'
import { diagnose } from './json/diagnose.ts'
import { bad } from './json/scalars.ts'

export { exactInteger, parseExactly } from './json/exact.ts'
export { jsonFault } from './json/syntax.ts'
export { inTextOrder, maxDepth, parseJson, type Parsed, type ParseOptions } from './json/parse.ts'

export interface DecodedObject<T> {
  readonly object: T
  /** `unknown field "spec.foo"`: what the schema does not know, and what was therefore dropped. */
  readonly unknownFields: readonly string[]
}

/**
 * Normalises a value that `JSON.parse` made, or an object that a component built. The value itself is never changed, and
 * parts of it that are already in normal form are shared with the result.
 * Throws `ApiError` 400 that names the field when a value is not of its type. `known`: an object of the type that is in normal form;
 * what the value shares with it is not looked at again.
 */
export function decodeObject<T>(type: StructType<T>, value: unknown, known?: T): DecodedObject<T> {
  const findings: Findings = { unknown: 0, known: known as object | undefined }
  let object: unknown
  try {
    object = decoderOf(type)(value, findings)
  } catch (error) {
    if (error === bad) throw wrongType(type, value, diagnose(type, value).typeError ?? 'it is not of the right form')
    if (error instanceof RangeError) throw wrongType(type, value, 'it is nested too deep')
    throw error
  }
  return { object: object as T, unknownFields: findings.unknown > 0 ? diagnose(type, value).unknownFields : none }
}

const none: readonly string[] = []

/** The canonical JSON text of an object, whatever the order of its properties. Throws `ApiError` 400 as `decodeObject` does. */
export const encodeObject = (type: StructType, object: unknown): string => JSON.stringify(decodeObject(type, object).object)

function wrongType(type: StructType, value: unknown, problem: string): ApiError {
  const stated = (value as { apiVersion?: unknown } | null)?.apiVersion
  const version = typeof stated === 'string' ? ` in version ${JSON.stringify(stated.slice(stated.indexOf('/') + 1))}` : ''
  return badRequest(`${type.name}${version} cannot be handled as a ${type.name}: ${problem}`)
}
