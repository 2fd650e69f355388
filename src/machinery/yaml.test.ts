import { describe, expect, it } from 'vitest'
import { formatYaml, parseYaml, parseYamlDocuments } from './yaml.ts'

describe('YAML that is read', () => {
  it.each([
    ['mode: 0644', { mode: 420 }],
    ['a: yes', { a: true }],
    ['a: "yes"', { a: 'yes' }],
    ['a: 2026-11-21T06:39:53Z', { a: '2026-11-21T06:39:53Z' }],
    ['a: 2026-11-21', { a: '2026-11-21' }],
    ['a: 12:30', { a: '12:30' }],
    ['a: 1e3', { a: 1000 }],
    ['a: 1.0.0', { a: '1.0.0' }],
    ['a: ~', { a: null }],
    ['a: &x {b: 1}\nc: {<<: *x, d: 2}', { a: { b: 1 }, c: { b: 1, d: 2 } }],
    ['a: 1\na: 2', { a: 2 }],
    ['a: |\n  x\n  y\n', { a: 'x\ny\n' }],
    ['', null],
  ])('%j', (text, value) => expect(parseYaml(text)).toEqual(value))

  it('is refused when it is none, or nests aliases beyond reason', () => {
    expect(() => parseYaml('a: [')).toThrow()
    expect(() => parseYaml('a: 1\na: 2', { uniqueKeys: true })).toThrow(/unique/)
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...['b', 'c', 'd', 'e', 'f'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdef'[i]}`).join(',')}]`)].join('\n')
    expect(() => parseYaml(bomb)).toThrow()
  })
})

describe('YAML that is written', () => {
  it('is sorted, and does not indent lists', () => {
    expect(formatYaml({ b: [{ d: 1, c: 2 }], a: {} })).toBe('a: {}\nb:\n- c: 2\n  d: 1\n')
  })

  it.each(['yes', 'no', 'on', 'off', 'y', 'null', '~', '1', '0644', '1e3', '1_000', '12:30', '2026-11-21T06:39:53Z', '2026-11-21', '0x1f', '', ' a', 'a: b', '#x'])('keeps %j text for readers of YAML 1.1', (value) => {
    const text = formatYaml({ value })
    expect(text).toMatch(/^value: (".*"|'.*')\n$/)
    expect(parseYaml(text)).toEqual({ value })
  })

  it('keeps long and many-lined text as it is', () => {
    const value = { long: 'word '.repeat(100).trim(), lines: 'a\n  b\n\nc\n' }
    expect(formatYaml(value).split('\n')[0]).toBe('lines: |')
    expect(parseYaml(formatYaml(value))).toEqual(value)
  })
})

describe('several documents', () => {
  it('are read one by one, without the empty ones', () => {
    expect(parseYamlDocuments('a: 1\n---\n---\n# nothing\n---\nb: yes\n')).toEqual([{ a: 1 }, { b: true }])
  })
  it('are refused when one of them is none', () => expect(() => parseYamlDocuments('a: 1\n---\n"b\n')).toThrow(Error))
})
