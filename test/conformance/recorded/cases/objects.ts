/** Custom objects: what is dropped, filled in, and refused. */
import type { Suite } from '../suite.ts'
import { definition, specOf } from './definition.ts'

const group = 'objects.example.com'
const at = `/apis/${group}/v1/namespaces/default`

const fields = {
  s: { type: 'string' }, i: { type: 'integer' }, n: { type: 'number' }, b: { type: 'boolean' }, o: { type: 'object', properties: { a: { type: 'string' } } }, l: { type: 'array', items: { type: 'string' } },
  m: { type: 'object', additionalProperties: { type: 'integer' } }, ios: { 'x-kubernetes-int-or-string': true }, iosRange: { 'x-kubernetes-int-or-string': true, maximum: 10, pattern: '^[0-9]+%$' },
  any: { 'x-kubernetes-preserve-unknown-fields': true }, open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: { type: 'object', properties: { a: { type: 'string' } } } } },
  nullableS: { type: 'string', nullable: true }, nullableO: { type: 'object', nullable: true, properties: { a: { type: 'string', default: 'x' } } }, nullDefault: { type: 'string', nullable: true, default: 'd' },
  enumS: { type: 'string', enum: ['a', 'b'] }, enumI: { type: 'integer', enum: [1, 2] }, enumNullable: { type: 'string', nullable: true, enum: ['a', null] },
  short: { type: 'string', minLength: 2, maxLength: 4 }, pattern: { type: 'string', pattern: '^[a-z]+$' },
  min: { type: 'integer', minimum: 2, maximum: 8 }, exclusive: { type: 'number', minimum: 0, maximum: 1, exclusiveMinimum: true, exclusiveMaximum: true }, three: { type: 'integer', multipleOf: 3 }, tenth: { type: 'number', multipleOf: 0.1 },
  few: { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 2 }, small: { type: 'object', additionalProperties: { type: 'string' }, minProperties: 1, maxProperties: 2 },
  i32: { type: 'integer', format: 'int32' }, i64: { type: 'integer', format: 'int64' }, float: { type: 'number', format: 'float' }, double: { type: 'number', format: 'double' },
  set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } }, setAtomic: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'integer' } } } },
  map: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k', 'p'], items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, p: { type: 'string', default: 'TCP' }, v: { type: 'integer' } } } },
  req: { type: 'object', required: ['a', 'b'], properties: { a: { type: 'string' }, b: { type: 'string', default: 'x' } } },
  res: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
  res2: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } } },
  closed: { type: 'object', additionalProperties: false }, loose: { type: 'object', additionalProperties: true },
  deep: { type: 'array', items: { type: 'array', items: { type: 'object', properties: { a: { type: 'integer', default: 5 } } } } },
  d: { type: 'object', default: {}, properties: { x: { type: 'string', default: 'dx' }, y: { type: 'object', properties: { z: { type: 'integer', default: 7 } } } } },
  mapDefaults: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string', default: 'in' } } } },
}
const junctors = {
  one: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
  any: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } }, anyOf: [{ required: ['a'], properties: { a: { minimum: 5 } } }, { required: ['b'] }] },
  all: { type: 'string', allOf: [{ minLength: 2 }, { pattern: '^a' }] },
  not: { type: 'string', not: { enum: ['x', 'y'] } },
  oneNumber: { type: 'integer', oneOf: [{ minimum: 5 }, { maximum: 10 }] },
  nested: { type: 'object', properties: { a: { type: 'integer' } }, allOf: [{ anyOf: [{ required: ['a'] }, { maxProperties: 0 }] }, { not: { properties: { a: { enum: [3] } }, required: ['a'] } }] },
}
const formats = ['bsonobjectid', 'uri', 'email', 'hostname', 'ipv4', 'ipv6', 'cidr', 'mac', 'uuid', 'uuid3', 'uuid4', 'uuid5', 'isbn', 'isbn10', 'isbn13', 'creditcard', 'ssn', 'hexcolor', 'rgbcolor', 'byte', 'password', 'date', 'duration', 'datetime', 'date-time', 'k8s-short-name', 'k8s-long-name', 'unknown']
const values = [
  '', 'abc', 'a-b.c', 'A', '-a', '507f1f77bcf86cd799439011', 'http://a.b/c', 'a@b.c', 'Jo <a@b.c>', 'a.b.c', '1.2.3.4', '1.2.3', '01.2.3.4', '::1', '::ffff:1.2.3.4', 'fe80::1%eth0', '10.0.0.0/8', '10.0.0.1/8', '::/0', '01:23:45:67:89:ab', '0123.4567.89ab',
  '01-23-45-67-89-AB', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '6BA7B8109DAD41D180B400C04FD430C8', '6fa459ea-ee8a-3ca4-894e-db77e160355e', '16fd2706-8baf-433b-82eb-8c7fada847da', '886313e1-3b8a-5372-9b90-0c9aee199e5d',
  '0321751043', '978-0321751041', '9780321751041', '4111 1111 1111 1111', '378282246310005', '111-11-1111', '111111111', '#fff', 'FFFFFF', 'ff', 'rgb(0,0,0)', 'rgb(255, 255, 256)', 'rgb(10%,2%,3%)', 'YQ==', 'YQ', 'Y_-=', '2020-01-01', '2020-13-01', '2020-02-30',
  '1h', '1h30m', '1.5h', '-1s', '3 days', '1d', 'P1D', '5', '2020-01-01T00:00:00Z', '2020-01-01T00:00:00', '2020-01-01t00:00:00z', '2020-01-01T00:00:00.123456789+01:00', '2020-01-01 00:00:00', '2020-01-01T25:00:00Z', 'a'.repeat(64), 'a_b', '1a', 'a.-b', '//a', '/a', 'mailto:a@b.c', 'a b', 'é.com', 'http://[::1]:80/', '%zz',
]

let number = 0
const dry = (plural: string, kind: string, spec: unknown, more: object = {}) => ['POST', `${at}/${plural}?dryRun=All`, { apiVersion: `${group}/v1`, kind, metadata: { name: 'x' }, spec, ...more }] as const
const thing = (spec: unknown, more: object = {}) => [dry('things', 'Thing', spec, more)]
const gate = (spec: unknown) => [dry('gates', 'Gate', spec)]
const raw = (text: string) => [['POST', `${at}/things?dryRun=All`, text] as const]
const body = (spec: string) => `{"apiVersion":"${group}/v1","kind":"Thing","metadata":{"name":"x"},"spec":${spec}}`
/** Made, then changed twice: to what is wrong in another place, and to what is wrong in the same one. */
const made = (first: object, ...changes: readonly object[]) => {
  const name = `r${number++}`
  return [['POST', `${at}/things`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name }, spec: first }] as const, ...changes.map((spec) => ['PATCH', `${at}/things/${name}`, { spec }] as const)]
}

const wrongTypes = Object.fromEntries(Object.keys(fields).map((name) => [`values of each type as ${name}`, [true, 5, 5.5, 'text', [], {}, null].map((value) => dry('things', 'Thing', { [name]: value }))]))

const cases: Suite['cases'] = {
  ...wrongTypes,
  ...Object.fromEntries(formats.map((format) => [`texts as ${format}`, values.map((value) => dry('formats', 'Format', { [format.replaceAll('-', '')]: value }))])),
  'unknown fields go': thing({ s: 'x', zzz: 1, o: { a: 'x', b: 1 }, open: { more: { deep: 1 }, known: { a: 'x', b: 2 } }, any: { x: [1, { y: null }] }, closed: { q: 1 }, loose: { q: { r: 1 } } }, { extra: 1 }),
  'metadata that is unknown goes': [['POST', `${at}/things?dryRun=All`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'x', foo: 'bar', labels: { a: 'b' } } }]],
  'nulls': thing({ s: null, i: null, o: null, l: null, m: { a: null }, nullableS: null, nullableO: null, nullDefault: null, d: null, few: [null], any: null, open: { x: null } }),
  'defaults': thing({}),
  'defaults below': thing({ d: { y: {} }, map: [{ k: 'a' }], deep: [[{}, { a: 1 }], []], mapDefaults: { q: {} }, nullableO: {} }),
  'no spec at all': [['POST', `${at}/things?dryRun=All`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'x' } }]],
  'enum': [dry('things', 'Thing', { enumS: 'c' }), dry('things', 'Thing', { enumI: 3 }), dry('things', 'Thing', { enumNullable: null }), dry('things', 'Thing', { enumNullable: 'b' })],
  'lengths': [dry('things', 'Thing', { short: 'a' }), dry('things', 'Thing', { short: 'abcde' }), dry('things', 'Thing', { short: '😀😀' }), dry('things', 'Thing', { short: '😀' })],
  'pattern': thing({ pattern: 'ABC' }),
  'bounds': [dry('things', 'Thing', { min: 1 }), dry('things', 'Thing', { min: 9 }), dry('things', 'Thing', { exclusive: 0 }), dry('things', 'Thing', { exclusive: 1 }), dry('things', 'Thing', { exclusive: 0.5 })],
  'multiples': [dry('things', 'Thing', { three: 4 }), dry('things', 'Thing', { tenth: 0.3 }), dry('things', 'Thing', { tenth: 0.35 })],
  'sizes': [dry('things', 'Thing', { few: [] }), dry('things', 'Thing', { few: [1, 2, 3] }), dry('things', 'Thing', { small: {} }), dry('things', 'Thing', { small: { a: '1', b: '2', c: '3' } })],
  'ranges of formats': [dry('things', 'Thing', { i32: 2147483648 }), dry('things', 'Thing', { i32: -2147483649 }), dry('things', 'Thing', { float: 1e39 }), dry('things', 'Thing', { double: 1e300 })],
  'big numbers': [...raw(body('{"i":9007199254740993}')), ...raw(body('{"i":9223372036854775808}')), ...raw(body('{"n":1e400}')), ...raw(body('{"i":1e3}')), ...raw(body('{"i":1.0}')), ...raw(body('{"n":1.0}')), ...raw(body('{"any":1.0}'))],
  'int-or-string': [dry('things', 'Thing', { ios: 5 }), dry('things', 'Thing', { ios: '50%' }), dry('things', 'Thing', { ios: 5.5 }), dry('things', 'Thing', { iosRange: 11 }), dry('things', 'Thing', { iosRange: 'x' })],
  'sets with duplicates': [dry('things', 'Thing', { set: ['a', 'b', 'a', 'a'] }), dry('things', 'Thing', { setAtomic: [{ a: 1 }, { a: 1 }] })],
  'maps with duplicates': [dry('things', 'Thing', { map: [{ k: 'a' }, { k: 'a', p: 'TCP' }] }), dry('things', 'Thing', { map: [{ k: 'a' }, { k: 'a', p: 'UDP' }] }), dry('things', 'Thing', { map: [{ p: 'x' }] })],
  'required': [dry('things', 'Thing', { req: {} }), dry('things', 'Thing', { req: { a: null } }), dry('things', 'Thing', { req: { a: 'x' } })],
  'many faults at once': thing({ s: 1, i: 'x', few: [1, 'a', 3], req: {}, short: 'a', min: 0, enumS: 'z' }),
  'embedded resources': [dry('things', 'Thing', { res: {} }), dry('things', 'Thing', { res: { apiVersion: 'v1', kind: 'Pod' } }), dry('things', 'Thing', { res: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'A_', namespace: 'B_', labels: { 'a b': 'c' }, foo: 1 }, spec: { x: 1 } } }),
    dry('things', 'Thing', { res: { apiVersion: 5, kind: [] } }), dry('things', 'Thing', { res: { apiVersion: 'a/b/c', kind: '-', metadata: 'x' } }), dry('things', 'Thing', { res2: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 1 } }, spec: { a: 'x', b: 1 }, status: {} } }),
    dry('things', 'Thing', { res2: { apiVersion: 'v1', kind: 'Pod', metadata: { creationTimestamp: 'x' } } }), dry('things', 'Thing', { res2: { apiVersion: 'v1', kind: 'Pod', metadata: { creationTimestamp: null, name: null } } })],
  'oneOf': [{}, { a: 'x' }, { a: 'x', b: 'y' }].map((one) => dry('gates', 'Gate', { one })),
  'anyOf': [{}, { a: 1 }, { a: 9 }, { b: 'x' }].map((any) => dry('gates', 'Gate', { any })),
  'allOf': ['a', 'bb', 'ab', 'b'].map((all) => dry('gates', 'Gate', { all })),
  'not': gate({ not: 'x' }),
  'oneOf of numbers': [3, 7, 12].map((oneNumber) => dry('gates', 'Gate', { oneNumber })),
  'nested junctors': [{}, { a: 1 }, { a: 3 }].map((nested) => dry('gates', 'Gate', { nested })),
  'a change of what is right to what is wrong': made({ short: 'abc', min: 5 }, { short: 'a' }, { min: 100 }, { s: 'x' }),
  'names': ['A', 'a_b', 'a/b', '..', 'a'.repeat(254), 'a.b', '-a', ''].map((name) => ['POST', `${at}/things?dryRun=All`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name } }] as const),
  'metadata that is wrong': [{ labels: { 'a b': 'c' } }, { labels: { a: 'b c' } }, { annotations: { 'a b': 'x' } }, { finalizers: ['x'] }, { finalizers: ['a b/c'] }, { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: '' }] }, { namespace: 'other' }, { labels: 5 }, { labels: { a: 5 } }, { name: 5 }, { generation: 'x' }, { creationTimestamp: 'yesterday' }, { deletionGracePeriodSeconds: 5 }, { generateName: 'A' }, { uid: 'mine', resourceVersion: '7' }, { managedFields: [{}] }]
    .map((metadata) => ['POST', `${at}/things?dryRun=All`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'x', ...metadata } }] as const),
  'wrong kinds and versions': [{ apiVersion: 'v1', kind: 'Thing' }, { apiVersion: `${group}/v2`, kind: 'Thing' }, { apiVersion: `${group}/v1`, kind: 'Other' }, { apiVersion: `${group}/v1` }, { kind: 'Thing' }, {}].map((type) => ['POST', `${at}/things?dryRun=All`, { ...type, metadata: { name: 'x' } }] as const),
  'bodies that are none': [...raw(''), ...raw('{'), ...raw('[]'), ...raw('null'), ...raw('"x"'), ...raw('5'), ...raw('{"apiVersion":5}'), ...raw('{"apiVersion":"objects.example.com/v1","kind":"Thing","metadata":[]}')],
}
const suite: Suite = {
  brief: true,
  definitions: [
    definition({ group, schema: specOf(fields) }),
    definition({ group, kind: 'Gate', schema: specOf(junctors) }),
    definition({ group, kind: 'Format', schema: specOf(Object.fromEntries(formats.map((format) => [format.replaceAll('-', ''), { type: 'string', format }]))) }),
  ],
  cases,
}
export default suite
