import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deepEqual } from '../meta.ts'
import { formatYaml } from '../yaml.ts'
import { yamlToJsonNow } from '../yaml-json.ts'
import { exactInteger, parseExactly } from './exact.ts'

describe('integers beyond 2^53', () => {
  it('come out again with all their digits', () => {
    const text = '{"a":9223372036854775807,"b":[-9223372036854775808,{"c":9007199254740993}],"d":"9223372036854775807"}'
    expect(JSON.stringify(parseExactly(text))).toBe(text)
    expect(formatYaml(parseExactly('{"a":9223372036854775807}'))).toBe('a: 9223372036854775807\n')
    expect(yamlToJsonNow('a: 9223372036854775807\nb: 0x7fffffffffffffff\nc: 9_007_199_254_740_993\nd: "9223372036854775807"\n', false).json)
      .toBe('{"a":9223372036854775807,"b":9223372036854775807,"c":9007199254740993,"d":"9223372036854775807"}')
  })

  it('are equal to themselves and to nothing near them', () => {
    const [a, same, near] = ['9007199254740993', '9007199254740993', '9007199254740992'].map((text) => parseExactly(`{"v":${text}}`))
    expect(deepEqual(a, same)).toBe(true)
    expect(deepEqual(a, near)).toBe(false)
  })

  it('leaves all other numbers what they are', () => {
    expect(parseExactly('[1, 9007199254740991, 1.5, 0.1234567890123456789, 1e17, 9223372036854775808, -9223372036854775809]'))
      .toEqual([1, 9007199254740991, 1.5, 0.12345678901234568, 1e17, 2 ** 63, -(2 ** 63)])
    expect([exactInteger(5n), exactInteger(-(2n ** 53n) + 1n), exactInteger(2n ** 64n)]).toEqual([5, -9007199254740991, 2 ** 64])
  })

  it('finds them wherever they stand in a text', () => {
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(exactInteger), fc.integer(), fc.string(), fc.boolean(), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.string({ maxLength: 20 }), tie('value'), { maxKeys: 4 })),
    })).value
    fc.assert(fc.property(value, fc.nat(4), (made, indent) => {
      const text = JSON.stringify(made, null, indent)
      expect(JSON.stringify(parseExactly(text))).toBe(JSON.stringify(made))
    }))
  })
})
