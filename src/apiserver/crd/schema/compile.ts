/** A version of a custom kind, made of its schema: what the registry, apply and OpenAPI need to know of it. */
import type { StructType } from '../../../api/schema.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { FieldError } from '../../../machinery/field.ts'
import { compileCheck } from './check.ts'
import { compileCodec } from './codec.ts'
import { compileDefaults } from './defaults.ts'
import { compileEmbeddedChecks } from './embedded.ts'
import { errorsOf, none } from './issue.ts'
import { compileListChecks } from './lists.ts'
import { publish } from './openapi.ts'
import type { Schema } from './props.ts'
import { customType } from './types.ts'

export interface CustomSchema {
  /** For `decodeObject` (coerces metadata, prunes, reports unknown fields), `applyDefaults` and apply. */
  readonly type: StructType<ApiObject, ApiObject>
  /** The decoded object with the defaults of the schema. */
  default(object: ApiObject): ApiObject
  /** What is wrong with an object by its schema; its metadata is for the registry. */
  validate(object: ApiObject): readonly FieldError[]
  /** The same for an update: what was wrong before and has not changed is tolerated (KEP-4008). */
  validateUpdate(next: ApiObject, current: ApiObject): readonly FieldError[]
}

export interface SchemaOptions {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: Schema
}

/** Compiles a structural schema. It is not checked here: that is for the definition's validation. */
export function compileSchema(options: SchemaOptions): CustomSchema {
  const { kind, schema } = options
  const fill = compileDefaults(schema) ?? ((value: unknown) => value)
  const check = compileCheck(schema)
  const embedded = compileEmbeddedChecks(schema) ?? nothing
  const lists = compileListChecks(schema) ?? nothing
  const type = customType(kind, schema, { ...compileCodec(schema), default: fill })
  publish(type, options)
  return {
    type: type as StructType<ApiObject, ApiObject>,
    default: (object) => fill(object) as ApiObject,
    validate: (object) => [...errorsOf(check(object, none)), ...embedded(object), ...lists(object)],
    validateUpdate: (next, current) => [
      ...errorsOf(check(next, current)),
      ...embedded(next),
      ...(lists(current).length === 0 ? lists(next) : []),
    ],
  }
}

const nothing = (): readonly FieldError[] => []
