/** What the server makes of rules: costs that it estimates, constants that can only fail, fields that are null, messages of failures. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition } from './definition.ts'

const group = 'expressions.example.com'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

let number = 0
/** A definition of a field with a rule, which is not kept. */
const tried = (field: object): Step => ['POST', `${definitions}?dryRun=All`, definition({ group: 'tried.example.com', kind: `Tried${number++}`, schema: { type: 'object', properties: { field } } }), { pick: () => 'taken' }]
const ruled = (schema: object, rule: string, more: object = {}): Step => tried({ ...schema, 'x-kubernetes-validations': [{ rule, ...more }] })
const list = (maxItems: number, items: object = { type: 'integer' }): object => ({ type: 'array', maxItems, items })
const text = { type: 'string', maxLength: 5 }
const pair = { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } }
const free = { type: 'object', properties: { a: { type: 'object', additionalProperties: text } } }
const optional = { type: 'object', properties: { a: text, t: { type: 'string', format: 'date-time' }, d: { type: 'string', format: 'duration' } } }

const estimates: Suite['cases'] = {
  'of numbers': [2_200_000, 2_600_000, 1_900_000].map((size) => ruled(list(size), 'self.all(x, x == 1)')),
  'of parts': [ruled(list(2_200_000), 'self.all(x, x == self[0])'), ruled(list(800_000, pair), 'self.all(x, x.a == x.b)'), ruled(list(1_600_000, pair), 'self.all(x, x.a == x.b)')],
  'of types': [ruled(list(1_500_000), 'self.all(x, type(x) == int)')],
  'of maps': [ruled(list(1, free), "self[0].a.b == 'x'"), ruled(list(100_000, free), "self.all(x, x.a.b == 'x' && x.a.b.startsWith(x.a.c))"), ruled(list(100_000, free), "self.all(x, x.a['b'] == 'x')"), ruled(list(1000, free), 'self.all(x, x.a.all(k, v, k.contains(v)))')],
  'of optionals': [ruled(list(1000, optional), "self.all(x, x.?a.orValue('x').matches('^a+$'))"), ruled(list(1000, optional), "self.all(x, x.?a.orValue('x').contains('a'))"), ruled(list(300_000, optional), 'self.all(x, x.?a.optMap(v, v.size() > 1).orValue(true))'), ruled(list(10, optional), "self.all(x, x.?a.optMap(v, v == 'x').orValue(true))")],
  'of times': [ruled(list(400_000, optional), 'self.all(x, x.t == x.t)'), ruled(list(400_000, optional), "self.all(x, x.d == duration('1h'))"), ruled(list(1_400_000, optional), "self.all(x, x.d < duration('1h'))")],
  'of lists that are made': [ruled(list(100_000), 'self.filter(x, x > 1).map(x, x + 1).size() > 1'), ruled(list(1000), 'self.map(x, string(x)).all(t, t.size() > 1)'), ruled(list(200, text), "self.map(x, x + 'a').all(t, t.contains('b'))"), ruled(list(1000), '[1, 2].all(x, self.exists(y, x == y))'), ruled(list(2000, text), "self.sort().join(',').size() > 1")],
}

const constants: Suite['cases'] = {
  'that can only fail': ["int('x') == 1", "uint('-1') == 1u", "double('x') == 1.0", "bool('maybe')", 'int(1e19) > 1', 'uint(-1) > 1u', "string(b'\\xff') == 'a'", "true || int('x') == 1", "self.find('(') == 'a'", "self.findAll('[').size() == 1", "self.matches('(')", "duration('x') > duration('1s')", "timestamp('x') > timestamp('2020-01-01T00:00:00Z')", 'timestamp(253402300800) > timestamp(0)', "self == string(int('9223372036854775808'))"].map((rule) => ruled(text, rule)),
  'in messages': ["string(int('x'))", "'a'.find('(')", "1 + 'a'"].map((messageExpression) => ruled(text, 'true', { messageExpression })),
}

const nullable = { ...text, nullable: true }
const holder = { type: 'object', nullable: true, properties: { x: { type: 'integer', nullable: true } } }
const nulls = ['has(self.text)', '!has(self.text)', 'self.text == dyn(null)', 'self.?text.hasValue()', "self.map['a'] == dyn(null)", "'a' in self.map", 'self.map.a == "x"', 'self.list[0] == dyn(null)', 'self.list.size() == 1', 'self.inner == dyn(null)', 'has(self.inner.x)', 'has(self.outer.x)', 'self.outer.x == dyn(null)', 'has(self.holders[0].x)', 'self.outer == self.outer']
const failing = ["ip(self.text).family() == 4", "cidr(self.text).prefixLength() == 8", "semver(self.text).major() == 1", "int(self.text) == 1", "timestamp(self.text) == timestamp(self.text)", "duration(self.text) == duration(self.text)", "url(self.text).getHost() == 'a'", "quantity(self.text).isGreaterThan(quantity('1'))", "self.text.find(self.text + '(') == ''", "self.text.charAt(9) == 'a'", "self.list[5] == 'x'", "self.map.zz == 'x'", "self.text.substring(3, 1) == ''", "lists.range(-1).size() == 0", "'x'.lastIndexOf('x', 9) == -1", "self.when.getHours('Nowhere') == 1", "self.when.getHours('+25:00') == 1", "string(timestamp('2000-02-29T00:00:00+02:00')) == '2000-02-29T00:00:00+02:00'", "duration('90s').getMilliseconds() == 90000"]
const rules = [...nulls, ...failing]
const properties = { text: nullable, map: { type: 'object', maxProperties: 3, additionalProperties: nullable }, list: { type: 'array', maxItems: 3, items: nullable }, inner: holder, outer: holder, holders: { type: 'array', maxItems: 3, items: holder }, when: { type: 'string', format: 'date-time' } }
const object = (i: number, value: object): Step => ['POST', `/apis/${group}/v1/namespaces/default/things`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: `t${i}` }, [`field${i}`]: value }, { pick: () => 'taken' }]
const empty = { text: null, map: { a: null }, list: [null], inner: null, outer: { x: null }, holders: [null] }
const full = { text: '1.x', map: { a: 'b' }, list: ['a'], when: '2026-11-21T17:30:00Z' }

export default {
  definitions: [definition({ group, schema: { type: 'object', properties: Object.fromEntries(rules.map((rule, i) => [`field${i}`, { type: 'object', properties, 'x-kubernetes-validations': [{ rule, message: rule }] }])) } })],
  cases: {
    ...Object.fromEntries(Object.entries(estimates).map(([title, steps]) => [`costs ahead: ${title}`, steps])),
    ...Object.fromEntries(Object.entries(constants).map(([title, steps]) => [`constants: ${title}`, steps])),
    'fields that are null': nulls.map((_, i) => object(i, empty)),
    'failures': failing.map((_, i) => object(nulls.length + i, full)),
  },
} satisfies Suite
