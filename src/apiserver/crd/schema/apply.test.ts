import { describe, expect, it } from 'vitest'
import type { apiextensions } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { applyConfiguration, updateManagedFields } from '../../../machinery/apply.ts'
import { decodeObject } from '../../../machinery/json.ts'
import { compileSchema } from './compile.ts'

type Schema = apiextensions.JSONSchemaProps

const typeOf = (spec: Schema) => compileSchema({ group: 'example.com', version: 'v1', kind: 'CronTab', schema: { type: 'object', properties: { spec } } }).type
const object = (spec: unknown) => ({ apiVersion: 'example.com/v1', kind: 'CronTab', metadata: { name: 'x' }, spec })
const specOf = (value: ApiObject) => (value as unknown as { spec: unknown }).spec
const fieldsOf = (value: ApiObject, manager: string) => (value.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1 as { 'f:spec'?: unknown } | undefined)?.['f:spec']

/** What comes of two managers who apply one after the other. */
function applied(spec: Schema, first: unknown, second: unknown, force = false): ApiObject {
  const type = typeOf(spec)
  const one = applyConfiguration(type, undefined, object(first), { manager: 'one', now: 0 })
  return applyConfiguration(type, one, object(second), { manager: 'two', now: 0, force })
}

const list = (more: Schema): Schema => ({ type: 'object', properties: { list: { type: 'array', items: { type: 'string' }, ...more } } })

describe('apply to a custom object', () => {
  it('joins sets, and replaces lists that say nothing', () => {
    expect(specOf(applied(list({ 'x-kubernetes-list-type': 'set' }), { list: ['a'] }, { list: ['b'] }))).toEqual({ list: ['a', 'b'] })
    expect(() => applied(list({}), { list: ['a'] }, { list: ['b'] })).toThrow('conflict with "one"')
    expect(specOf(applied(list({}), { list: ['a'] }, { list: ['b'] }, true))).toEqual({ list: ['b'] })
  })

  it('owns elements of map lists by their keys, with the defaults of those left out', () => {
    const items: Schema = { type: 'object', required: ['port'], properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, name: { type: 'string' } } }
    const spec: Schema = { type: 'object', properties: { ports: { type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port', 'protocol'] } } }
    const both = applied(spec, { ports: [{ port: 80, name: 'a' }] }, { ports: [{ port: 80, protocol: 'UDP', name: 'b' }] })
    expect(specOf(both)).toMatchObject({ ports: [{ port: 80, name: 'a' }, { port: 80, protocol: 'UDP', name: 'b' }] })
    expect(fieldsOf(both, 'two')).toEqual({ 'f:ports': { 'k:{"port":80,"protocol":"UDP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {} } } })
    expect(Object.keys((fieldsOf(both, 'one') as { 'f:ports': object })['f:ports'])).toEqual(['k:{"port":80,"protocol":"TCP"}'])
  })

  it('merges maps key by key unless they are atomic', () => {
    const map = (more: Schema): Schema => ({ type: 'object', properties: { map: { type: 'object', additionalProperties: { type: 'string' }, ...more } } })
    expect(specOf(applied(map({}), { map: { a: '1' } }, { map: { b: '2' } }))).toEqual({ map: { a: '1', b: '2' } })
    expect(() => applied(map({ 'x-kubernetes-map-type': 'atomic' }), { map: { a: '1' } }, { map: { b: '2' } })).toThrow('.spec.map')
  })

  it('sees parts without a schema as what they are: objects are merged, lists replaced', () => {
    const spec: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    const both = applied(spec, { deep: { a: 1 }, list: [1] }, { deep: { b: 2 } })
    expect(specOf(both)).toEqual({ deep: { a: 1, b: 2 }, list: [1] })
    expect(fieldsOf(both, 'two')).toEqual({ 'f:deep': { '.': {}, 'f:b': {} } })
    expect(() => applied(spec, { list: [1] }, { list: [2] })).toThrow('.spec.list')
  })

  it('merges the metadata of embedded resources as metadata', () => {
    const spec: Schema = { type: 'object', properties: { pod: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } } }
    const pod = (finalizer: string) => ({ pod: { apiVersion: 'v1', kind: 'Pod', metadata: { finalizers: [finalizer] }, spec: {} } })
    expect(specOf(applied(spec, pod('a/b'), pod('c/d')))).toMatchObject({ pod: { metadata: { finalizers: ['a/b', 'c/d'] } } })
  })

  it('sets null where null is a value', () => {
    const spec: Schema = { type: 'object', properties: { a: { type: 'string', nullable: true }, o: { type: 'object', nullable: true, properties: { x: { type: 'string' } } }, b: { type: 'string' } } }
    const both = applied(spec, { b: 'x', o: { x: 'y' } }, { a: null, o: null, b: null }, true)
    // What others put into an object is merged with nothing, and stays.
    expect(specOf(both)).toEqual({ a: null, b: 'x', o: { x: 'y' } })
    expect(fieldsOf(both, 'two')).toEqual({ 'f:a': {}, 'f:o': {} })
  })

  it('takes away what its manager no longer states', () => {
    const type = typeOf(list({ 'x-kubernetes-list-type': 'set' }))
    const first = applyConfiguration(type, undefined, object({ list: ['a', 'b'] }), { manager: 'one', now: 0 })
    expect(specOf(applyConfiguration(type, first, object({ list: ['b'] }), { manager: 'one', now: 0 }))).toEqual({ list: ['b'] })
  })

  it('keeps a map that it empties and still states', () => {
    const text: Schema = { type: 'string' }
    const spec: Schema = { type: 'object', properties: { o: { type: 'object', properties: { x: text } }, m: { type: 'object', additionalProperties: text }, gone: { type: 'object', properties: { x: text } }, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }
    const type = typeOf(spec)
    const first = applyConfiguration(type, undefined, object({ o: { x: 'y' }, m: { a: 'b' }, gone: { x: 'y' }, free: { deep: { a: 1 } } }), { manager: 'one', now: 0 })
    const second = applyConfiguration(type, first, object({ o: {}, m: {}, free: { deep: {} } }), { manager: 'one', now: 0 })
    expect(specOf(second)).toEqual({ o: {}, m: {}, free: { deep: {} } })
    expect(fieldsOf(second, 'one')).toEqual({ 'f:o': {}, 'f:m': {}, 'f:free': { 'f:deep': {} } })
    expect(specOf(applyConfiguration(type, second, object({}), { manager: 'one', now: 0 }))).toEqual({})
  })

  it('refuses fields that the schema does not have', () => {
    expect(() => applied({ type: 'object', properties: {} }, {}, { z: 1 })).toThrow('failed to create typed patch object (/x; example.com/v1, Kind=CronTab): .spec.z: field not declared in schema')
  })
})

it('updates are tracked whatever the types of their values', () => {
  const spec: Schema = { type: 'object', properties: { n: { type: 'object', properties: { x: { type: 'string' } } }, list: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' } } }
  const type = typeOf(spec)
  const wrong = decodeObject(type, object({ n: 'text', list: 5 })).object
  const tracked = updateManagedFields(type, updateManagedFields(type, undefined, wrong, { manager: 'one', now: 0 }), decodeObject(type, object({ n: { x: 'y' }, list: ['a'] })).object, { manager: 'two', now: 0 })
  expect(fieldsOf(tracked, 'two')).toEqual({ 'f:list': {}, 'f:n': {} })
})
