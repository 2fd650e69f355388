/** Integers beyond 2^53 in custom objects: kept up to 64 bits, as floating point beyond that. Bodies are texts, since JavaScript cannot write them otherwise. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition, specOf } from './definition.ts'

const group = 'integers.example.com'
const things = `/apis/${group}/v1/namespaces/default/things`
const object = (name: string, spec: string): string => `{"apiVersion":"${group}/v1","kind":"Thing","metadata":{"name":"${name}"},"spec":${spec}}`
const most = '9223372036854775807'
const beyond = '9007199254740993'

let number = 0
const made = (spec: string): Step => ['POST', `${things}?fieldValidation=Strict`, object(`i${number++}`, spec)]
const values = [most, '-9223372036854775808', '9223372036854775808', beyond, `-${beyond}`, '9007199254740992', '9007199254740991', '18446744073709551615', '1e17', '1e18', '1e19', '123456789012345678901234567890', '0.1234567890123456789']
const each = (field: string): readonly Step[] => values.map((value) => made(`{"${field}":${value}}`))

const patch = (name: string, body: string, kind = 'merge-patch'): Step => ['PATCH', `${things}/${name}`, body, { type: `application/${kind}+json` }]
const kept: readonly Step[] = [
  ['POST', things, object('kept', `{"int":${beyond},"rises":${beyond}}`)],
  patch('kept', '{"spec":{"int":9007199254740995}}'),
  patch('kept', '{"spec":{"rises":9007199254740992}}'),
  patch('kept', '{"spec":{"rises":9007199254740994}}'),
  patch('kept', `[{"op":"test","path":"/spec/int","value":9007199254740995},{"op":"replace","path":"/spec/int","value":${most}},{"op":"copy","from":"/spec/int","path":"/spec/i64"}]`, 'json-patch'),
  patch('kept', '[{"op":"test","path":"/spec/int","value":9223372036854775806}]', 'json-patch'),
  ['GET', `${things}/kept`],
  ['GET', `${things}/kept?pretty=true`],
  ['GET', `${things}?fieldSelector=spec.int=${most}`],
  ['GET', `${things}?fieldSelector=spec.int=9223372036854775806`],
  ['GET', `${things}/kept`, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', pick: (body: { rows: { cells: unknown }[] }) => body.rows.map(({ cells }) => cells) }],
  ['PATCH', `${things}/kept/status`, `{"status":{"a":${most}}}`, { type: 'application/merge-patch+json' }],
  ['PUT', `${things}/kept`, object('kept', `{"int":${most},"i64":${most},"rises":9007199254740994}`)],
  patch('kept', `{"metadata":{"generation":${most}}}`),
  ['POST', things, `apiVersion: ${group}/v1\nkind: Thing\nmetadata: {name: yaml}\nspec:\n  i64: ${most}\n  any: 9_007_199_254_740_993\n  free: {a: -${beyond}, b: 0777777777777777777777, c: 0x7fffffffffffffff}\n`, { type: 'application/yaml' }],
  ['GET', `${things}/yaml`],
]

export default {
  definitions: [definition({ group, schema: { ...specOf({
    int: { type: 'integer' }, i64: { type: 'integer', format: 'int64' }, i32: { type: 'integer', format: 'int32' }, num: { type: 'number' }, text: { type: 'string' },
    ranged: { type: 'integer', minimum: 10, maximum: 9007199254740996 }, times: { type: 'integer', multipleOf: 3 }, ios: { 'x-kubernetes-int-or-string': true },
    any: { 'x-kubernetes-preserve-unknown-fields': true }, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    set: { type: 'array', items: { type: 'integer' }, 'x-kubernetes-list-type': 'set' },
    map: { type: 'array', items: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] },
    rule: { type: 'integer', 'x-kubernetes-validations': [{ rule: `self != ${beyond} && self + 1 > self` }] },
    ruled: { type: 'number', 'x-kubernetes-validations': [{ rule: 'self < 1e18' }] },
    either: { 'x-kubernetes-int-or-string': true, 'x-kubernetes-validations': [{ rule: `type(self) == int && self < ${beyond}` }] },
    rises: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] },
  }) }, version: {
    subresources: { status: {} }, selectableFields: [{ jsonPath: '.spec.int' }],
    additionalPrinterColumns: [{ name: 'Int', type: 'integer', jsonPath: '.spec.int' }, { name: 'Number', type: 'number', jsonPath: '.spec.int' }, { name: 'Text', type: 'string', jsonPath: '.spec.int' }],
  } })],
  cases: {
    ...Object.fromEntries(['int', 'i64', 'i32', 'num', 'text', 'ranged', 'times', 'ios', 'any', 'rule', 'ruled', 'either'].map((field) => [`as ${field}`, each(field)])),
    'in lists': [made(`{"set":[${beyond},9007199254740992]}`), made(`{"set":[${beyond},${beyond}]}`), made(`{"map":[{"id":${beyond}},{"id":9007199254740992}]}`), made(`{"map":[{"id":${beyond}},{"id":${beyond}}]}`)],
    'in what is preserved': [made(`{"free":{"a":${most},"b":[${beyond},{"c":-${beyond}}],"s":"${most}"}}`)],
    'in patches, selectors, tables and YAML': kept,
    'in definitions': [
      ['POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', JSON.stringify(definition({ group: 'defaults.example.com', schema: specOf({ a: { type: 'integer', default: 'A' }, b: { type: 'integer', enum: ['B', 1] }, c: { type: 'integer', minimum: 'B', maximum: 'A' }, d: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, default: { x: 'A' } } }) })).replaceAll('"A"', most).replaceAll('"B"', beyond), { pick: (body: { spec: { versions: { schema: unknown }[] } }) => body.spec.versions[0]?.schema }],
      ['GET', '/apis/defaults.example.com/v1/things', undefined, { until: (_body: never, code: number) => code === 200, pick: () => 'served' }],
      ['POST', '/apis/defaults.example.com/v1/namespaces/default/things', '{"apiVersion":"defaults.example.com/v1","kind":"Thing","metadata":{"name":"a"},"spec":{}}'],
      ['POST', '/apis/defaults.example.com/v1/namespaces/default/things', `{"apiVersion":"defaults.example.com/v1","kind":"Thing","metadata":{"name":"b"},"spec":{"b":${beyond}}}`],
      ['POST', '/apis/defaults.example.com/v1/namespaces/default/things', `{"apiVersion":"defaults.example.com/v1","kind":"Thing","metadata":{"name":"c"},"spec":{"b":9007199254740992}}`],
      ['DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.defaults.example.com', undefined, { pick: () => 'deleted' }],
    ],
  },
} satisfies Suite
