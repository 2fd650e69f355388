/** Defaults are values that the schema itself would accept, without anything that it would drop. */
import { deepEqual } from '../../../../machinery/meta.ts'
import { path, type FieldError, type Path, type Place } from '../../../../machinery/field.ts'
import { compileCheck } from '../check.ts'
import { compileReader } from '../codec.ts'
import { compileEmbeddedChecks } from '../embedded.ts'
import { errorsOf, none } from '../issue.ts'
import { isEmbedded, itemsOf, metaFields, type Schema } from '../props.ts'
import { hasRules, rulesEngine } from '../rules/engine.ts'

/** The check of all defaults of a structural schema, from its root. Those inside of metadata must result in valid metadata. */
export function defaultValues(at: Place, schema: Schema): void {
  node(at, isEmbedded(schema) ? schema : { ...schema, 'x-kubernetes-embedded-resource': true }, [], true)
}

/** `inMetadata`: the steps from the embedded resource whose metadata this is; empty outside of metadata. */
function node(at: Place, schema: Schema, inMetadata: readonly string[], root: boolean): void {
  const steps = isEmbedded(schema) ? [] : inMetadata
  if (schema.default !== undefined && schema.default !== null) {
    if (steps.length > 0) metadataValue(at.at('default'), schema, steps)
    else value(at.at('default'), schema)
  }
  const items = itemsOf(schema)
  if (items) node(at.at('items'), items, steps.length > 0 ? [...steps, '0'] : steps, false)
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const entering = (root || isEmbedded(schema)) && metaFields.has(name)
    node(at.at('properties').key(name), child, entering || steps.length > 0 ? [...steps, name] : steps, false)
  }
}

function value(at: Place, schema: Schema): void {
  const reader = compileReader(schema)
  const { value: pruned, problem } = reader(schema.default)
  if (problem !== undefined) return at.invalid(schema.default, problem)
  if (!deepEqual(pruned, schema.default)) at.invalid(schema.default, 'must not have unknown fields')
  const place = path(at.text)
  const embedded = compileEmbeddedChecks(schema, true)?.(schema.default, place) ?? []
  const errors = embedded.length > 0 ? embedded : checked(place, schema)
  const wrong = errors.length === 0 && hasRules(schema) ? rulesEngine().defaultRuleErrors(schema, place) : errors
  for (const error of wrong) at.say(error)
}

const checked = (at: Path, schema: Schema): readonly FieldError[] => errorsOf(compileCheck(schema)(schema.default, none), at)

/** A default inside of metadata: it is tried in an object that has nothing else. */
function metadataValue(at: Place, schema: Schema, steps: readonly string[]): void {
  const holder: Schema = { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }
  const object = { apiVersion: 'validation/v1', kind: 'Validation', ...(around(schema.default, steps) as object) }
  const { problem } = compileReader(holder)(object)
  const errors = problem === undefined ? (compileEmbeddedChecks(holder, true)?.(object) ?? []) : []
  if (problem !== undefined || errors.length > 0) at.invalid(schema.default, `must result in valid metadata: ${problem ?? errors.map(String).join(', ')}`)
  else for (const error of checked(path(at.text), schema)) at.say(error)
}

const around = (inner: unknown, steps: readonly string[]): unknown =>
  steps.toReversed().reduce<unknown>((object, step) => (/^\d+$/.test(step) ? [object] : { [step]: object }), inner)
