/** What is wrong with the schema of a version in a definition. */
import { found, type FieldError, type Place } from '../../../../machinery/field.ts'
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
export function definitionSchema(at: Place, schema: Schema, { status = false, unchanged = false }: DefinitionSchemaOptions = {}): void {
  if (status) rootWithStatus(at, schema)
  if (schema.nullable) at.at('nullable').forbidden('nullable cannot be true at the root')
  const unstructured = inOrder(found((here) => structural(here, schema), at.text))
  const defaults = unstructured.length === 0 ? found((here) => defaultValues(here, schema), at.text) : []
  const wrong = [...unstructured, ...defaults, ...found((here) => keywords(here, schema, { root: true }), at.text)]
  for (const error of wrong) at.say(error)
  // Rules over a schema that is wrong would say things that go away with it.
  if (wrong.length === 0 && hasRules(schema)) rulesEngine().ruleErrors(at, schema, { unchanged })
}

const inOrder = (errors: readonly FieldError[]): FieldError[] => errors.toSorted((a, b) => (a.toString() < b.toString() ? -1 : 1))

/** With a status subresource the status is looked at by itself, so the root says nothing that holds for both. */
const allowedAtRoot = new Set([
  'description', 'type', 'format', 'title', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems',
  'multipleOf', 'required', 'items', 'properties', 'externalDocs', 'example', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-validations',
])
const asGo = (name: string): string => name.replace('kubernetes-', '').replaceAll(/(?:^|-)([a-z])/g, (_, c: string) => c.toUpperCase())

function rootWithStatus(at: Place, schema: Schema): void {
  if (schema.type && schema.type !== 'object') at.at('type').invalid(schema.type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled')
  const stray = Object.entries(schema).find(([name, value]) => value !== undefined && !allowedAtRoot.has(name))
  if (stray) at.invalid(schema, `only [${[...allowedAtRoot].map(asGo).join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`)
}
