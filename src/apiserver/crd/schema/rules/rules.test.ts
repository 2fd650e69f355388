import { beforeAll, describe, expect, it } from 'vitest'
import type { apiextensions } from '../../../../api/index.ts'
import type { ApiObject } from '../../../../client/client.ts'
import { found } from '../../../../machinery/field.ts'
import { compileSchema } from '../compile.ts'
import { definitionSchema } from '../definition/index.ts'
import { loadRules } from './engine.ts'

type Schema = apiextensions.JSONSchemaProps
type Rule = Partial<apiextensions.ValidationRule>

beforeAll(() => loadRules([{ 'x-kubernetes-validations': [{ rule: 'true' }] }]))

const rules = (...list: (string | Rule)[]) => ({ 'x-kubernetes-validations': list.map((rule) => (typeof rule === 'string' ? { rule } : { rule: '', ...rule })) })
const object = (spec: unknown, more: object = {}) => ({ apiVersion: 'example.com/v1', kind: 'CronTab', metadata: { name: 'x' }, spec, ...more }) as unknown as ApiObject
const compiled = (spec: Schema, root: Schema = {}) => compileSchema({ group: 'example.com', version: 'v1', kind: 'CronTab', schema: { type: 'object', properties: { spec }, ...root } })
const errors = (spec: Schema, value: unknown, old?: unknown) => (old === undefined ? compiled(spec).validate(object(value)) : compiled(spec).validateUpdate(object(value), object(old))).map(String)
const definition = (spec: Schema, root: Schema = {}) => found((at) => definitionSchema(at, { type: 'object', properties: { spec }, ...root }), 'schema').map(String)
const n: Schema = { type: 'object', properties: { n: { type: 'integer' }, s: { type: 'string' }, list: { type: 'array', items: { type: 'integer' } } } }

describe('rules on objects', () => {
  it('say what does not hold, in their own words or in the rule itself', () => {
    expect(errors({ ...n, ...rules('self.n < 5') }, { n: 6 })).toEqual(['spec: Invalid value: failed rule: self.n < 5'])
    expect(errors({ ...n, ...rules({ rule: 'self.n < 5', message: ' too many ' }) }, { n: 6 })).toEqual(['spec: Invalid value: too many'])
    expect(errors({ ...n, ...rules({ rule: 'self.n < 5', messageExpression: '"%d is too many".format([self.n])' }) }, { n: 6 })).toEqual(['spec: Invalid value: 6 is too many'])
    expect(errors({ ...n, ...rules({ rule: 'self.n < 5', message: 'plain', messageExpression: '"a\\nb"' }) }, { n: 6 })).toEqual(['spec: Invalid value: plain'])
    expect(errors({ ...n, ...rules('self.n < 5') }, { n: 4 })).toEqual([])
  })

  it('show the value of a scalar, and stand where they are told to', () => {
    expect(errors({ type: 'object', properties: { n: { type: 'integer', ...rules('self < 5') } } }, { n: 6 })).toEqual(['spec.n: Invalid value: 6: failed rule: self < 5'])
    expect(errors({ ...n, ...rules({ rule: 'self.n < 5', message: 'm', fieldPath: '.n', reason: 'FieldValueForbidden' }) }, { n: 6 })).toEqual(['spec.n: Forbidden: m'])
    expect(errors({ ...n, ...rules({ rule: 'has(self.s)', message: 'm', fieldPath: '.s', reason: 'FieldValueRequired' }) }, { n: 6 })).toEqual(['spec.s: Required value: m'])
  })

  it('see the name of the object at its root', () => {
    const schema = compiled(n, rules('self.metadata.name.startsWith("x")', 'self.metadata.name == "y"', 'self.kind == "CronTab" && self.apiVersion == "example.com/v1"'))
    expect(schema.validate(object({})).map(String)).toEqual(['<nil>: Invalid value: failed rule: self.metadata.name == "y"'])
  })

  it('reach properties whose names are no identifiers', () => {
    const spec: Schema = { type: 'object', properties: { namespace: { type: 'string' }, 'a.b': { type: 'string' }, 'c-d': { type: 'string' }, e__f: { type: 'string' } } }
    expect(errors({ ...spec, ...rules('self.__namespace__ + self.a__dot__b + self.c__dash__d + self.e__underscores__f == "wxyz"') }, { namespace: 'w', 'a.b': 'x', 'c-d': 'y', e__f: 'z' })).toEqual([])
  })

  it('take int-or-string for either', () => {
    const spec: Schema = { type: 'object', properties: { p: { 'x-kubernetes-int-or-string': true } }, ...rules('type(self.p) == int ? self.p < 10 : self.p == "50%"') }
    expect([{ p: 9 }, { p: '50%' }, { p: 10 }, { p: '60%' }].map((value) => errors(spec, value).length)).toEqual([0, 0, 1, 1])
  })

  it('look at elements of lists and values of maps', () => {
    const spec: Schema = { type: 'object', properties: { list: { type: 'array', items: { type: 'integer', ...rules('self > 0') } }, map: { type: 'object', additionalProperties: { type: 'string', ...rules('self != ""') } } } }
    expect(errors(spec, { list: [1, 0], map: { a: '', b: 'x' } })).toEqual(['spec.list[1]: Invalid value: 0: failed rule: self > 0', 'spec.map[a]: Invalid value: "": failed rule: self != ""'])
  })

  it('are not run where the values they are about are wrong', () => {
    expect(errors({ ...n, ...rules('self.n < 5') }, { n: 'x' })).toEqual([
      'spec.n: Invalid value: "string": spec.n in body must be of type integer: "string"',
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ])
  })

  it('that fail say why', () => {
    expect(errors({ ...n, ...rules('self.list[0] == 1') }, { list: [] })).toEqual(['spec: Invalid value: "object": index out of bounds: 0 evaluating rule: self.list[0] == 1'])
    expect(errors({ ...n, ...rules('self.n == 1') }, {})).toEqual(['spec: Invalid value: "object": no such key: n evaluating rule: self.n == 1'])
  })

  it('end with the budget', () => {
    const spec: Schema = { type: 'object', properties: { list: { type: 'array', items: { type: 'integer' } } }, ...rules('self.list.all(x, self.list.all(y, x + y > 0))') }
    expect(errors(spec, { list: Array.from({ length: 1000 }, () => 1) })[0]).toContain('no further validation rules will be run due to call cost exceeds limit for rule: self.list.all(x, self.list.all(y, x + y > 0))')
  })
})

describe('transition rules', () => {
  const immutable: Schema = { ...n, ...rules({ rule: 'self.n == oldSelf.n', message: 'n is immutable' }) }

  it('compare with what was there', () => {
    expect(errors(immutable, { n: 1 })).toEqual([])
    expect(errors(immutable, { n: 2 }, { n: 1 })).toEqual(['spec: Invalid value: n is immutable'])
    expect(errors(immutable, { n: 1, s: 'x' }, { n: 1 })).toEqual([])
  })

  it('find elements of map lists by their keys, and nothing in other lists', () => {
    const items: Schema = { type: 'object', required: ['name'], properties: { name: { type: 'string' }, v: { type: 'integer' } }, ...rules('self.v >= oldSelf.v') }
    const spec: Schema = { type: 'object', properties: { list: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items } } }
    expect(errors(spec, { list: [{ name: 'b', v: 1 }, { name: 'a', v: 1 }] }, { list: [{ name: 'a', v: 2 }, { name: 'b', v: 1 }] })).toEqual(['spec.list[1]: Invalid value: failed rule: self.v >= oldSelf.v'])
    expect(definition({ type: 'object', properties: { list: { type: 'array', maxItems: 3, items } } })).toEqual([
      'schema.properties[spec].properties[list].items.x-kubernetes-validations[0].rule: Invalid value: "self.v >= oldSelf.v": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[spec].properties[list]'])
  })

  it('run on new objects too when they say so', () => {
    const spec: Schema = { ...n, ...rules({ rule: 'oldSelf.hasValue() ? self.n == oldSelf.value().n : self.n == 0', optionalOldSelf: true }) }
    expect([errors(spec, { n: 0 }).length, errors(spec, { n: 1 }).length, errors(spec, { n: 1 }, { n: 1 }).length, errors(spec, { n: 2 }, { n: 1 }).length]).toEqual([0, 1, 0, 1])
  })
})

describe('ratcheting', () => {
  it('tolerates what broke a rule before and has not changed', () => {
    const spec: Schema = { type: 'object', properties: { a: { type: 'string', ...rules('self == "good"') }, b: { type: 'string' } } }
    expect(errors(spec, { a: 'bad', b: 'x' }, { a: 'bad' })).toEqual([])
    expect(errors(spec, { a: 'worse' }, { a: 'bad' })).toHaveLength(1)
  })

  it('does not tolerate it in an object whose rule looks at what has changed', () => {
    const spec: Schema = { ...n, ...rules('self.n < 5') }
    expect(errors(spec, { n: 6, s: 'x' }, { n: 6 })).toHaveLength(1)
    expect(errors(spec, { n: 6 }, { n: 6 })).toEqual([])
  })
})

describe('definitions', () => {
  const at = 'schema.properties[spec].x-kubernetes-validations[0]'

  it('tell where a rule does not compile', () => {
    const rest = '"Reason":null,"FieldPath":"","OptionalOldSelf":null'
    expect(definition({ ...n, ...rules('self.m > 0') })[0]).toContain(`${at}.rule: Invalid value: {"Rule":"self.m \\u003e 0","Message":"","MessageExpression":"",${rest}}: compilation failed: ERROR: <input>:1:5: undefined field 'm'`)
    expect(definition({ ...n, ...rules('self.n') })).toEqual([`${at}.rule: Invalid value: {"Rule":"self.n","Message":"","MessageExpression":"",${rest}}: cel expression must evaluate to a bool`])
    expect(definition({ ...n, ...rules({ rule: 'true', messageExpression: 'self.n' }) })[0]).toContain(`${at}.messageExpression: Invalid value: {"Rule":"true","Message":"","MessageExpression":"self.n",${rest}}: messageExpression must evaluate to a string`)
    expect(definition({ ...n, ...rules({ rule: 'true', optionalOldSelf: true }) })).toEqual([`${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`])
  })

  it('tell what a rule says that it may not', () => {
    expect(definition({ ...n, ...rules({ rule: ' ' }) })).toEqual([`${at}.rule: Required value: rule is not specified`])
    expect(definition({ ...n, ...rules({ rule: 'true\n&& true' }) })).toEqual([`${at}.message: Required value: message must be specified if rule contains line breaks`])
    expect(definition({ ...n, ...rules({ rule: 'true', fieldPath: '.nowhere' }) })).toEqual([`${at}.fieldPath: Invalid value: ".nowhere": fieldPath must be a valid path`])
    expect(definition({ ...n, ...rules({ rule: 'true', reason: 'Nonsense' as never }) })[0]).toContain(`${at}.reason: Unsupported value: "Nonsense": supported values: "FieldValueDuplicate"`)
  })

  it('refuse defaults that their rules refuse', () => {
    const spec: Schema = { ...n, default: { n: 9 }, ...rules('self.n < 5', 'self.n == oldSelf.n') }
    expect(definition(spec)).toEqual(['schema.properties[spec].default: Invalid value: failed rule: self.n < 5'])
    expect(definition({ ...spec, default: { n: 1 } })).toEqual([])
  })

  it('refuse rules that could cost too much, and take the bounds of the schema into account', () => {
    const nested = (bounds: Schema): Schema => ({ type: 'object', properties: { list: { type: 'array', ...bounds, items: { type: 'string', maxLength: 10 } } }, ...rules('self.list.all(x, self.list.all(y, x == y))') })
    expect(definition(nested({}))[0]).toMatch(/x-kubernetes-validations\[0\]\.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x \(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared\)$/)
    expect(definition(nested({ maxItems: 10 }))).toEqual([])
  })

  it('refuse rules that together could cost too much', () => {
    const inner: Schema = { type: 'array', maxItems: 1000, items: { type: 'array', maxItems: 1000, items: { type: 'integer', ...rules('self > 0 && self > 1 && self < 10') } } }
    const found = definition({ type: 'object', properties: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a${i}`, inner])) })
    expect(found.at(-1)).toMatch(/^schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1\.[0-9]+x/)
    expect(found.filter((line) => line.includes('contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'))).toHaveLength(4)
  })
})

it('a rule on int-or-string may search its text', () => {
  expect(definition({ type: 'object', properties: { p: { 'x-kubernetes-int-or-string': true, ...rules('type(self) == int ? self < 5 : self.matches("^[0-9]+%$")') } } })).toEqual([])
})

describe('what rules see', () => {
  it('of an embedded resource is its kind and its name, and what the schema says of it', () => {
    const pod: Schema = { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true, properties: { spec: { type: 'object', properties: { n: { type: 'integer' } } } }, ...rules('self.kind == "Pod" && self.metadata.name.startsWith("a") && self.spec.n > 0') }
    const spec: Schema = { type: 'object', properties: { pod } }
    expect(definition(spec)).toEqual([])
    const embedded = (name: string) => ({ pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { n: 1 }, more: true } })
    expect([errors(spec, embedded('a')).length, errors(spec, embedded('b')).length]).toEqual([0, 1])
  })

  it('is nothing of what is only preserved', () => {
    expect(definition({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true, ...rules('self.unknown == 1') })[0]).toContain("undefined field 'unknown'")
    expect(definition({ type: 'object', properties: { open: { 'x-kubernetes-preserve-unknown-fields': true } }, ...rules('has(self.open)') })[0]).toContain("undefined field 'open'")
  })

  it('of texts with a format is what they mean', () => {
    const spec: Schema = { type: 'object', properties: { day: { type: 'string', format: 'date' }, at: { type: 'string', format: 'date-time' }, span: { type: 'string', format: 'duration' }, data: { type: 'string', format: 'byte' } },
      ...rules("self.day.getFullYear() == 2026 && self.at < timestamp('2026-06-01T00:00:00Z') && self.span < duration('2h') && self.data == b'abc'") }
    expect(definition(spec)).toEqual([])
    expect(errors(spec, { day: '2026-01-02', at: '2026-01-02T03:04:05+01:00', span: '1h', data: 'YWJj' })).toEqual([])
    expect(errors(spec, { day: '2025-01-02', at: '2026-01-02T03:04:05Z', span: '1h', data: 'YWJj' })).toHaveLength(1)
  })

  it('of a number is a double, whole or not; of a null nothing', () => {
    const spec: Schema = { type: 'object', properties: { x: { type: 'number' }, y: { type: 'string', nullable: true, ...rules('self != ""') } }, ...rules('self.x + 0.5 == 1.5') }
    expect(errors(spec, { x: 1, y: null })).toEqual([])
  })

  it('of sets and maps does not depend on the order', () => {
    const set: Schema = { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', ...rules('self == oldSelf') }
    expect(errors({ type: 'object', properties: { set } }, { set: ['a', 'b'] }, { set: ['b', 'a'] })).toEqual([])
    expect(errors({ type: 'object', properties: { set } }, { set: ['a', 'c'] }, { set: ['b', 'a'] })).toHaveLength(1)
  })
})

it('all rules of an object together have a budget', () => {
  const heavy = Array.from({ length: 12 }, () => 'self.list.all(x, self.list.all(y, x + y > 0))')
  const spec: Schema = { type: 'object', properties: { list: { type: 'array', items: { type: 'integer' } } }, ...rules(...heavy) }
  expect(errors(spec, { list: Array.from({ length: 350 }, () => 1) })).toEqual(['spec: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run'])
  expect(errors(spec, { list: Array.from({ length: 50 }, () => 1) })).toEqual([])
}, 30_000)

it('errors of rules on lists and maps do not show the whole of them', () => {
  expect(errors({ type: 'object', properties: { list: { type: 'array', items: { type: 'string' }, ...rules({ rule: 'size(self) < 1', reason: 'FieldValueDuplicate' }, 'size(self) < 1') } } }, { list: ['a'] })).toEqual(['spec.list: Duplicate value', 'spec.list: Invalid value: failed rule: size(self) < 1'])
})
