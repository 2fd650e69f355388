import { describe, expect, it } from 'vitest'
import type { apiextensions } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { applyConfiguration } from '../../../machinery/apply.ts'
import { applyDefaults } from '../../../machinery/defaults.ts'
import { decodeObject } from '../../../machinery/json.ts'
import { compileSchema } from './compile.ts'

type Schema = apiextensions.JSONSchemaProps

const cron = (spec: Schema) => compileSchema({ group: 'example.com', version: 'v1', kind: 'CronTab', schema: { type: 'object', properties: { spec } } })
const object = (spec: unknown, more: object = {}) => ({ apiVersion: 'example.com/v1', kind: 'CronTab', metadata: { name: 'x' }, spec, ...more })
const decode = (spec: Schema, value: unknown) => decodeObject(cron(spec).type, object(value))
const pruned = (spec: Schema, value: unknown) => (decode(spec, value).object as unknown as { spec: unknown }).spec
const errors = (spec: Schema, value: unknown) => cron(spec).validate(object(value) as unknown as ApiObject).map(String)

describe('decoding', () => {
  it('drops what the schema does not know, and says so', () => {
    const { object: decoded, unknownFields } = decode({ type: 'object', properties: { a: { type: 'string' }, list: { type: 'array', items: { type: 'object', properties: { b: { type: 'string' } } } } } }, { z: 1, list: [{ b: 'x', c: 1 }], a: 'y' })
    expect(JSON.stringify(decoded)).toBe('{"kind":"CronTab","apiVersion":"example.com/v1","metadata":{"name":"x"},"spec":{"a":"y","list":[{"b":"x"}]}}')
    expect(unknownFields).toEqual(['unknown field "spec.list[0].c"', 'unknown field "spec.z"'])
  })

  it('gives an object in normal form back as it is', () => {
    const schema = cron({ type: 'object', properties: { a: { type: 'string' } } })
    const first = decodeObject(schema.type, object({ a: 'y' })).object
    expect(decodeObject(schema.type, first).object).toBe(first)
  })

  it('reads metadata as that of any object: unknown fields go, wrong types are refused', () => {
    const { type } = cron({ type: 'object' })
    expect(decodeObject(type, object({}, { metadata: { name: 'x', foo: 1, creationTimestamp: null } })).unknownFields).toEqual(['unknown field "metadata.foo"'])
    expect(() => decodeObject(type, object({}, { metadata: { labels: 'x' } }))).toThrow('CronTab in version "v1" cannot be handled as a CronTab: json: cannot unmarshal string into Go struct field ObjectMeta.labels of type map[string]string')
    expect(() => decodeObject(type, object({}, { metadata: 1 }))).toThrow('json: cannot unmarshal number into Go value of type v1.ObjectMeta')
    expect(() => decodeObject(type, { ...object({}), kind: 1 })).toThrow('kind: Invalid value: 1: must be a string')
  })

  it('keeps what is to be preserved, with the specified parts of it pruned', () => {
    const spec: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: { type: 'object', properties: { a: { type: 'string' } } } } }
    expect(pruned(spec, { other: { deep: [{ x: 1 }] }, known: { a: 'x', b: 1 } })).toEqual({ other: { deep: [{ x: 1 }] }, known: { a: 'x' } })
  })

  it('prunes and coerces the metadata of embedded resources', () => {
    const spec: Schema = { type: 'object', properties: { template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } } }
    const template = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', foo: 1 }, spec: { containers: [] } }
    expect(pruned(spec, { template })).toEqual({ template: { ...template, metadata: { name: 'x' } } })
    expect(decode(spec, { template }).unknownFields).toEqual(['unknown field "spec.template.metadata.foo"'])
    expect(() => decode(spec, { template: { ...template, metadata: { name: 1 } } })).toThrow('spec.template.metadata: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string')
  })

  it('drops null where a field is neither nullable nor defaulted', () => {
    const spec: Schema = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string', nullable: true }, c: { type: 'string', default: 'x' } } }
    expect(pruned(spec, { a: null, b: null, c: null })).toEqual({ b: null, c: null })
  })
})

describe('defaulting', () => {
  const filled = (spec: Schema, value: unknown) => {
    const { type } = cron(spec)
    return (applyDefaults(type, decodeObject(type, object(value)).object) as unknown as { spec: unknown }).spec
  }
  const nested: Schema = { type: 'object', properties: { a: { type: 'object', properties: { b: { type: 'integer', default: 1 } } }, z: { type: 'object', default: {}, properties: { y: { type: 'string', default: 'x' } } } } }

  it('fills in fields of objects that are there, and those of defaults', () => {
    expect(filled(nested, {})).toEqual({ z: { y: 'x' } })
    expect(filled(nested, { a: {} })).toEqual({ a: { b: 1 }, z: { y: 'x' } })
    expect(filled(nested, { a: { b: 2 }, z: { y: 'q' } })).toEqual({ a: { b: 2 }, z: { y: 'q' } })
  })

  it('takes the default instead of a null that may not be, and keeps one that may', () => {
    const spec: Schema = { type: 'object', properties: { a: { type: 'string', default: 'x' }, b: { type: 'string', nullable: true, default: 'x' }, list: { type: 'array', items: { type: 'string', default: 'q' } }, map: { type: 'object', additionalProperties: { type: 'string', default: 'm' } } } }
    expect(filled(spec, { a: null, b: null, list: ['a', null], map: { k: null } })).toEqual({ a: 'x', b: null, list: ['a', 'q'], map: { k: 'm' } })
  })
})

describe('validation', () => {
  it('says what is of the wrong type', () => {
    expect(errors({ type: 'object', properties: { replicas: { type: 'integer' } } }, { replicas: 'two' })).toEqual(['spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"'])
    expect(errors({ type: 'object', properties: { list: { type: 'array', items: { type: 'string' } } } }, { list: ['a', null, 1.5] })).toEqual([
      'spec.list[1]: Invalid value: "null": spec.list[1] in body must be of type string: "null"', 'spec.list[2]: Invalid value: "number": spec.list[2] in body must be of type string: "number"'])
  })

  it('says what is missing and what is not among the values', () => {
    expect(errors({ type: 'object', required: ['x'], properties: { e: { type: 'string', enum: ['a', 'b'] } } }, { e: 'c' })).toEqual(['spec.e: Unsupported value: "c": supported values: "a", "b"', 'spec.x: Required value'])
  })
})

describe('metadata', () => {
  const named: Schema = { type: 'object', properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } } } }
  it('may be constrained in the name', () => {
    const { validate } = compileSchema({ group: 'example.com', version: 'v1', kind: 'CronTab', schema: named })
    expect(validate(object({}, { metadata: { name: 'long' } }) as never).map(String)).toEqual(['metadata.name: Too long: may not be more than 3 bytes'])
    expect(validate(object({}, { metadata: { name: 'abc' } }) as never)).toEqual([])
  })
})

it('keeps texts where additional properties are allowed without a schema, and empties objects', () => {
  expect(pruned({ type: 'object', additionalProperties: true }, { a: 'x', b: { c: 1 } })).toEqual({ a: 'x', b: {} })
})

it('keeps integers of 64 bits, holds them against its bounds, and takes none that only a double holds', () => {
  const [n, same] = [9007199254740993n, 9007199254740994n]
  const spec = { type: 'object', properties: { n: { type: 'integer', maximum: 9007199254740994, multipleOf: 3 } } }
  expect(decode(spec, { n }).object).toMatchObject({ spec: { n } })
  expect(errors(spec, { n })).toEqual([])
  expect(errors(spec, { n: same })).toEqual(['spec.n: Invalid value: 9007199254740994: spec.n in body should be a multiple of 3'])
  expect(errors(spec, { n: 9007199254740996n })).toEqual(['spec.n: Invalid value: 9007199254740996: spec.n in body should be less than or equal to 9007199254740994'])
  expect(errors({ type: 'object', properties: { n: { type: 'integer' } } }, { n: 1e17 })).toEqual(['spec.n: Invalid value: "number": spec.n in body must be of type integer: "number"'])
})

it('is applied by the types of its lists', () => {
  const { type } = cron({
    type: 'object',
    properties: { ports: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer' } } } } },
  })
  const first = applyConfiguration(type, undefined, object({ ports: [{ name: 'a', port: 1 }] }), { manager: 'one', now: 0 })
  const second = applyConfiguration(type, first, object({ ports: [{ name: 'b', port: 2 }] }), { manager: 'two', now: 0 })
  expect((second as unknown as { spec: unknown }).spec).toEqual({ ports: [{ name: 'a', port: 1 }, { name: 'b', port: 2 }] })
})
