/** For property tests: schemas, structural or not, and values that have something to do with them. */
import * as fc from 'fast-check'
import type { Schema } from './props.ts'

const names = fc.constantFrom('a', 'b', 'c', 'name', 'metadata', 'kind', 'apiVersion', '__proto__', 'constructor', 'x.y', '10', '9')
const leafRules = fc.constantFrom('true', 'self == self', 'self == oldSelf', 'self.size() > 1', 'self > 1', 'self.a == 1', 'has(self.a)', 'self.all(x, x == x)', 'self.exists(x, self[x] == "")', '1 / 0 == 1', 'self[100] == 1', '!(')
const rules = fc.option(fc.array(fc.record({ rule: leafRules }, { requiredKeys: ['rule'] }), { maxLength: 2 }), { nil: undefined })
export const json = fc.jsonValue({ maxDepth: 3 })

/** Schemas, structural or not: definitions are checked with them, objects are validated by those that pass. */
export const schemas: fc.Arbitrary<Schema> = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof({ maxDepth: 4, withCrossShrink: true },
    fc.record({
      type: fc.constantFrom('string', 'integer', 'number', 'boolean'), nullable: fc.boolean(), default: json, enum: fc.array(json, { maxLength: 3 }), minimum: fc.integer({ min: -3, max: 3 }), maximum: fc.double({ noNaN: true }),
      multipleOf: fc.constantFrom(0, 1, 0.1, -1), minLength: fc.nat(3), maxLength: fc.nat(3), pattern: fc.constantFrom('^a*$', '(a+)+$', '['), format: fc.constantFrom('date', 'int32', 'ipv4', 'nonsense', 'byte', 'duration'), 'x-kubernetes-validations': rules,
    }, { requiredKeys: ['type'] }),
    fc.record({
      type: fc.constant('object'), properties: fc.dictionary(names, tie('schema'), { maxKeys: 4 }), required: fc.array(names, { maxLength: 2 }), nullable: fc.boolean(), default: json, maxProperties: fc.nat(3), 'x-kubernetes-validations': rules,
      'x-kubernetes-preserve-unknown-fields': fc.constant(true), 'x-kubernetes-embedded-resource': fc.constant(true), 'x-kubernetes-map-type': fc.constantFrom('atomic', 'granular'), anyOf: fc.array(fc.record({ required: fc.array(names, { maxLength: 2 }) }), { minLength: 1, maxLength: 2 }),
    }, { requiredKeys: ['type'] }),
    fc.record({ type: fc.constant('object'), additionalProperties: fc.oneof(tie('schema'), fc.boolean()), default: json, 'x-kubernetes-validations': rules }, { requiredKeys: ['type', 'additionalProperties'] }),
    fc.record({
      type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(2), maxItems: fc.nat(3), 'x-kubernetes-list-type': fc.constantFrom('set', 'map', 'atomic'), 'x-kubernetes-list-map-keys': fc.array(names, { maxLength: 2 }), default: json, 'x-kubernetes-validations': rules,
    }, { requiredKeys: ['type', 'items'] }),
    fc.record({ 'x-kubernetes-int-or-string': fc.constant(true), default: json, 'x-kubernetes-validations': rules }, { requiredKeys: ['x-kubernetes-int-or-string'] }),
    fc.record({ 'x-kubernetes-preserve-unknown-fields': fc.constant(true) }),
  ),
})).schema as fc.Arbitrary<Schema>

/** Values that have something to do with such schemas. */
export const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.constantFrom<unknown>(null, true, '', 'a', 'aaaa', '2020-01-01', '10.0.0.1', '1h'), fc.integer({ min: -5, max: 5 }), fc.constantFrom(0.5, 1e300, 2 ** 60), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(names, tie('value'), { maxKeys: 4 }), json),
})).value
