import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseFieldSelector } from './fields.ts'
import { fromLabelSelector, parseLabelSelector, selectorFromSet } from './labels.ts'
import { onlyApiErrors } from './testing.ts'

const labels = { app: 'web', tier: 'front', version: '12', empty: '' }

describe('parseLabelSelector', () => {
  it.each([
    ['', true], ['app=web', true], ['app==web', true], ['app = web , tier=front', true], ['app!=web', false], ['missing!=x', true], ['app', true], ['!app', false], ['! missing', true],
    ['app in (web,db)', true], ['app in (db)', false], ['app notin (db, x)', true], ['missing notin (a)', true], ['version>9', true], ['version<9', false], ['app>9', false],
    ['empty=', true], ['app=', false], ['empty in (,x)', true], ['in in (in)', false], ['example.com/x!=1', true], ['toString', false],
  ])('%j: %s', (text, matches) => expect(parseLabelSelector(text).matches(labels)).toBe(matches))
  it('matches nothing that is missing on an object without labels', () => {
    expect([parseLabelSelector('a').matches(undefined), parseLabelSelector('!a').matches(undefined)]).toEqual([false, true])
  })
  it('is written sorted by key', () => {
    expect(parseLabelSelector('b in (2,1),!c,a=x,d>3,e').toString()).toBe('a=x,b in (1,2),!c,d>3,e')
  })
  it.each([
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (b,', "unable to parse requirement: found '', expected: ',', or identifier"],
    ['a in (=', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['!a b', "found 'b', expected: ',' or 'end of string'"],
    ['a/', 'unable to parse requirement: <nil>: Invalid value: "a/": name part must be non-empty; name part must consist of'],
    ['!', "unable to parse requirement: found '', expected: identifier"],
  ])('refuses %j as Kubernetes words it', (text, message) => expect(() => parseLabelSelector(text)).toThrow(message))
  it.each(['a=_b', '-a=b', 'a/b/c', 'a>x', `a=${'x'.repeat(64)}`])('refuses the key or the value of %j', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 400, message: expect.stringMatching(/unable to parse requirement: (<nil>|values\[0\].*): Invalid value/) }))
  })
  it('reads back what it wrote, and never throws anything but an ApiError', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab1-._/ ,()=!<>in\\'), maxLength: 20 }), (text) => onlyApiErrors(() => {
      const selector = parseLabelSelector(text)
      expect(parseLabelSelector(selector.toString()).toString()).toBe(selector.toString())
    })), { numRuns: 2000 })
  })
})

describe('fromLabelSelector', () => {
  it('selects nothing when undefined, everything when empty', () => {
    expect([fromLabelSelector(undefined).matches({}), fromLabelSelector({}).matches({})]).toEqual([false, true])
  })
  it('joins labels and expressions', () => {
    const selector = fromLabelSelector({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }, { key: 'x', operator: 'DoesNotExist' }] })
    expect([selector.matches(labels), selector.matches({ ...labels, x: '' }), selector.toString()]).toEqual([true, false, 'app=web,tier notin (back),!x'])
  })
  it('refuses operators it does not know and lists that do not fit', () => {
    for (const expression of [{ key: 'a', operator: 'Like', values: ['x'] }, { key: 'a', operator: 'In' }, { key: 'a', operator: 'Exists', values: ['x'] }]) {
      expect(() => fromLabelSelector({ matchExpressions: [expression] })).toThrow(expect.objectContaining({ code: 400 }))
    }
  })
  it('selects the labels of a set', () => expect(selectorFromSet({ app: 'web' }).matches(labels)).toBe(true))
})

describe('parseFieldSelector', () => {
  const values = { 'metadata.name': 'web', 'status.phase': 'Running', 'spec.odd': 'a,b=c\\' }
  it.each([
    ['', true], ['metadata.name=web', true], ['metadata.name==web,status.phase!=Pending', true], ['metadata.name!=web', false], ['missing=', true], ['missing=x', false],
    ['spec.odd=a\\,b\\=c\\\\', true], [',metadata.name=web,', true],
  ])('%j: %s', (text, matches) => expect(parseFieldSelector(text).matches(values)).toBe(matches))
  it('refuses terms without an operator and unknown escapes', () => {
    expect(() => parseFieldSelector('abc')).toThrow("invalid selector: 'abc'; can't understand 'abc'")
    for (const text of ['a=b=c', 'a=\\x', 'a=\\']) expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ code: 400 }))
  })
  it('reads back what it wrote, and never throws anything but an ApiError', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab.=!,\\'), maxLength: 20 }), (text) => onlyApiErrors(() => {
      const selector = parseFieldSelector(text)
      expect(parseFieldSelector(selector.toString()).requirements).toEqual(selector.requirements)
    })), { numRuns: 2000 })
  })
})
