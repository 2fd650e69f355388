import { expect, it } from 'vitest'
import type { ApiObject } from '../../client/client.ts'
import { withMeta, withResourceVersion } from './meta.ts'

const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'n', uid: 'u', labels: { b: '1' } }, data: {} } as unknown as ApiObject
const text = (changed: ApiObject) => JSON.stringify(changed.metadata)

it('a field that comes stands where the schema has it, and one that goes leaves no trace', () => {
  expect(text(withResourceVersion(object, '7'))).toBe('{"name":"a","namespace":"n","uid":"u","resourceVersion":"7","labels":{"b":"1"}}')
  expect(text(withMeta(object, { namespace: undefined, uid: undefined, generation: 2 }))).toBe('{"name":"a","generation":2,"labels":{"b":"1"}}')
  expect(Object.keys(withMeta(object, { uid: undefined, selfLink: undefined, name: 'c' }).metadata)).toEqual(['name', 'namespace', 'labels'])
})

it('a field that is replaced keeps its place, and nothing else is touched', () => {
  const changed = withMeta(object, { uid: 'v', name: 'c', generation: undefined })
  expect(text(changed)).toBe('{"name":"c","namespace":"n","uid":"v","labels":{"b":"1"}}')
  expect(changed.metadata.labels).toBe(object.metadata.labels)
  expect(text(object)).toBe('{"name":"a","namespace":"n","uid":"u","labels":{"b":"1"}}')
})

it('what is that way already is the same object', () => {
  expect(withMeta(object, { name: 'a', generation: undefined, labels: object.metadata.labels })).toBe(object)
})
