import { expect, it } from 'vitest'
import type { StructType } from '../../../api/index.ts'
import { createDefinitions } from '../../openapi/schemas.ts'
import { compileSchema } from './compile.ts'

const { type } = compileSchema({
  group: 'example.com', version: 'v1', kind: 'CronTab',
  schema: {
    type: 'object', description: 'A cron tab.',
    properties: {
      spec: {
        type: 'object', required: ['a', 'n'],
        properties: {
          a: { type: 'string', nullable: true },
          n: { type: 'integer', anyOf: [{ minimum: 1 }] },
          open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { x: { type: 'string' } } },
          pod: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
        },
      },
    },
  },
})
const resource = { group: 'example.com', version: 'v1', kind: 'CronTab', type } as never

const publishedAs = (flavour: 'v2' | 'v3') => {
  const definitions = createDefinitions(flavour)
  definitions.refTo(type as unknown as StructType, resource)
  return definitions.all() as Record<string, { properties: Record<string, { properties: Record<string, object>; required?: string[] }> }>
}

it('publishes the whole schema in v3, with references to metadata', () => {
  const definitions = publishedAs('v3')
  const { properties, ...root } = definitions['com.example.v1.CronTab'] as { properties: Record<string, { properties: Record<string, object> }> }
  expect(root).toMatchObject({ description: 'A cron tab.', type: 'object', 'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'CronTab' }] })
  expect(Object.keys(properties)).toEqual(['apiVersion', 'kind', 'metadata', 'spec'])
  expect(properties.metadata).toEqual({ allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] })
  expect(properties.spec?.properties).toMatchObject({ a: { type: 'string', nullable: true }, n: { anyOf: [{ minimum: 1 }] }, pod: { required: ['kind', 'apiVersion'], properties: { apiVersion: {}, kind: {}, metadata: {}, spec: { type: 'object' } } } })
  expect(definitions).toHaveProperty(['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'])
})

it('leaves out in v2 what v2 cannot say', () => {
  const { spec } = publishedAs('v2')['com.example.v1.CronTab']?.properties ?? {}
  expect(spec?.required).toEqual(['n'])
  expect(spec?.properties).toMatchObject({ a: {}, n: { type: 'integer' }, open: { 'x-kubernetes-preserve-unknown-fields': true } })
  expect(spec?.properties.a).toEqual({})
  expect(spec?.properties.n).toEqual({ type: 'integer' })
  expect(Object.keys(spec?.properties.open ?? {})).toEqual(['x-kubernetes-preserve-unknown-fields'])
})

it('says nothing of the fields of a kind that takes any, in v2: clients would take others for wrong', () => {
  const open = compileSchema({ group: 'example.com', version: 'v1', kind: 'Open', schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'string' } } } }).type
  const published = (flavour: 'v2' | 'v3') => {
    const definitions = createDefinitions(flavour)
    definitions.refTo(open as unknown as StructType, { group: 'example.com', version: 'v1', kind: 'Open', type: open } as never)
    return definitions.all()['com.example.v1.Open']
  }
  const named = { type: 'object', 'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Open' }] }
  expect(published('v2')).toEqual(named)
  expect(published('v3')).toMatchObject({ ...named, properties: { a: { type: 'string' }, metadata: {} } })
  expect(published('v3')).not.toHaveProperty('description')
})
