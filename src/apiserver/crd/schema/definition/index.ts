/** What is wrong with the schema of a version in a definition. */
import type { FieldError, Path } from '../../../../machinery/field.ts'
import type { Check } from '../../../registry/checks.ts'
import type { Schema } from '../props.ts'
import { hasRules, rulesEngine } from '../rules/engine.ts'
import { defaultValues } from './default-values.ts'
import { keywords } from './keywords.ts'
import { structural } from './structure.ts'

export { structural }
export { formatWarnings } from './warnings.ts'
export { printerColumn, scalePaths, selectableFields } from './paths.ts'

export interface DefinitionSchemaOptions {
  /** The version has a status subresource. */
  readonly status?: boolean
  /** The schema is the one that was accepted before. */
  readonly unchanged?: boolean
}

/** All rules for the schema of a version; `at` is its `openAPIV3Schema`. A schema with rules in CEL needs `loadRules` first. */
export function* definitionSchema(at: Path, schema: Schema, { status = false, unchanged = false }: DefinitionSchemaOptions = {}): Check {
  if (status) yield* rootWithStatus(at, schema)
  if (schema.nullable) yield at.at('nullable').forbidden('nullable cannot be true at the root')
  const unstructured = inOrder(structural(at, schema))
  yield* unstructured
  const found = unstructured.length === 0 && (yield* counted(defaultValues(at, schema)))
  const wrong = [...keywords(at, schema, { root: true })]
  yield* wrong
  // Rules over a schema that is wrong would say things that go away with it.
  if (!found && unstructured.length === 0 && wrong.length === 0 && hasRules(schema)) yield* rulesEngine().ruleErrors(at, schema, { unchanged })
}

/** Passes errors on, and says whether there were any. */
function* counted(errors: Check): Generator<FieldError, boolean, undefined> {
  let any = false
  for (const error of errors) {
    any = true
    yield error
  }
  return any
}

const inOrder = (errors: Iterable<FieldError>): FieldError[] => [...errors].toSorted((a, b) => (a.toString() < b.toString() ? -1 : 1))

/** With a status subresource the status is looked at by itself, so the root says nothing that holds for both. */
const allowedAtRoot = new Set([
  'description', 'type', 'format', 'title', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems',
  'multipleOf', 'required', 'items', 'properties', 'externalDocs', 'example', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-validations',
])
const asGo = (name: string): string => name.replace('kubernetes-', '').replaceAll(/(?:^|-)([a-z])/g, (_, c: string) => c.toUpperCase())

function* rootWithStatus(at: Path, schema: Schema): Check {
  if (schema.type && schema.type !== 'object') yield at.at('type').invalid(schema.type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled')
  const stray = Object.entries(schema).find(([name, value]) => value !== undefined && !allowedAtRoot.has(name))
  if (stray) yield at.invalid(schema, `only [${[...allowedAtRoot].map(asGo).join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`)
}
