import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { argumentBoolean, argumentDuration, argumentFile, argumentList, argumentNumber, mergeArguments, parseArguments } from './apiserver-arguments.ts'

const known = { 'some-file': 'file', 'some-count': 'number', 'some-switch': 'boolean', 'some-time': 'duration', 'some-list': 'list', 'some-text': 'text', 'some-rate': 'decimal' } as const

describe('arguments of the API server', () => {
  it('are read by their kind', () => {
    const all = parseArguments(['some-count=3', '--some-switch', 'some-time=1m30s', 'some-list=a, b,', 'some-text=x=y'], known)
    expect(argumentNumber(all, 'some-count')).toBe(3)
    expect(argumentBoolean(all, 'some-switch')).toBe(true)
    expect(argumentDuration(all, 'some-time')).toBe(90_000)
    expect(argumentDuration(parseArguments(['some-time=0'], known), 'some-time')).toBe(0)
    expect(argumentList(all, 'some-list')).toEqual(['a', 'b'])
    expect(all['some-text']).toBe('x=y')
    expect(argumentNumber(undefined, 'some-count')).toBeUndefined()
  })

  it('are refused when nobody knows them or they do not fit', () => {
    expect(() => parseArguments(['watch-cache=true'], known)).toThrow('--kube-apiserver-arg watch-cache: unknown flag')
    expect(() => parseArguments(['constructor=1'], known)).toThrow('unknown flag')
    expect(() => parseArguments(['some-count=many'], known)).toThrow('"many" is not a whole number')
    expect(argumentNumber(parseArguments(['some-rate=0.5'], known), 'some-rate')).toBe(0.5)
    expect(() => parseArguments(['some-rate=-1'], known)).toThrow('"-1" is not a number')
    expect(['1', 'T', 'True', '0', 'f', 'FALSE'].map((text) => parseArguments([`some-switch=${text}`], known)['some-switch'])).toEqual(['true', 'true', 'true', 'false', 'false', 'false'])
    expect(() => parseArguments(['some-switch=yes'], known)).toThrow('"yes" is not true or false')
    expect(() => parseArguments(['some-time=5'], known)).toThrow('is not a duration')
    expect(() => parseArguments(['some-file'], known)).toThrow('write some-file=VALUE')
  })

  it('are remembered until they are taken back', () => {
    const first = mergeArguments(undefined, parseArguments(['some-count=3', 'some-text=a'], known))
    expect(mergeArguments(first, parseArguments(['some-text=b'], known))).toEqual({ 'some-count': '3', 'some-text': 'b' })
    expect(mergeArguments({ 'some-text': 'a' }, parseArguments(['some-text='], known))).toBeUndefined()
    expect(mergeArguments(undefined, undefined)).toBeUndefined()
  })

  it('name files by their absolute path, and say which one cannot be read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'skiff-arguments-'))
    try {
      writeFileSync(join(directory, 'policy.yaml'), 'rules: []')
      const all = parseArguments([`some-file=${directory}/./policy.yaml`], known)
      expect(all['some-file']).toBe(join(directory, 'policy.yaml'))
      expect(argumentFile(all, 'some-file')).toBe('rules: []')
      expect(() => argumentFile({ 'some-file': join(directory, 'none') }, 'some-file')).toThrow(`some-file: cannot read ${join(directory, 'none')}`)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
