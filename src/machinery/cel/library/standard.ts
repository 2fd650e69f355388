/** CEL's own functions: sizes, conversions, strings, moments. */
import { formatDouble } from '../../double.ts'
import { fail, work } from '../errors.ts'
import { containsCost, fn, method, regexCost, traverse, type FunctionDeclaration } from '../functions.ts'
import { regex } from '../regex.ts'
import { formatDuration, formatTimestamp, inRange, parseDuration, parseTimestamp } from '../time.ts'
import { BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT, listOf, mapOf, param, typeOf, type CelType } from '../types.ts'
import { Duration, Timestamp, TypeValue, Uint, int64, typeNameOf, uint64, type CelList, type CelMap, type CelValue } from '../values.ts'

const A = param('A')
const list = listOf(A)
const map = mapOf(param('B'), { key: A })

/** Characters of a string: code points. */
export const length = (text: string): number => {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--
  return count
}

const sizes: readonly (readonly [id: string, type: CelType, of: (value: never) => number])[] = [
  ['string', STRING, length],
  ['bytes', BYTES, (value: Uint8Array) => value.length],
  ['list', list, (value: CelList) => value.size],
  ['map', map, (value: CelMap) => value.size],
]

const fromDouble = (value: number): bigint => (value > -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : fail('integer overflow'))
/** A text that is none of the type. */
const unfit = (type: string): never => fail(`type conversion error from 'string' to '${type}'`)
const fromText = (text: string): bigint => {
  const value = /^[+-]?\d{1,40}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
  return value !== undefined && BigInt.asIntN(64, value) === value ? value : unfit('int')
}
const unsignedFromText = (text: string): Uint => {
  const value = /^\d{1,40}$/.test(text) ? BigInt(text) : undefined
  return value !== undefined && BigInt.asUintN(64, value) === value ? new Uint(value) : unfit('uint')
}
const finite = (value: number): number => (Number.isFinite(value) ? value : unfit('double'))
const doubleFromText = (text: string): number => {
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return finite(Number(text))
  if (/^[+-]?\d+(?:_\d+)+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return finite(Number(text.replaceAll('_', '')))
  const [, minus, whole = '', fraction = '', power] = /^([+-]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([+-]?\d+)$/.exec(text) ?? []
  if (power !== undefined && whole + fraction !== '') return finite((minus === '-' ? -1 : 1) * Number(`0x${whole}${fraction}`) * 2 ** (Number(power) - 4 * fraction.length))
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (!special) return unfit('double')
  return /nan/i.test(special[2] as string) ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
}
const truths: Readonly<Record<string, boolean>> = { '1': true, t: true, T: true, true: true, TRUE: true, True: true, '0': false, f: false, F: false, false: false, FALSE: false, False: false }

/** Bytes as text; fails for what is not UTF-8. */
export const decode = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    return error instanceof TypeError ? fail('invalid UTF-8 in bytes, cannot convert to string') : fail(String(error))
  }
}

const same = (name: string, type: CelType) => fn(name, `${name}_to_${name}`, [type], type, (value: CelValue) => value)
const seconds = 1_000_000_000n
const floorDiv = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b

const conversions: readonly FunctionDeclaration[] = [
  same('int', INT), same('uint', UINT), same('double', DOUBLE), same('string', STRING), same('bytes', BYTES), same('bool', BOOL), same('timestamp', TIMESTAMP), same('duration', DURATION),
  fn('int', 'uint64_to_int64', [UINT], INT, (value: Uint) => int64(value.value)),
  fn('int', 'double_to_int64', [DOUBLE], INT, fromDouble),
  fn('int', 'string_to_int64', [STRING], INT, fromText),
  fn('int', 'timestamp_to_int64', [TIMESTAMP], INT, (value: Timestamp) => floorDiv(value.nanos, seconds)),
  fn('int', 'duration_to_int64', [DURATION], INT, (value: Duration) => value.nanos),
  fn('uint', 'int64_to_uint64', [INT], UINT, uint64),
  fn('uint', 'double_to_uint64', [DOUBLE], UINT, (value: number) => (value >= 0 && value < 2 ** 64 ? new Uint(BigInt(Math.trunc(value))) : fail('unsigned integer overflow'))),
  fn('uint', 'string_to_uint64', [STRING], UINT, unsignedFromText),
  fn('double', 'int64_to_double', [INT], DOUBLE, Number),
  fn('double', 'uint64_to_double', [UINT], DOUBLE, (value: Uint) => Number(value.value)),
  fn('double', 'string_to_double', [STRING], DOUBLE, doubleFromText),
  fn('string', 'int64_to_string', [INT], STRING, String),
  fn('string', 'uint64_to_string', [UINT], STRING, (value: Uint) => String(value.value)),
  fn('string', 'double_to_string', [DOUBLE], STRING, formatDouble),
  fn('string', 'bool_to_string', [BOOL], STRING, String),
  fn('string', 'bytes_to_string', [BYTES], STRING, decode, { ...traverse(), byOverload: true, size: ([raw = { min: 0, max: Infinity }]) => ({ min: Math.trunc(raw.min / 4), max: raw.max }) }),
  fn('string', 'timestamp_to_string', [TIMESTAMP], STRING, formatTimestamp),
  fn('string', 'duration_to_string', [DURATION], STRING, formatDuration),
  fn('bytes', 'string_to_bytes', [STRING], BYTES, (value: string) => new TextEncoder().encode(value), { ...traverse(), byOverload: true, size: ([text = { min: 0, max: Infinity }]) => ({ min: text.min, max: text.max * 4 }) }),
  fn('bool', 'string_to_bool', [STRING], BOOL, (value: string) => truths[value] ?? unfit('bool')),
  fn('timestamp', 'string_to_timestamp', [STRING], TIMESTAMP, (value: string) => (/^\d{4}-\d\d-\d\d$/.test(value) ? undefined : parseTimestamp(value)) ?? fail(`invalid RFC 3339 timestamp ${JSON.stringify(value)}`)),
  fn('timestamp', 'int64_to_timestamp', [INT], TIMESTAMP, (value: bigint) => (inRange(value * seconds) ? new Timestamp(value * seconds) : fail('timestamp overflow'))),
  fn('duration', 'string_to_duration', [STRING], DURATION, (value: string) => parseDuration(value) ?? unfit('google.protobuf.Duration')),
  fn('duration', 'int64_to_duration', [INT], DURATION, (value: bigint) => new Duration(value)),
  fn('type', 'type', [A], typeOf(A), (value: CelValue) => new TypeValue(typeNameOf(value))),
]

const strings: readonly FunctionDeclaration[] = [
  method('contains', 'contains_string', [STRING, STRING], BOOL, (text: string, part: string) => text.includes(part), containsCost),
  method('startsWith', 'starts_with_string', [STRING, STRING], BOOL, (text: string, part: string) => text.startsWith(part), traverse(1)),
  method('endsWith', 'ends_with_string', [STRING, STRING], BOOL, (text: string, part: string) => text.endsWith(part), traverse(1)),
  method('matches', 'matches_string', [STRING, STRING], BOOL, (text: string, pattern: string) => regex(pattern).test(text), regexCost),
  fn('matches', 'matches', [STRING, STRING], BOOL, (text: string, pattern: string) => regex(pattern).test(text), regexCost),
]

type Part = (date: Date, nanos: bigint) => number
const dayOfYear = (date: Date): number => Math.floor((Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000)
const parts: Readonly<Record<string, Part>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDayOfYear: dayOfYear,
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
}
const ofDuration: Readonly<Record<string, bigint>> = { getHours: 3600n * seconds, getMinutes: 60n * seconds, getSeconds: seconds, getMilliseconds: 1_000_000n }

const utc = ({ nanos }: Timestamp): Date => new Date(Number(floorDiv(nanos, 1_000_000n)))

/** The minutes of `-05:30`. */
function offsetOf(zone: string): number {
  const at = zone.indexOf(':')
  const [hours, minutes] = [zone.slice(0, at), zone.slice(at + 1)].map((text) => (/^[+-]?\d{1,9}$/.test(text) ? Number(text) : fail(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`))) as [number, number]
  if (Math.abs(hours) > 23) return fail(`timezone offset hours out of range [-23, 23]: ${zone}`)
  if (minutes < 0 || minutes > 59) return fail(`timezone offset minutes out of range [0, 59]: ${zone}`)
  return hours * 60 + (zone.startsWith('-') ? -minutes : minutes)
}

/** The wall clock of a time zone (`America/New_York`, `-05:30`), told as if it were UTC. */
function zoned(moment: Timestamp, zone: string): Date {
  const date = utc(moment)
  if (zone.includes(':')) return new Date(date.getTime() + offsetOf(zone) * 60_000)
  if (zone === '' || zone === 'UTC') return date
  work(zoneSteps / 10)
  const shown = Object.fromEntries(clockOf(zone).formatToParts(date).map(({ type, value }) => [type, Number(value)])) as Readonly<Record<string, number>>
  return new Date(Date.UTC(shown['year'] as number, (shown['month'] as number) - 1, shown['day'], shown['hour'], shown['minute'], shown['second'], date.getUTCMilliseconds()))
}

const clocks = new Map<string, Intl.DateTimeFormat>()
const mostClocks = 100
/** Steps for finding out about a zone that was not asked for lately. */
const zoneSteps = 1000

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone)
  if (known) return known
  work(zoneSteps)
  try {
    const made = new Intl.DateTimeFormat('en-US', { ...(zone === 'Local' ? {} : { timeZone: zone }), hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
    // Names of zones are files to Go: their case matters.
    const { timeZone } = made.resolvedOptions()
    if (timeZone !== zone && timeZone.toLowerCase() === zone.toLowerCase()) throw new RangeError(zone)
    if (clocks.size >= mostClocks) clocks.clear()
    clocks.set(zone, made)
    return made
  } catch (error) {
    return error instanceof RangeError ? fail(`unknown time zone ${zone}`) : fail(String(error))
  }
}

const accessors: readonly FunctionDeclaration[] = Object.entries(parts).flatMap(([name, part]) => {
  const unit = ofDuration[name]
  return [
    method(name, `timestamp_${name}`, [TIMESTAMP], INT, (moment: Timestamp) => BigInt(part(utc(moment), moment.nanos))),
    method(name, `timestamp_${name}_with_tz`, [TIMESTAMP, STRING], INT, (moment: Timestamp, zone: string) => BigInt(part(zoned(moment, zone), moment.nanos))),
    ...(unit === undefined ? [] : [method(name, `duration_${name}`, [DURATION], INT, (span: Duration) => span.nanos / unit)]),
  ]
})

export const standard: readonly FunctionDeclaration[] = [
  ...sizes.flatMap(([id, type, of]) => {
    const call = (value: never) => BigInt(of(value))
    return [fn('size', `size_${id}`, [type], INT, call), method('size', `${id}_size`, [type], INT, call)]
  }),
  ...conversions,
  ...strings,
  ...accessors,
]
