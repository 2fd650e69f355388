/** Configuration files (audit policies, encryption configurations): YAML or JSON of one kind, read strictly by a schema. */
import { LineCounter, parseDocument, isMap, isScalar, type Document, type Node } from 'yaml'
import type { StructType } from '../api/schema.ts'
import { ApiError } from './errors.ts'
import type { FieldError } from './field.ts'
import { diagnose } from './json/diagnose.ts'
import { decodeObject } from './json.ts'
import { parseYaml } from './yaml.ts'

export interface Configuration<T> {
  readonly value: T
  /** Where a field stands: `line 7: rules[0].verbs`; its path alone when the file does not have it. */
  place(field: string): string
  /** Throws an `Error` that names the first fields that are wrong, each with its line. */
  refuse(errors: readonly FieldError[]): void
}

/** How many problems one error names. */
const most = 5

/**
 * Reads the text of a file, of one of the expected versions (errors name the first). Throws an `Error` of one line that says where it is wrong: no YAML, another kind or version, a field
 * that nobody knows, one that is there twice, a value of the wrong type.
 */
export function parseConfiguration<T>(text: string, type: StructType<T>, expected: { readonly apiVersion: string | readonly string[]; readonly kind: string }): Configuration<T> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.1', merge: true, logLevel: 'silent' })
  const problem = document.errors[0]
  if (problem) throw new Error(`line ${problem.linePos?.[0].line ?? 1}: ${problem.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')}`)
  const value = parseYaml(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`it must be an object of kind ${expected.kind}`)
  const stated = value as { readonly apiVersion?: unknown; readonly kind?: unknown }
  const place = (field: string): string => {
    const line = lineOf(document, lines, field)
    return line === undefined ? field : `line ${line}: ${field}`
  }
  const [first, ...older] = typeof expected.apiVersion === 'string' ? [expected.apiVersion] : expected.apiVersion
  if (![first, ...older].includes(stated.apiVersion as string) || stated.kind !== expected.kind) {
    const says = `apiVersion: ${String(stated.apiVersion ?? '(nothing)')}, kind: ${String(stated.kind ?? '(nothing)')}`
    throw new Error(`it must say apiVersion: ${first}, kind: ${expected.kind}, and says ${says}`)
  }
  const object = decode(type, value, place)
  return {
    value: object,
    place,
    refuse(errors) {
      if (errors.length > 0) throw new Error(errors.slice(0, most).map((e) => `${place(e.field)}: ${e.body()}`).join('; '))
    },
  }
}

function decode<T>(type: StructType<T>, value: unknown, place: (field: string) => string): T {
  try {
    const { object, unknownFields } = decodeObject(type, value)
    // Unknown fields come as `unknown field "a.b"`.
    if (unknownFields.length > 0) throw new Error(unknownFields.slice(0, most).map((text) => `${place(/"(.*)"/.exec(text)?.[1] ?? '')}: unknown field`).join('; '))
    return object
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { typeError = error.message, typeErrorAt = '' } = diagnose(type, value)
    throw new Error(typeErrorAt ? `${place(typeErrorAt)}: ${typeError}` : typeError, { cause: error })
  }
}

/** The line of a field's key (or of a list's item), counted from 1. */
function lineOf(document: Document, lines: LineCounter, field: string): number | undefined {
  const steps = field.split(/[.[]/).filter((step) => step !== '').map((step) => (step.endsWith(']') ? Number(step.slice(0, -1)) : step))
  const last = steps.at(-1)
  if (last === undefined) return undefined
  const parent = (steps.length === 1 ? document.contents : document.getIn(steps.slice(0, -1), true)) as Node | undefined
  const offset = isMap(parent)
    ? (parent.items.find(({ key }) => (isScalar(key) ? key.value : key) === last)?.key as Node | undefined)?.range?.[0]
    : (document.getIn(steps, true) as Node | undefined)?.range?.[0]
  return offset === undefined ? undefined : lines.linePos(offset).line
}
