import { expect, it } from 'vitest'
import { re2Error, re2Matcher } from './re2.ts'

it('takes linear time for expressions that would backtrack without end', () => {
  const started = performance.now()
  expect(re2Matcher('^(a+)+$')(`${'a'.repeat(100_000)}!`)).toBe(false)
  expect(performance.now() - started).toBeLessThan(2000)
})

it('has the syntax of RE2 and not that of JavaScript', () => {
  expect(re2Matcher('(?i)^[[:alpha:]]+\\z')('Abc')).toBe(true)
  expect(re2Matcher('^\\pL+$')('äß')).toBe(true)
  expect(re2Error('(?=x)')).toBe('error parsing regexp: invalid or unsupported Perl syntax: `(?=`')
  expect(re2Error('a(')).toBe('error parsing regexp: missing closing ): `a(`')
  expect(re2Error('a{2}')).toBeUndefined()
})
