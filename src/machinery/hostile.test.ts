/** Whatever comes in: a decoder gives an object or an `ApiError`, nothing else. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apiextensions, core, declared, type StructType } from '../api/index.ts'
import { decodeObject, parseJson } from './json.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from './patch.ts'
import { decodeList, decodeMessage, decodeWatchEvent, encodeMessage, unwrapUnknown } from './protobuf.ts'
import { goldens, onlyApiErrors } from './testing.ts'

const kinds: readonly StructType[] = declared.map((resource) => resource.type as StructType)
const kind = fc.constantFrom(...kinds)
/** JSON in which the names are those of real fields, so that it goes deep into the schema. */
const name = fc.constantFrom('metadata', 'spec', 'status', 'template', 'containers', 'env', 'labels', 'name', 'creationTimestamp', 'resources', 'limits', 'ports', 'port', 'httpGet', 'livenessProbe',
  'managedFields', 'fieldsV1', 'rules', 'data', 'replicas', 'selector', 'openAPIV3Schema', 'versions', 'schema', 'properties', 'items', 'additionalProperties', '__proto__', 'constructor', '0', '$patch', '$retainKeys',
  '$setElementOrder/containers', '$deleteFromPrimitiveList/finalizers', 'finalizers')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 31, 2 ** 53, '', 'x', '1Gi', '2026-01-01T00:00:00Z', 'AAE=', 'replace', 'delete'), fc.string({ maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(name, tie('value'), { maxKeys: 4 })),
}))

describe('bad input', () => {
  it('as JSON text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom(...'{}[]:,"\\e1.-n ') })), (text) => {
      onlyApiErrors(() => parseJson(text, { duplicates: true }))
    }), { numRuns: 2000 })
    fc.assert(fc.property(fc.uint8Array(), (bytes) => { onlyApiErrors(() => parseJson(bytes)) }))
  })
  it('as an object of any shape: what comes out is in normal form and never changes again', () => {
    fc.assert(fc.property(kind, value, (type, input) => {
      const before = JSON.stringify(input)
      const object = onlyApiErrors(() => decodeObject(type, input).object)
      expect(JSON.stringify(input)).toBe(before)
      if (object !== undefined) expect(JSON.stringify(decodeObject(type, JSON.parse(JSON.stringify(object))).object)).toBe(JSON.stringify(object))
    }), { numRuns: 3000 })
  })
  it('as an object of any shape: protobuf keeps what JSON keeps', () => {
    fc.assert(fc.property(kind, value, (type, input) => {
      const object = onlyApiErrors(() => decodeObject(type, input).object)
      if (object === undefined) return
      const { kind: _, apiVersion: __, ...rest } = object as Record<string, unknown>
      const again = onlyApiErrors(() => decodeMessage(type, encodeMessage(type, rest)))
      if (again !== undefined) expect(JSON.stringify(again)).toBe(JSON.stringify(rest))
    }), { numRuns: 2000 })
  })
  it('as protobuf bytes', () => {
    fc.assert(fc.property(kind, fc.uint8Array({ maxLength: 200 }), (type, bytes) => {
      onlyApiErrors(() => decodeMessage(type, bytes))
      onlyApiErrors(() => decodeList(type, bytes))
      onlyApiErrors(() => decodeWatchEvent(bytes))
      onlyApiErrors(() => unwrapUnknown(Buffer.concat([Buffer.from('k8s\0'), bytes])))
    }), { numRuns: 3000 })
  })
  it('as protobuf bytes in which some are wrong', () => {
    fc.assert(fc.property(fc.constantFrom(...goldens()), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(), (golden, changes, cut) => {
      const bytes = Buffer.from(golden.protobuf)
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      onlyApiErrors(() => decodeMessage(golden.type, unwrapUnknown(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes).message))
    }), { numRuns: 2000 })
  })
  it('as patches', () => {
    const pod = { metadata: { name: 'p', finalizers: ['a'] }, spec: { containers: [{ name: 'a' }], template: {} } }
    const pointer = fc.array(fc.oneof(name, fc.constantFrom('-', '0', '1', '-1', '')), { maxLength: 4 }).map((parts) => parts.map((part) => `/${part}`).join(''))
    const operation = fc.record({ op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'), path: pointer, from: pointer, value }, { requiredKeys: [] })
    fc.assert(fc.property(fc.oneof(value, fc.array(operation, { maxLength: 4 })), value, (patch, document) => {
      for (const doc of [pod, document]) {
        const before = JSON.stringify(doc)
        onlyApiErrors(() => applyJsonPatch(doc, patch))
        onlyApiErrors(() => applyMergePatch(doc, patch))
        onlyApiErrors(() => applyStrategicMergePatch(core.Pod, doc, patch))
        expect(JSON.stringify(doc)).toBe(before)
      }
      expect(Object.keys(Object.prototype)).toEqual([])
    }), { numRuns: 3000 })
  })
  it('as a schema that contains itself', () => {
    let schema: object = { type: 'string' }
    for (let i = 0; i < 5000; i++) schema = { properties: { x: schema } }
    const crd = { spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }] } }
    onlyApiErrors(() => decodeObject(apiextensions.CustomResourceDefinition, crd))
  })
})
