import { describe, expect, it } from 'vitest'
import type { apiextensions } from '../../../../api/index.ts'
import { found } from '../../../../machinery/field.ts'
import { definitionSchema, printerColumn, scalePaths, selectableFields } from './index.ts'

type Schema = apiextensions.JSONSchemaProps

const errors = (schema: Schema, options = {}) => [...new Set(found((at) => definitionSchema(at, schema, options), 'schema').map(String))]
const withSpec = (spec: Schema) => errors({ type: 'object', properties: { spec } })
const spec = 'schema.properties[spec]'

describe('structure', () => {
  it('wants a type everywhere', () => {
    expect(errors({})).toEqual(['schema.type: Required value: must not be empty at the root'])
    expect(errors({ type: 'array', items: { type: 'string' } })).toEqual(['schema.type: Invalid value: "array": must be object at the root'])
    expect(withSpec({})).toEqual([`${spec}.type: Required value: must not be empty for specified object fields`])
    expect(withSpec({ type: 'array', items: {} })).toEqual([`${spec}.items.type: Required value: must not be empty for specified array items`])
    expect(withSpec({ type: 'array' })).toEqual([`${spec}.items: Required value: must be specified`])
    expect(withSpec({ 'x-kubernetes-preserve-unknown-fields': true })).toEqual([])
    expect(withSpec({ type: 'text' })).toEqual([`${spec}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`])
  })

  it('lets junctors only constrain what is specified outside of them', () => {
    expect(errors({ type: 'object', anyOf: [{ type: 'object', description: 'x', properties: { a: { minimum: 1 } } }] })).toEqual([
      'schema.anyOf[0].description: Forbidden: must be empty to be structural',
      'schema.anyOf[0].type: Forbidden: must be empty to be structural',
      'schema.properties[a]: Required value: because it is defined in schema.anyOf[0].properties[a]',
    ])
    expect(withSpec({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] })).toEqual([])
    expect(withSpec({ 'x-kubernetes-int-or-string': true, allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { pattern: 'x' }] })).toEqual([])
  })

  it('holds the rules of embedded resources', () => {
    expect(withSpec({ type: 'object', 'x-kubernetes-embedded-resource': true })).toEqual([
      `${spec}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`])
    expect(withSpec({ type: 'string', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true })).toEqual([`${spec}.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true`])
  })

  it('lets only the name be constrained in metadata', () => {
    const metadata = (schema: Schema) => errors({ type: 'object', properties: { metadata: schema } })
    expect(metadata({ type: 'object', properties: { name: { type: 'string', pattern: 'x' } } })).toEqual([])
    expect(metadata({ type: 'object', properties: { labels: { type: 'object' } } })).toEqual(['schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified'])
    expect(metadata({ type: 'object', default: {} })).toContain('schema.properties[metadata].default: Forbidden: must not be set in top-level metadata')
  })

  it('refuses patterns that are none', () => {
    expect(withSpec({ type: 'string', pattern: 'a(' })).toEqual([`${spec}.pattern: Invalid value: "a(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`a(\``])
  })
})

describe('keywords', () => {
  it('refuses what Kubernetes does not support', () => {
    expect(withSpec({ type: 'object', $ref: '#/x', id: 'x', uniqueItems: true, properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } }).toSorted()).toEqual([
      `${spec}.$ref: Forbidden: $ref is not supported`,
      `${spec}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
      `${spec}.id: Forbidden: id is not supported`,
      `${spec}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ])
  })

  it('wants the keys of a map list to be there', () => {
    const list = (items: Schema, keys = ['name']) => withSpec({ type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys, items })
    expect(list({ type: 'object', properties: { name: { type: 'string' } } })).toEqual([`${spec}.items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`])
    expect(list({ type: 'object', required: ['name'], properties: { name: { type: 'array', items: { type: 'string' } } } })).toEqual([`${spec}.items.properties[name].type: Invalid value: "array": must be a scalar type if parent array's x-kubernetes-list-type is map`])
    expect(list({ type: 'object', required: ['name'], nullable: true, properties: { name: { type: 'string', nullable: true } } })).toEqual([
      `${spec}.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map`,
      `${spec}.items.properties[name].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable`,
    ])
    expect(list({ type: 'object', properties: {} })).toEqual([`${spec}.x-kubernetes-list-map-keys: Invalid value: ["name"]: entries must all be names of item properties`])
    expect(list({ type: 'string' })).toEqual([`${spec}.items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map`])
    expect(list({ type: 'object' }, [])).toContain(`${spec}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`)
  })

  it('wants the elements of sets to be atomic', () => {
    expect(withSpec({ type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } })).toEqual([`${spec}.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`])
    expect(withSpec({ type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object', 'x-kubernetes-map-type': 'atomic' } })).toEqual([])
  })
})

describe('defaults', () => {
  it('must be valid', () => {
    expect(withSpec({ type: 'object', properties: { n: { type: 'integer', default: 'x' } } })).toEqual([
      `${spec}.properties[n].default: Invalid value: "string":  in body must be of type integer: "string"`])
    expect(withSpec({ type: 'object', default: { n: 0 }, properties: { n: { type: 'integer', minimum: 1 } } })).toEqual([`${spec}.default.n: Invalid value: 0: n in body should be greater than or equal to 1`])
  })

  it('must be pruned', () => {
    expect(withSpec({ type: 'object', default: { z: 1 }, properties: { n: { type: 'integer' } } })).toEqual([`${spec}.default: Invalid value: {"z":1}: must not have unknown fields`])
  })

  it('inside of metadata must make valid metadata', () => {
    const embedded = (name: string) => withSpec({
      type: 'object', 'x-kubernetes-embedded-resource': true,
      properties: { metadata: { type: 'object', properties: { name: { type: 'string', default: name } } } },
    })
    expect(embedded('good')).toEqual([])
    expect(embedded('a/b')[0]).toContain(`${spec}.properties[metadata].properties[name].default: Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": may not contain '/'`)
  })
})

it('lets nothing at the root that would not hold for the status alone', () => {
  expect(errors({ type: 'object', maxProperties: 3 }, { status: true })[0]).toMatch(/^schema: Invalid value: .*: only \[Description Type Format .* XPreserveUnknownFields XValidations\] fields are allowed at the root of the schema if the status subresource is enabled$/)
  expect(errors({ type: 'object', maxProperties: 3 })).toEqual([])
})

it('checks the paths of replicas, columns and selectable fields', () => {
  const version = { subresources: { scale: { specReplicasPath: '.status.x', statusReplicasPath: '', labelSelectorPath: '.x' } } } as never
  expect(found((root) => scalePaths(root.at('subresources'), version)).map(String)).toEqual([
    'subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
    'subresources.scale.statusReplicasPath: Required value',
    'subresources.scale.labelSelectorPath: Invalid value: ".x": should be a json path under either .spec or .status',
  ])
  expect(found((root) => printerColumn(root.at('columns').index(0), { name: 'a', type: 'text', jsonPath: 'x', format: 'y' })).map(String)).toEqual([
    'columns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
    'columns[0].format: Invalid value: "y": must be one of byte,date,date-time,double,float,int32,int64,password',
    'columns[0].JSONPath: Invalid value: "x": must be a simple json path starting with .',
  ])
  const schema: Schema = { type: 'object', properties: { metadata: { type: 'object', properties: { name: { type: 'string' } } }, spec: { type: 'object', properties: { a: { type: 'string' }, list: { type: 'array', items: { type: 'string' } } } } } }
  const paths = ['.spec.a', '.spec.a', '.spec.b', '.spec.list', ".spec['a']", '.metadata.name', 'spec']
  expect(found((root) => selectableFields(root.at('f'), paths.map((jsonPath) => ({ jsonPath })), schema)).map(String)).toEqual([
    'f[1].jsonPath: Duplicate value: ".spec.a"',
    'f[2].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid field',
    'f[3].jsonPath: Invalid value: ".spec.list": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
    "f[4].jsonPath: Invalid value: \".spec['a']\": is an invalid path: array notation is not allowed",
    'f[5].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata',
    'f[6].jsonPath: Invalid value: "spec": is an invalid path: expected [ or . but got: spec',
  ])
})
