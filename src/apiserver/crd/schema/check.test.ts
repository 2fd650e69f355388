import { describe, expect, it } from 'vitest'
import type { apiextensions } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { compileSchema } from './compile.ts'

type Schema = apiextensions.JSONSchemaProps

const object = (spec: unknown) => ({ apiVersion: 'example.com/v1', kind: 'CronTab', metadata: { name: 'x' }, spec }) as unknown as ApiObject
const compiled = (spec: Schema) => compileSchema({ group: 'example.com', version: 'v1', kind: 'CronTab', schema: { type: 'object', properties: { spec } } })
const errors = (spec: Schema, value: unknown) => compiled(spec).validate(object(value)).map(String)
const updated = (spec: Schema, value: unknown, old: unknown) => compiled(spec).validateUpdate(object(value), object(old)).map(String)
/** What is wrong with a value, as the field `x`. */
const at = (x: Schema, value: unknown) => errors({ type: 'object', properties: { x } }, { x: value })

describe('types', () => {
  it.each([
    ['string', 1, 'integer'], ['boolean', 'true', 'string'], ['object', [], 'array'], ['array', {}, 'object'], ['number', '1', 'string'], ['string', null, 'null'],
  ])('%s is not %j', (type, value, found) => {
    expect(at({ type, ...(type === 'array' ? { items: { type: 'string' } } : {}) }, value)).toEqual([`spec.x: Invalid value: "${found}": spec.x in body must be of type ${type}: "${found}"`])
  })

  it('a fraction is no integer', () => {
    expect(at({ type: 'integer' }, 1.5)).toEqual(['spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"', '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.x'])
  })

  it('an integer is a number, and null may be where it is nullable', () => {
    expect(at({ type: 'number' }, 1)).toEqual([])
    expect(at({ type: 'integer' }, 1)).toEqual([])
    expect(at({ type: 'string', nullable: true }, null)).toEqual([])
  })

  it('names the format that was missed', () => {
    expect(at({ type: 'string', format: 'date' }, 1)).toEqual(['spec.x: Invalid value: "int64": spec.x in body must be of type date: "int64"'])
    expect(at({ type: 'integer', format: 'int32' }, 1.5)).toEqual(['spec.x: Invalid value: "float64": spec.x in body must be of type int32: "float64"', '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x'])
    expect(at({ type: 'integer', format: 'int32' }, 'x')).toEqual(['spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"'])
    expect(at({ type: 'integer', format: 'nonsense' }, 1.5)[0]).toBe('spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"')
  })

  it('takes either for int-or-string', () => {
    expect(at({ 'x-kubernetes-int-or-string': true }, 1)).toEqual([])
    expect(at({ 'x-kubernetes-int-or-string': true }, '1')).toEqual([])
    expect(at({ 'x-kubernetes-int-or-string': true }, true)).toEqual(['spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"'])
  })
})

describe('values', () => {
  it.each<[Schema, unknown, string]>([
    [{ type: 'string', enum: ['a', 'b'] }, 'c', 'spec.x: Unsupported value: "c": supported values: "a", "b"'],
    [{ type: 'integer', enum: [1, 2] }, 3, 'spec.x: Unsupported value: 3: supported values: "1", "2"'],
    [{ type: 'integer', minimum: 1 }, 0, 'spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1'],
    [{ type: 'integer', minimum: 1, exclusiveMinimum: true }, 1, 'spec.x: Invalid value: 1: spec.x in body should be greater than 1'],
    [{ type: 'number', maximum: 1.5 }, 2, 'spec.x: Invalid value: 2: spec.x in body should be less than or equal to 1'],
    [{ type: 'integer', maximum: 1, exclusiveMaximum: true }, 1, 'spec.x: Invalid value: 1: spec.x in body should be less than 1'],
    [{ type: 'integer', multipleOf: 3 }, 4, 'spec.x: Invalid value: 4: spec.x in body should be a multiple of 3'],
    [{ type: 'string', minLength: 2 }, '😀', 'spec.x: Invalid value: "😀": spec.x in body should be at least 2 chars long'],
    [{ type: 'string', maxLength: 1 }, 'ab', 'spec.x: Too long: may not be more than 1 bytes'],
    [{ type: 'string', pattern: '^a+$' }, 'b', "spec.x: Invalid value: \"b\": spec.x in body should match '^a+$'"],
    [{ type: 'array', items: { type: 'string' }, minItems: 1 }, [], 'spec.x: Invalid value: 0: spec.x in body should have at least 1 items'],
    [{ type: 'array', items: { type: 'string' }, maxItems: 1 }, ['a', 'b'], 'spec.x: Too many: 2: must have at most 1 items'],
    [{ type: 'object', minProperties: 1 }, {}, 'spec.x: Invalid value: 0: spec.x in body should have at least 1 properties'],
    [{ type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } }, { a: '', b: '' }, 'spec.x: Too many: 2: must have at most 1 items'],
    [{ type: 'object', additionalProperties: { type: 'integer' } }, { a: 'b' }, 'spec.x.a: Invalid value: "string": spec.x.a in body must be of type integer: "string"'],
    [{ type: 'object', required: ['a'], properties: { a: { type: 'string' } } }, {}, 'spec.x.a: Required value'],
  ])('%j refuses %j', (schema, value, error) => expect(at(schema, value)).toEqual([error]))

  it('counts characters, not UTF-16 units', () => {
    expect(at({ type: 'string', maxLength: 2 }, '😀😀')).toEqual([])
    expect(at({ type: 'string', maxLength: 1 }, '😀😀')).toHaveLength(1)
  })

  it('are numbers that their format can hold, and so are the bounds', () => {
    const whole = (text: string) => `<nil>: Invalid value: "": ${text} in spec.x`
    expect(at({ type: 'integer', format: 'int32' }, 2 ** 31)).toEqual([whole('Checked value must be of type integer with format int32')])
    expect(at({ type: 'integer', format: 'int32' }, -(2 ** 31))).toEqual([])
    expect(at({ type: 'integer', format: 'int64' }, 2 ** 40)).toEqual([])
    expect(at({ type: 'number', format: 'float' }, 3.5e38)).toEqual([whole('Checked value must be of type number with format float')])
    expect(at({ type: 'number', format: 'double' }, 3.5e38)).toEqual([])
    expect(at({ type: 'integer', format: 'int32', maximum: 4_294_967_295 }, 5)).toEqual([whole('Maximum boundary value must be of type integer with format int32')])
    expect(at({ type: 'integer', minimum: 0.5 }, 5)).toEqual([whole('Minimum boundary value must be of type integer (default format)')])
  })

  it('finds multiples among fractions', () => {
    expect(at({ type: 'number', multipleOf: 0.1 }, 0.3)).toEqual([])
    expect(at({ type: 'number', multipleOf: 0.1 }, 0.35)).toHaveLength(1)
  })

  it('finds a pattern anywhere, in linear time', () => {
    expect(at({ type: 'string', pattern: 'b' }, 'abc')).toEqual([])
    const started = performance.now()
    expect(at({ type: 'string', pattern: '^(a|aa)+$' }, `${'a'.repeat(50_000)}!`)).toHaveLength(1)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe('junctors', () => {
  const spec = (more: Schema): Schema => ({ type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } }, ...more })

  it('tell which of several schemas must hold', () => {
    expect(errors(spec({ anyOf: [{ required: ['a'] }, { required: ['b'] }] }), {})).toEqual(['<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)', 'spec.a: Required value'])
    expect(errors(spec({ oneOf: [{ required: ['a'] }, { required: ['b'] }] }), {})).toEqual(['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid', 'spec.a: Required value'])
    expect(errors(spec({ oneOf: [{ required: ['a'] }, { required: ['b'] }] }), { a: 1, b: 1 })).toEqual(['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'])
    expect(errors(spec({ allOf: [{ required: ['a'] }, { required: ['b'] }] }), {})).toEqual(['spec.a: Required value', 'spec.b: Required value', '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf). None validated'])
    expect(errors(spec({ allOf: [{ required: ['a'] }, { required: ['b'] }] }), { a: 1 })).toEqual(['spec.b: Required value', '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)'])
    expect(errors(spec({ not: { required: ['a'] } }), { a: 1 })).toEqual(['<nil>: Invalid value: "": "spec" must not validate the schema (not)'])
  })

  it('tell of the branch that got furthest', () => {
    const branches: Schema[] = [{ required: ['b'] }, { required: ['a'], properties: { a: { minimum: 5 } } }]
    expect(errors(spec({ anyOf: branches }), { a: 1 })[1]).toBe('spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 5')
  })

  it('let formats without a type stand for alternatives', () => {
    const address: Schema = { type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] }
    expect(at(address, '10.0.0.1')).toEqual([])
    expect(at(address, '::1')).toEqual([])
    expect(at(address, 'x')).toHaveLength(2)
  })
})

describe('formats', () => {
  const good: Record<string, string[]> = {
    bsonobjectid: ['507f1f77bcf86cd799439011'], uri: ['https://example.com/a?b=c', '/path', 'mailto:x@example.com', 'http://[::1]:80/'], email: ['a@example.com', 'Somebody <a@example.com>'],
    hostname: ['example.com', 'a', 'exämple.com'], ipv4: ['10.0.0.1'], ipv6: ['::1', '2001:db8::ffff'], cidr: ['10.0.0.0/8', '2001:db8::/32'], mac: ['01:23:45:67:89:ab', '01-23-45-67-89-AB', '0123.4567.89ab'],
    uuid: ['a8098c1a-f86e-11da-bd1a-00112444be1e'], uuid3: ['bcd02e22-68f0-3046-a512-327cca9def8f'], uuid4: ['025b0d74-00a2-4048-bf57-227c5111bb34'], uuid5: ['886313e1-3b8a-5372-9b90-0c9aee199e5d'],
    isbn: ['0321751043', '978-0321751041'], isbn10: ['0321751043'], isbn13: ['978-0321751041'], creditcard: ['4111-1111-1111-1111'], ssn: ['111-11-1111'], hexcolor: ['#FFFFFF', 'abc'],
    rgbcolor: ['rgb(100,100,100)'], byte: ['ZWxpemFiZXRocG9zZXk='], password: ['anything'], date: ['2014-12-15'], duration: ['1h30m', '3 days', '5 weeks'], 'date-time': ['2014-12-15T19:30:20.000Z', '2014-12-15t19:30:20+02:00'],
    datetime: ['2014-12-15T19:30:20Z'], quantity: ['10Gi'], 'k8s-short-name': ['a-b'], 'k8s-long-name': ['a.b-c'], nonsense: ['whatever'],
  }
  const bad: Record<string, string[]> = {
    bsonobjectid: ['x'], uri: ['', 'no scheme', 'relative/path', 'http://exa mple.com', '/%zz'], email: ['x', 'a@', '@b'], hostname: ['-a', 'a..b', 'a_b.com', `${'a'.repeat(64)}.com`], ipv4: ['10.0.0.256', '::1'], ipv6: ['10.0.0.1', 'x'],
    cidr: ['10.0.0.1', '10.0.0.0/33'], mac: ['01:23:45', '01:23-45:67:89:ab'], uuid: ['x'], uuid4: ['a8098c1a-f86e-11da-bd1a-00112444be1e'], isbn: ['836217463'], isbn13: ['978-0321751042'], creditcard: ['4111-1111-1111-1112'],
    ssn: ['999 111 11'], hexcolor: ['#FFFFF'], rgbcolor: ['rgb(300,0,0)'], byte: ['', 'ZWxpemFiZXRocG9zZXk'], date: ['2014-13-01', '2014-02-30'], duration: ['x', '3 moons'], 'date-time': ['2014-12-15', '2014-12-15T25:00:00Z'],
    quantity: ['10Qq'], 'k8s-short-name': ['a.b', 'A'], 'k8s-long-name': ['a_b'],
  }
  it.each(Object.entries(good))('%s takes %j', (format, values) => expect(values.filter((value) => at({ type: 'string', format }, value).length > 0)).toEqual([]))
  it.each(Object.entries(bad))('%s refuses %j', (format, values) => expect(values.filter((value) => at({ type: 'string', format }, value).length === 0)).toEqual([]))
  it('say what is wrong', () => expect(at({ type: 'string', format: 'ipv4' }, 'x')).toEqual(['spec.x: Invalid value: "x": spec.x in body must be of type ipv4: "x"']))
})

describe('lists with a type', () => {
  it('refuse what stands twice', () => {
    expect(at({ type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' }, ['a', 'b', 'a', 'a'])).toEqual(['spec.x[2]: Duplicate value: "a"'])
    const items: Schema = { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer', default: 80 }, v: { type: 'string' } } }
    expect(at({ type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name', 'port'] }, [{ name: 'a', port: 1 }, { name: 'a', port: 2 }, { name: 'a', port: 1 }])).toEqual(['spec.x[2]: Duplicate value: {"name":"a","port":1}'])
  })

  it('may keep what stood twice before they were sets', () => {
    const spec: Schema = { type: 'object', properties: { x: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' }, y: { type: 'string' } } }
    expect(updated(spec, { x: ['a', 'a'], y: 'z' }, { x: ['a', 'a'] })).toEqual([])
    expect(updated(spec, { x: ['a', 'a'] }, { x: ['a'] })).toHaveLength(1)
  })
})

it('holds embedded resources to say what they are', () => {
  const spec: Schema = { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }
  expect(at(spec, {})).toEqual(['spec.x.apiVersion: Required value', 'spec.x.kind: Required value'])
  expect(at(spec, { apiVersion: 'a/b/c', kind: 'P d', metadata: { name: 'a/b', labels: { x: '-' } } }).map((line) => line.slice(0, 60))).toEqual([
    'spec.x.apiVersion: Invalid value: "a/b/c": unexpected GroupV', 'spec.x.kind: Invalid value: "P d": may have mixed case, but ', 'spec.x.metadata.name: Invalid value: "a/b": may not contain ',
    'spec.x.metadata.labels: Invalid value: "-": a valid label mu',
  ])
  expect(at(spec, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } })).toEqual([])
})

describe('an update of the status', () => {
  const schema: Schema = { type: 'object', required: ['spec'], properties: { spec: { type: 'object', required: ['new'], properties: { new: { type: 'string' } } }, status: { type: 'object', properties: { replicas: { type: 'integer', format: 'int32' }, phase: { type: 'string', enum: ['A'] } } } } }
  const { validateStatusUpdate } = compileSchema({ group: 'example.com', version: 'v1', kind: 'CronTab', schema })
  const withStatus = (status: unknown) => ({ apiVersion: 'example.com/v1', kind: 'CronTab', metadata: { name: 'x' }, status }) as unknown as ApiObject

  it('is about the status alone, and names its fields from there', () => {
    expect(validateStatusUpdate(withStatus({ replicas: 1 }), withStatus({})).map(String)).toEqual([])
    expect(validateStatusUpdate(withStatus({ phase: 'B', replicas: 'x' }), withStatus({})).map(String)).toEqual([
      'status.phase: Unsupported value: "B": supported values: "A"', 'status.replicas: Invalid value: "string": replicas in body must be of type integer: "string"'])
    expect(validateStatusUpdate(withStatus({ replicas: 2 ** 31 }), withStatus({})).map(String)).toEqual(['status: Invalid value: "": Checked value must be of type integer with format int32 in replicas'])
  })

  it('tolerates what was wrong before', () => {
    expect(validateStatusUpdate(withStatus({ phase: 'B', replicas: 1 }), withStatus({ phase: 'B' })).map(String)).toEqual([])
  })
})

describe('ratcheting', () => {
  const item: Schema = { type: 'object', required: ['name'], properties: { name: { type: 'string' }, v: { type: 'integer', minimum: 5 } } }
  const spec: Schema = {
    type: 'object', required: ['must'],
    properties: {
      must: { type: 'string' }, n: { type: 'integer', minimum: 5 },
      byName: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: item },
      byPlace: { type: 'array', items: item },
      atomic: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: item },
      map: { type: 'object', additionalProperties: { type: 'integer', minimum: 5 } },
    },
  }
  const bad = (name: string) => ({ name, v: 1 })

  it('tolerates what was wrong before and has not changed', () => {
    expect(updated(spec, { must: 'x', n: 1 }, { n: 1 })).toEqual([])
    expect(updated(spec, { must: 'x', n: 2 }, { n: 1 })).toHaveLength(1)
    expect(updated(spec, { must: 'x', map: { a: 1, b: 2 } }, { map: { a: 1 } })).toEqual(['spec.map.b: Invalid value: 2: spec.map.b in body should be greater than or equal to 5'])
  })

  it('does not tolerate what is missing in an object that changed otherwise', () => {
    expect(updated(spec, { n: 6 }, { n: 7 })).toEqual(['spec.must: Required value'])
    expect(updated(spec, { n: 6 }, { n: 6 })).toEqual([])
  })

  it('finds elements by key or by place, and none in lists that are atomic', () => {
    expect(updated(spec, { must: 'x', byName: [bad('c'), bad('b'), bad('a')] }, { byName: [bad('a'), bad('b')] })).toEqual(['spec.byName[0].v: Invalid value: 1: spec.byName[0].v in body should be greater than or equal to 5'])
    expect(updated(spec, { must: 'x', byPlace: [bad('a'), bad('b')] }, { byPlace: [bad('a')] })).toEqual(['spec.byPlace[1].v: Invalid value: 1: spec.byPlace[1].v in body should be greater than or equal to 5'])
    expect(updated(spec, { must: 'x', atomic: [bad('a'), bad('b')] }, { atomic: [bad('a')] })).toHaveLength(2)
    expect(updated(spec, { must: 'x', atomic: [bad('a')] }, { atomic: [bad('a')] })).toEqual([])
  })

  it('does not mind another order in a list of type map', () => {
    const limited: Schema = { ...spec, properties: { ...spec.properties, byName: { ...spec.properties?.byName, maxItems: 1 } } }
    expect(updated(limited, { must: 'x', byName: [bad('b'), bad('a')] }, { byName: [bad('a'), bad('b')] })).toEqual([])
  })
})
