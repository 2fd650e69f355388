import { describe, expect, it } from 'vitest'
import { apiextensions, authorization, coordination, core, meta, rbac } from '../api/index.ts'
import { decodeObject } from './json.ts'
import { decodeList, decodeMessage, decodeWatchEvent, encodeList, encodeMessage, encodeWatchEvent, unwrapUnknown, wrapUnknown } from './protobuf.ts'
import { goldens } from './testing.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('golden objects', () => {
  it.each(goldens())('$name is written with the bytes of Kubernetes', ({ type, json, protobuf }) => {
    const { apiVersion, kind } = unwrapUnknown(protobuf)
    const { object } = decodeObject(type, JSON.parse(json))
    expect(hex(wrapUnknown(apiVersion, kind, encodeMessage(type, object)))).toBe(hex(protobuf))
  })
  it.each(goldens())('$name is read to what its JSON says', ({ type, json, protobuf }) => {
    const { apiVersion, kind, message } = unwrapUnknown(protobuf)
    const { object } = decodeObject(type, JSON.parse(json))
    const envelope = type.root && kind ? { kind, apiVersion } : {}
    expect(JSON.stringify({ ...envelope, ...(decodeMessage(type, message) as object) })).toBe(JSON.stringify(object))
  })
})

describe('encodeMessage', () => {
  it('writes scalars and structs that are no pointers, and leaves out empty lists and maps', () => {
    expect(hex(encodeMessage(meta.LabelSelectorRequirement, { key: '', operator: 'In' }))).toBe('0a001202496e')
    expect(hex(encodeMessage(meta.LabelSelector, {}))).toBe('')
  })
  it('writes a time that was never set as an empty message', () => {
    expect(hex(encodeMessage(meta.ObjectMeta, {}))).toContain('4200')
  })
  it('sorts map entries by key', () => {
    const text = Buffer.from(encodeMessage(core.ConfigMap, { metadata: {}, data: { b: '2', a: '1' } })).toString('latin1')
    expect(text.indexOf('a')).toBeLessThan(text.indexOf('b'))
  })
  it('refuses a type without protobuf form with 406', () => {
    expect(() => encodeMessage(meta.Table, {})).toThrow(expect.objectContaining({ code: 406 }))
  })
  it('grows as far as an object needs, and is right after that', () => {
    const data = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key-${String(i).padStart(4, '0')}`, 'ü€😀'.repeat(1000)]))
    const { object } = decodeObject(core.ConfigMap, { metadata: { name: 'big' }, data })
    expect(decodeMessage(core.ConfigMap, encodeMessage(core.ConfigMap, object))).toEqual(object)
  })
  it.each([0, 1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 35, 2 ** 53 - 1, -1, -(2 ** 31), -(2 ** 53) + 1])('keeps the integer %d', (generation) => {
    const bytes = encodeMessage(meta.ObjectMeta, { generation })
    expect(decodeMessage(meta.ObjectMeta, bytes).generation ?? 0).toBe(generation)
  })
})

describe('decodeMessage', () => {
  it('keeps integers of 64 bits', () => {
    const bytes = Buffer.from('38ffffffffffffffff7f', 'hex')
    const value = decodeMessage(meta.ObjectMeta, bytes)
    expect(JSON.stringify(value)).toBe('{"generation":9223372036854775807}')
    expect(Buffer.from(encodeMessage(meta.ObjectMeta, value)).toString('hex')).toContain(bytes.toString('hex'))
  })
  it('passes over fields it does not know', () => {
    const known = encodeMessage(meta.LabelSelectorRequirement, { key: 'a', operator: 'Exists' })
    const unknown = Buffer.from('f80101f9010102030405060708fa0103616263fd0101020304', 'hex')
    expect(decodeMessage(meta.LabelSelectorRequirement, Buffer.concat([unknown, known, unknown]))).toEqual({ key: 'a', operator: 'Exists' })
  })
  it('keeps microseconds', () => {
    const { object } = decodeObject(coordination.Lease, { metadata: {}, spec: { renewTime: '2026-01-01T01:00:00.000001+01:00' } })
    expect(object.spec?.renewTime).toBe('2026-01-01T00:00:00.000001Z')
    expect(decodeMessage(coordination.Lease, encodeMessage(coordination.Lease, object)).spec?.renewTime).toBe('2026-01-01T00:00:00.000001Z')
  })
  it('sorts maps whose entries come in another order, and reads packed numbers', () => {
    const entry = (k: string) => `12070a01${hex(Buffer.from(k))}12023031`
    expect(Object.keys(decodeMessage(core.ConfigMap, Buffer.from(entry('b') + entry('a'), 'hex')).data ?? {})).toEqual(['a', 'b'])
    expect(decodeMessage(core.PodSecurityContext, Buffer.from('2203010203', 'hex')).supplementalGroups).toEqual([1, 2, 3])
  })
  it('reads a list of wrapped text', () => {
    const object = { spec: { extra: { k: ['a', 'b'] } }, metadata: {}, status: { allowed: false } }
    expect(decodeMessage(authorization.SubjectAccessReview, encodeMessage(authorization.SubjectAccessReview, object)).spec.extra).toEqual({ k: ['a', 'b'] })
  })
  it.each([
    ['additionalProperties', true], ['additionalProperties', false], ['additionalProperties', { type: 'string' }],
    ['items', { type: 'string' }], ['items', [{ type: 'string' }, { type: 'object' }]],
    ['dependencies', { a: ['x', 'y'] }], ['dependencies', { a: { type: 'string' } }], ['enum', [null, 1, 'x']], ['default', { a: [1, null] }],
  ])('keeps the schema union %s = %j', (field, value) => {
    const bytes = encodeMessage(apiextensions.JSONSchemaProps, { [field]: value })
    expect(decodeMessage(apiextensions.JSONSchemaProps, bytes)).toEqual({ [field]: value })
  })
  it('refuses messages nested without end', () => {
    let bytes: Uint8Array = new Uint8Array()
    const size = (n: number) => (n < 128 ? [n] : n < 16384 ? [(n & 0x7f) | 0x80, n >> 7] : [(n & 0x7f) | 0x80, ((n >> 7) & 0x7f) | 0x80, n >> 14])
    for (let i = 0; i < 3000; i++) bytes = Buffer.concat([Buffer.from([0xe2, 0x01, ...size(bytes.length)]), bytes])
    expect(() => decodeMessage(apiextensions.JSONSchemaProps, bytes)).toThrow(/nested more than 512/)
  })
})

describe('lists, envelopes and watch events', () => {
  const roles = ['a', 'b'].map((name) => decodeObject(rbac.Role, { metadata: { name }, rules: [{ verbs: ['get'] }] }).object)
  it('keep their items', () => {
    const bytes = encodeList(rbac.Role, { resourceVersion: '7', remainingItemCount: 2 }, roles)
    expect(decodeList(rbac.Role, bytes)).toEqual({ metadata: { resourceVersion: '7', remainingItemCount: 2 }, items: roles })
  })
  it('keep kind, version and message', () => {
    const message = encodeMessage(rbac.Role, roles[0])
    const opened = unwrapUnknown(wrapUnknown('rbac.authorization.k8s.io/v1', 'Role', message))
    expect({ ...opened, message: hex(opened.message) }).toEqual({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', message: hex(message) })
    const event = decodeWatchEvent(encodeWatchEvent('ADDED', message))
    expect([event.type, hex(event.object)]).toEqual(['ADDED', hex(message)])
  })
  it('are refused without the prefix', () => {
    expect(() => unwrapUnknown(Buffer.from('{}'))).toThrow(expect.objectContaining({ code: 400 }))
  })
})
