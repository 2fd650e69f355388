/** A version of a custom kind, compiled from its schema: what the registry, apply and OpenAPI need. */
import type { StructType } from '../../../api/schema.ts'
import type { ApiObject } from '../../../client/client.ts'
import { path, type FieldError, type FieldErrorType } from '../../../machinery/field.ts'
import { compileCheck } from './check.ts'
import { compileCodec } from './codec.ts'
import { compileDefaults } from './defaults.ts'
import { compileEmbeddedChecks } from './embedded.ts'
import { errorsOf, nameless, none, type Check } from './issue.ts'
import { compileListChecks } from './lists.ts'
import { publish } from './openapi.ts'
import type { Schema } from './props.ts'
import { hasRules, rulesEngine } from './rules/engine.ts'
import { customType } from './types.ts'

export interface CustomSchema {
  /** For `decodeObject` (coerces metadata, prunes, reports unknown fields), `applyDefaults` and apply. */
  readonly type: StructType<ApiObject, ApiObject>
  /** The decoded object with the schema's defaults. */
  default(object: ApiObject): ApiObject
  /** Validates an object by its schema; its metadata is left to the registry. */
  validate(object: ApiObject): readonly FieldError[]
  /** Validates an update: old errors in unchanged parts are tolerated (KEP-4008). */
  validateUpdate(next: ApiObject, current: ApiObject): readonly FieldError[]
  /** Validates an update of the status; elsewhere only lists and rules are checked. */
  validateStatusUpdate(next: ApiObject, current: ApiObject): readonly FieldError[]
}

export interface SchemaOptions {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: Schema
  /** Paths of the selectable fields. */
  readonly selectable?: readonly string[]
}

/**
 * Compiles a structural schema. The schema itself is checked by the validation of the definition. With CEL rules,
 * `await loadRules([schema])` is needed before objects are validated.
 */
export function compileSchema(options: SchemaOptions): CustomSchema {
  const { kind, schema } = options
  const fill = compileDefaults(schema) ?? ((value: unknown) => value)
  const check = compileCheck(schema)
  const embedded = compileEmbeddedChecks(schema) ?? nothing
  const lists = compileListChecks(schema) ?? nothing
  const rules = ruleCheck(schema)
  const status = statusCheck(schema)
  /** Old lists with duplicates may stay as they are. */
  const repeated = (next: ApiObject, current: ApiObject): readonly FieldError[] => {
    const found = lists(next)
    return found.length > 0 && lists(current).length > 0 ? [] : found
  }
  const type = customType(kind, schema, { ...compileCodec(schema), default: fill })
  publish(type, options)
  return {
    type: type as StructType<ApiObject, ApiObject>,
    default: (object) => fill(object) as ApiObject,
    validate: (object) => withRules([...errorsOf(check(object, none)), ...embedded(object), ...lists(object)], rules, object, none),
    // Most updates are valid by themselves: the old value is only needed for those that are not.
    validateUpdate: (next, current) => withRules([...errorsOf(check(next, none) && check(next, current)), ...embedded(next), ...repeated(next, current)], rules, next, current),
    validateStatusUpdate: (next, current) => withRules([...status(next, current), ...repeated(next, current)], rules, next, current),
  }
}

const nothing = (): readonly FieldError[] => []

/** The status by itself: Kubernetes's field paths start there. */
function statusCheck(schema: Schema): (next: ApiObject, current: ApiObject) => readonly FieldError[] {
  const part = schema.properties?.status
  if (!part) return nothing
  let check: Check | undefined
  const statusOf = (object: ApiObject): unknown => (object as ApiObject & { readonly status?: unknown }).status
  return (next, current) => {
    const value = statusOf(next)
    if (value === undefined) return []
    check ??= compileCheck(part)
    return errorsOf(check(value, none) && check(value, statusOf(current) ?? none), path('status'))
  }
}

type RuleCheck = ReturnType<ReturnType<typeof rulesEngine>['compileRuleCheck']>

/** The rules, compiled on first use; undefined when there are none. */
function ruleCheck(schema: Schema): RuleCheck | undefined {
  if (!hasRules(schema)) return undefined
  let check: RuleCheck | undefined
  return (value, old) => (check ??= rulesEngine().compileRuleCheck(schema))(value, old)
}

/** Errors after which rules cannot be evaluated. */
const blocking: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>(['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid'])
const unchecked = path(nameless).invalid(null, 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation')

function withRules(errors: readonly FieldError[], rules: RuleCheck | undefined, object: ApiObject, old: unknown): readonly FieldError[] {
  if (!rules) return errors
  return errors.some(({ type }) => blocking.has(type)) ? [...errors, unchecked] : [...errors, ...rules(object, old)]
}
