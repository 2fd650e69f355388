import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { apiextensions } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { applyConfiguration, updateManagedFields } from '../../../machinery/apply.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { found } from '../../../machinery/field.ts'
import { decodeObject } from '../../../machinery/json.ts'
import { deepFreeze } from '../../../machinery/meta.ts'
import { compileSchema, type CustomSchema } from './compile.ts'
import { definitionSchema, selectableFields } from './definition/index.ts'
import { loadRules } from './rules/engine.ts'
import { json, schemas, values } from './testing.ts'

type Schema = apiextensions.JSONSchemaProps

beforeAll(() => loadRules([{ 'x-kubernetes-validations': [{ rule: 'true' }] }]))

const compiled = (spec: Schema): CustomSchema => compileSchema({ group: 'example.com', version: 'v1', kind: 'CronTab', schema: { type: 'object', properties: { spec } } })
const wrapped = (spec: unknown, metadata: unknown = { name: 'x' }) => ({ apiVersion: 'example.com/v1', kind: 'CronTab', metadata, spec })

/** Decodes, or tells that the object was refused with 400. */
function decoded(type: CustomSchema['type'], value: unknown): ApiObject | undefined {
  try {
    return decodeObject(type, value).object
  } catch (error) {
    if (isApiError(error) && error.code === 400) return undefined
    throw error
  }
}

describe('any value under any schema', () => {
  it('is refused with 400 or read; reading again, or filling in defaults again, changes nothing', () => {
    fc.assert(fc.property(schemas, values, (schema, value) => {
      const custom = compiled(schema)
      const object = decoded(custom.type, deepFreeze(wrapped(value)))
      if (!object) return
      deepFreeze(object)
      expect(decodeObject(custom.type, object)).toEqual({ object, unknownFields: [] })
      expect(JSON.stringify(decodeObject(custom.type, JSON.parse(JSON.stringify(object))).object)).toBe(JSON.stringify(object))
      const filled = deepFreeze(custom.default(object))
      expect(custom.default(filled)).toEqual(filled)
    }), { numRuns: 400 })
  })

  it('is validated, as new and as an update of any other, without a crash', () => {
    fc.assert(fc.property(schemas, values, values, (schema, next, current) => {
      const custom = compiled(schema)
      const [a, b] = [decoded(custom.type, wrapped(next)), decoded(custom.type, wrapped(current))]
      if (!a || !b) return
      const errors = custom.validate(a).map(String)
      const update = custom.validateUpdate(a, b).map(String)
      expect(errors.every((line) => typeof line === 'string')).toBe(true)
      // What is fine as a new object is fine as an update but for rules about the change.
      if (errors.length === 0) expect(update.filter((line) => !/failed rule|evaluating rule|cost/.test(line))).toEqual([])
      // What has not changed is tolerated, but for embedded resources and what rules say of the change.
      if (!/embedded|validations/.test(JSON.stringify(schema))) expect(custom.validateUpdate(a, a)).toEqual([])
    }), { numRuns: 400 })
  })

  it('can be tracked and applied', () => {
    fc.assert(fc.property(schemas, values, values, (schema, first, second) => {
      const { type } = compiled(schema)
      const [a, b] = [decoded(type, wrapped(first)), decoded(type, wrapped(second))]
      if (!a || !b) return
      const tracked = updateManagedFields(type, updateManagedFields(type, undefined, a, { manager: 'one', now: 0 }), b, { manager: 'two', now: 0 })
      try {
        applyConfiguration(type, tracked, wrapped(first), { manager: 'three', now: 0, force: true })
      } catch (error) {
        if (!isApiError(error) || error.code >= 500) throw error
      }
    }), { numRuns: 400 })
  })
})

it('any metadata is refused with 400 or read', () => {
  fc.assert(fc.property(fc.oneof(json, fc.dictionary(fc.constantFrom('name', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'creationTimestamp', 'generation', 'managedFields'), json)), (metadata) => {
    const { type } = compiled({ type: 'object' })
    const object = decoded(type, wrapped({}, metadata))
    if (object) expect(decodeObject(type, object).object).toBe(object)
  }), { numRuns: 300 })
})

it('any schema is checked without a crash, and any path through it', () => {
  fc.assert(fc.property(schemas, fc.string({ unit: fc.constantFrom('.', '[', ']', "'", 'a', 'b', 'spec', '\\') }), (spec, jsonPath) => {
    const schema: Schema = { type: 'object', properties: { spec } }
    for (const error of found((at) => definitionSchema(at, schema), 'schema')) expect(error.field).toMatch(/^schema/)
    for (const error of found((at) => selectableFields(at, [{ jsonPath }], schema), 'f')) expect(String(error)).toContain('f[0].jsonPath')
  }), { numRuns: 400 })
})
