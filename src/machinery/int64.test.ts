import { expect, it } from 'vitest'
import { parseInt64 } from './int64.ts'

it.each([
  ['0', 0n], ['-0', 0n], ['+7', 7n], ['-12', -12n], ['000', 0n], ['0000000000000000000000012', 12n],
  ['9223372036854775807', 2n ** 63n - 1n], ['-9223372036854775808', -(2n ** 63n)],
  ['9223372036854775808', 'value out of range'], ['-9223372036854775809', 'value out of range'], ['99999999999999999999', 'value out of range'],
  ['', 'invalid syntax'], ['+', 'invalid syntax'], ['1e3', 'invalid syntax'], ['0x10', 'invalid syntax'], [' 1', 'invalid syntax'], ['1_000', 'invalid syntax'],
])('reads %s', (text, expected) => expect(parseInt64(text)).toBe(expected))

it('is done at once with a number of a million digits', () => {
  const began = performance.now()
  expect(parseInt64('9'.repeat(1_000_000))).toBe('value out of range')
  expect(performance.now() - began).toBeLessThan(100)
})
