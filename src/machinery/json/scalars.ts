/** Scalars in JSON: each has a decoder that gives the canonical value, or `bad`. */
import type { ScalarName } from '../../api/schema.ts'
import { quantityFrom } from '../quantity.ts'
import { formatDuration, parseDuration, parseInstant, rfc3339, rfc3339Micro, type Instant } from '../time.ts'

/** The value is not of the type. */
export const bad: unique symbol = Symbol('not of the type')

export type ScalarDecoder = (value: unknown) => unknown

const plainTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/
/** Go's zero time: it is written as null. */
const zeroTime = '0001-01-01T00:00:00Z'
const firstYear = Date.UTC(2000, 0, 1) / 1000 - 2000 * 365.2425 * 86400
const lastSecond = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000

/** Go takes no small letters. */
const instantOf = (text: string): Instant | undefined => (text[10] === 'T' && !text.endsWith('z') ? parseInstant(text) : undefined)

function time(value: unknown): unknown {
  if (typeof value !== 'string') return bad
  if (plainTime.test(value)) return value === zeroTime ? null : value
  const instant = instantOf(value)
  if (!instant || instant.seconds < firstYear || instant.seconds > lastSecond) return bad
  const text = rfc3339(instant.seconds * 1000)
  return text === zeroTime ? null : text
}

const plainMicroTime = /^\d{4}-\d\d-\d\dT\d\d:.{14}Z$/
const microForm = /\d\.\d{6}(?:Z|[+-]\d\d:\d\d)$/

function microTime(value: unknown): unknown {
  if (typeof value !== 'string' || !microForm.test(value)) return bad
  const instant = instantOf(value)
  if (!instant || instant.seconds < firstYear || instant.seconds > lastSecond) return bad
  return plainMicroTime.test(value) ? (value === '0001-01-01T00:00:00.000000Z' ? null : value) : microText(instant.seconds, instant.nanos)
}

/** The text of a MicroTime; six digits, cut off. */
export const microText = (seconds: number, nanos: number): string =>
  `${rfc3339Micro(seconds * 1000).slice(0, 20)}${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`

function bytes(value: unknown): unknown {
  if (typeof value !== 'string') return bad
  const text = value.includes('\n') || value.includes('\r') ? value.replaceAll(/[\r\n]/g, '') : value
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return bad
  // The last letter before the padding may carry bits that mean nothing: written anew without them.
  return text.endsWith('=') ? text.slice(0, -4) + Buffer.from(text.slice(-4), 'base64').toString('base64') : text
}

function duration(value: unknown): unknown {
  const nanos = typeof value === 'string' ? parseDuration(value) : undefined
  return nanos === undefined ? bad : formatDuration(nanos)
}

const isInt32 = (value: unknown): value is number => typeof value === 'number' && (value | 0) === value

function rawExtension(value: unknown): unknown {
  return typeof value === 'object' && !Array.isArray(value) ? value : bad
}

/** The decoders of all scalars that need nothing but themselves. -0 becomes 0. */
export const scalarDecoders: Readonly<Partial<Record<ScalarName, ScalarDecoder>>> = {
  string: (value) => (typeof value === 'string' ? value : bad),
  bool: (value) => (typeof value === 'boolean' ? value : bad),
  int32: (value) => (isInt32(value) ? value | 0 : bad),
  int64: (value) => (Number.isSafeInteger(value) ? (value as number) + 0 : typeof value === 'bigint' ? value : bad),
  double: (value) => (typeof value === 'bigint' ? Number(value) : typeof value === 'number' && Number.isFinite(value) ? value : bad),
  bytes,
  time,
  microTime,
  duration,
  quantity: (value) => quantityFrom(value) ?? bad,
  intOrString: (value) => (typeof value === 'string' || isInt32(value) ? value : bad),
  rawExtension,
  fieldsV1: rawExtension,
  json: (value) => value,
}

/** What a JSON value is, in the words of an error. */
export const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'bigint' ? 'number' : typeof value)
