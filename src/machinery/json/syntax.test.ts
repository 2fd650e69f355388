import { assert, constantFrom, json, nat, oneof, property, string } from 'fast-check'
import { expect, it } from 'vitest'
import { jsonFault } from './syntax.ts'

it.each([
  ['', 'unexpected end of JSON input'],
  ['{', 'unexpected end of JSON input'],
  ['{"a"', 'unexpected end of JSON input'],
  ['x', "invalid character 'x' looking for beginning of value"],
  ['{a', "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1', "invalid character '1' after object key"],
  ['{"a":1 "b"', `invalid character '"' after object key:value pair`],
  ['[1 2]', "invalid character '2' after array element"],
  ['{} {}', "invalid character '{' after top-level value"],
  ['not', "invalid character 'o' in literal null (expecting 'u')"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['-', 'unexpected end of JSON input'],
  ['-a', "invalid character 'a' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1ex', "invalid character 'x' in exponent of numeric literal"],
  ["'", "invalid character '\\'' looking for beginning of value"],
])('says of %j what Go says of it', (text, fault) => {
  expect(jsonFault(text)).toBe(fault)
})

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

it('finds a fault in exactly those texts that are no JSON', () => {
  assert(property(json(), (text) => jsonFault(text) === undefined))
  assert(property(oneof(string({ unit: constantFrom(...'{}[]:,"\\u0 1.e-+tfn\n') }), json().chain((text) => nat(text.length).map((at) => text.slice(0, at) + text.slice(at + 1)))), (text) => (jsonFault(text) === undefined) === parses(text)))
})
