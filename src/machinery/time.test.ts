import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scaledValue } from './intorstring.ts'
import { formatDuration, parseDuration, parseInstant, parseTime, rfc3339, rfc3339Micro, shortAge } from './time.ts'

describe('times', () => {
  it('are written in seconds, cut off, or in microseconds', () => {
    const at = Date.parse('2026-01-02T03:04:05.678Z')
    expect([rfc3339(at), rfc3339Micro(at), rfc3339(-1)]).toEqual(['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.678000Z', '1969-12-31T23:59:59Z'])
  })
  it('are read with zones and fractions', () => {
    expect(parseTime('2026-01-02T03:04:05.5+01:30')).toBe(Date.parse('2026-01-02T01:34:05.500Z'))
    expect(parseInstant('2026-01-01T00:00:00.123456789Z')?.nanos).toBe(123456789)
    expect(parseTime('0001-01-01T00:00:00Z')).toBe(-62135596800000)
  })
  it.each(['', 'now', '2026-01-02', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:00:00', '2026-01-01 00:00:00Z'])('%j is none', (text) => {
    expect(() => parseTime(text)).toThrow(expect.objectContaining({ code: 400 }))
  })
  it('know leap years', () => {
    expect(['2024-02-29', '2000-02-29', '1900-02-29', '2023-02-29'].map((day) => parseInstant(`${day}T00:00:00Z`) !== undefined)).toEqual([true, true, false, false])
  })
})

describe('shortAge', () => {
  const [s, m, h, d] = [1000, 60_000, 3_600_000, 86_400_000]
  it.each([
    [0, '0s'], [-2 * s, '<invalid>'], [-s, '0s'], [5 * s + 999, '5s'], [119 * s, '119s'], [120 * s, '2m'], [150 * s, '2m30s'], [10 * m, '10m'], [179 * m, '179m'], [3 * h, '3h'],
    [3 * h + 5 * m, '3h5m'], [8 * h + 5 * m, '8h'], [47 * h, '47h'], [2 * d, '2d'], [4 * d + 12 * h, '4d12h'], [8 * d + h, '8d'], [729 * d, '729d'], [730 * d, '2y'], [760 * d, '2y30d'], [3000 * d, '8y'],
  ])('%d ms is %s', (ms, text) => expect(shortAge(ms)).toBe(text))
})

describe('durations', () => {
  it.each([['1m30s', '1m30s'], ['90s', '1m30s'], ['1.5h', '1h30m0s'], ['0', '0s'], ['100ms', '100ms'], ['1.5us', '1.5µs'], ['-5s', '-5s'], ['1h', '1h0m0s'], ['1ns', '1ns'], ['1.5s', '1.5s']])(
    '%s is written %s', (text, canonical) => expect(formatDuration(parseDuration(text) as bigint)).toBe(canonical))
  it.each(['', '1', 's', '1d', '1m 30s', '-', '.s', '9999999999h'])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined())
  it('are read as they were written', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (n) => { expect(parseDuration(formatDuration(n))).toBe(n) }))
  })
})

describe('scaledValue', () => {
  it.each([[3, 10, true, 3], ['25%', 10, true, 3], ['25%', 10, false, 2], ['0%', 10, true, 0], ['150%', 10, true, 15]] as const)('%s of %d, rounded up: %s is %d', (value, total, up, result) => {
    expect(scaledValue(value, total, up)).toBe(result)
  })
  it.each(['25', 'x%', '%', '2.5%'])('refuses %j', (value) => expect(() => scaledValue(value, 10, true)).toThrow(expect.objectContaining({ code: 400 })))
})
