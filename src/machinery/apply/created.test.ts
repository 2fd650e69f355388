import { array, assert, boolean, constant, constantFrom, dictionary, option, property, record, type Arbitrary } from 'fast-check'
import { expect, it } from 'vitest'
import { apps, core } from '../../api/index.ts'
import type { StructType } from '../../api/schema.ts'
import { decodeObject } from '../json.ts'
import { zeroOf } from '../zero.ts'
import { compare } from './compare.ts'
import { createdFields } from './created.ts'
import { isEmptySet, toFieldsV1, union } from './fieldset.ts'
import { ownable } from './managers.ts'

const worked = (type: StructType, object: unknown) => {
  const { added, modified } = compare(type, zeroOf(type), object)
  const set = ownable(union(modified, added))
  return isEmptySet(set) ? undefined : toFieldsV1(set)
}

const name = constantFrom('a', 'b', 'c', '1:a', '{', 'a}b')
const maybe = <T>(value: Arbitrary<T>) => option(value, { nil: undefined })
const texts = maybe(dictionary(name, constantFrom('', 'x', 'y')))
const metadata = record({ name: maybe(name), labels: texts, annotations: texts, finalizers: maybe(array(name)) })
const container = record({
  name, image: maybe(name), command: maybe(array(name, { maxLength: 2 })), env: maybe(array(record({ name, value: maybe(name) }), { maxLength: 3 })),
  ports: maybe(array(record({ containerPort: constantFrom(80, 81), protocol: maybe(constantFrom('TCP', 'UDP')) }), { maxLength: 3 })),
  resources: maybe(record({ requests: maybe(dictionary(constantFrom('cpu', 'memory'), constantFrom('1', '2'))) })),
})
const podSpec = record({ containers: array(container, { maxLength: 3 }), hostNetwork: maybe(boolean()), nodeSelector: texts, restartPolicy: maybe(constantFrom('', 'Never')) })
const drop = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

it('are the fields that differ from nothing at all, whatever was created before', () => {
  const pods = record({ metadata, spec: podSpec })
  const deployments = record({ metadata, spec: record({ replicas: maybe(constantFrom(0, 3)), selector: constant({}), template: record({ metadata, spec: podSpec }), minReadySeconds: maybe(constantFrom(0, 3)) }) })
  const maps = record({ metadata, data: texts, immutable: maybe(boolean()) })
  const check = (type: unknown, objects: Arbitrary<unknown>) => assert(property(objects, (value) => {
    const { object } = decodeObject(type as StructType, drop(value))
    for (const o of [object, drop(value)]) expect(createdFields(type as StructType, o)).toEqual(worked(type as StructType, o))
  }), { numRuns: 400 })
  check(core.pods.type, pods)
  check(apps.deployments.type, deployments)
  check(core.configmaps.type, maps)
})

it('are one object for all objects of one form', () => {
  const pod = (image: string) => decodeObject(core.pods.type as unknown as StructType, { metadata: { name: image }, spec: { containers: [{ name: 'web', image }] } }).object
  expect(createdFields(core.pods.type as unknown as StructType, pod('a'))).toBe(createdFields(core.pods.type as unknown as StructType, pod('b')))
})
