/** `"%s has %d".format(["a", 1])`, as version 2 of cel-go's strings does it: the clauses s, d, f, e, b, x, X, o; numbers with `%f` and `%e` as English writes them. */
import { Failure, fail, work } from '../errors.ts'
import { formatDuration, formatTimestamp } from '../time.ts'
import { CelList, CelMap, Duration, Timestamp, TypeValue, Uint, numberOf, typeNameOf, type CelValue } from '../values.ts'
import { formatDouble } from '../../double.ts'
import { decode } from './standard.ts'

const maxResult = 1_000_000
const maxPrecision = 100

/** The text with each clause replaced by its argument; arguments that no clause asks for are left out. Fails as cel-go fails. */
export function format(text: string, args: CelList): string {
  let size = 0
  return interpolate(text, args.size, (verb, index, precision) => {
    const shown = clause(verb, args.at(index), Math.min(precision ?? 6, maxPrecision))
    size += shown.length
    return size > maxResult ? fail('the formatted string is too long') : shown
  }).text
}

/** Replaces the clauses of `text` in order; `used` is how many there are. Fails for a clause that is none, and for one more than `count`. */
export function interpolate(text: string, count: number, clause: (verb: string, index: number, precision: number | undefined) => string): { readonly text: string; readonly used: number } {
  let used = 0
  const out = text.replaceAll(/%(?:%|(?:(\.)(\d*))?(.?))/gsu, (whole, point: string | undefined, digits: string | undefined, verb: string | undefined) => {
    if (whole === '%%') return '%'
    if (whole === '%') return fail('unexpected end of string')
    if (used >= count) return fail(`index ${used} out of range`)
    if (point && !verb) return badClause('error while parsing precision: could not find end of precision specifier')
    if (point && !digits) return badClause('error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax')
    if (!verb || !takes.has(verb)) return badClause(`unrecognized formatting clause "${verb ?? ''}"`)
    return clause(verb, used++, digits === undefined ? undefined : Number(digits))
  })
  return { text: out, used }
}

const badClause = (message: string): never => fail(`could not parse formatting clause: ${message}`)

interface Taken { readonly types: ReadonlySet<string>; readonly message: string }
const taken = (types: readonly string[], message: string): Taken => ({ types: new Set(types), message })
const hexadecimal = taken(['int', 'uint', 'string', 'bytes'], 'only integers, byte buffers, and strings can be formatted as hex')
const shows = ['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'google.protobuf.Timestamp', 'bytes', 'google.protobuf.Duration', 'type', 'null_type']
const takes: ReadonlyMap<string, Taken> = new Map([
  ['s', taken(shows, 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps')],
  ['d', taken(['int', 'uint'], 'decimal clause can only be used on integers')],
  ['f', taken(['double', 'string'], 'fixed-point clause can only be used on doubles')],
  ['e', taken(['double', 'string'], 'scientific clause can only be used on doubles')],
  ['b', taken(['int', 'uint', 'bool'], 'only integers and bools can be formatted as binary')],
  ['x', hexadecimal], ['X', hexadecimal],
  ['o', taken(['int', 'uint'], 'octal clause can only be used on integers')],
])

const refusal = (verb: string, type: string): string => `error during formatting: ${takes.get(verb)?.message}, was given ${type}`

/** What a clause says of a value of a type that it does not take (by the type's name), undefined when it does. */
export const refusedBy = (verb: string, type: string): string | undefined => (takes.get(verb)?.types.has(type) ? undefined : refusal(verb, type))

function clause(verb: string, value: CelValue, precision: number): string {
  if (verb === 's') return show(value)
  const type = typeNameOf(value)
  const number = verb === 'f' || verb === 'e' ? floating(value) : numberOf(value)
  if (!takes.get(verb)?.types.has(type) || ((verb === 'f' || verb === 'e') && number === undefined)) return fail(refusal(verb, type))
  switch (verb) {
    case 'f': return fixed(number as number, precision)
    case 'e': return scientific(number as number, precision)
    case 'b': return typeof value === 'boolean' ? (value ? '1' : '0') : (number as bigint).toString(2)
    case 'o': return (number as bigint).toString(8)
    case 'x': return hex(value)
    case 'X': return hex(value).toUpperCase()
    default: return String(number)
  }
}

/** Doubles, and those that only text can name. */
const floating = (value: CelValue): number | undefined =>
  (value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : typeof value === 'number' ? value : undefined)
const special = (value: number): string | undefined => (Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? undefined : value > 0 ? '∞' : '-∞')

/** With so many digits after the point, and a comma for every thousand. */
const fixed = (value: number, precision: number): string => special(value) ?? rounded(value + 0, precision).replace(/^-?\d+/, (whole) => whole.replaceAll(/\B(?=(\d{3})+$)/g, ','))

/** `1.500000×10⁰³`; a precision is how wide it is at least. */
function scientific(value: number, width: number): string {
  const shown = special(value) ?? value.toExponential(6).replace(/e([+-])(\d+)$/, (_, sign: string, power: string) =>
    `×10${sign === '-' ? '⁻' : ''}${Array.from(power.padStart(2, '0'), (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(digit))).join('')}`)
  return shown.padStart(width)
}

/** With so many digits after the point; what lies exactly between two goes to the even one, as in Go. */
function rounded(value: number, precision: number): string {
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`
  const text = Object.is(value, -0) ? `-${(0).toFixed(precision)}` : value.toFixed(precision)
  const exact = Math.abs(value).toFixed(Math.min(100, precision + 50))
  const point = exact.indexOf('.')
  if (!/^50*$/.test(exact.slice(point + 1 + precision))) return text
  const down = precision === 0 ? exact.slice(0, point) : exact.slice(0, point + 1 + precision)
  return /[13579]$/.test(down) ? text : (value < 0 ? '-' : '') + down
}

function hex(value: CelValue): string {
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.from(value as string).toString('hex')
  return (numberOf(value) as bigint).toString(16)
}

/** Any value as text. */
function show(value: CelValue, depth = 0): string {
  work(1)
  if (depth > 100) return fail('error during formatting: nested too deep')
  if (value === null) return 'null'
  if (typeof value === 'number') return formatDouble(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return text(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeValue) return value.name
  if (value instanceof CelList) return `[${value.values().map((item) => inside(item, depth + 1)).join(', ')}]`
  if (value instanceof CelMap) {
    const entries = value.keys().map((key) => [keyed(key), inside(value.get(key) as CelValue, depth + 1)] as const)
    return `{${entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([key, item]) => `${key}:${item}`).join(', ')}}`
  }
  return fail(depth > 0 ? `error during formatting: no formatting function for ${value.typeName}` : refusal('s', value.typeName))
}

const text = (bytes: Uint8Array): string => {
  try {
    return decode(bytes)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return fail(`error during formatting: could not convert argument ${JSON.stringify(error.message)} to string`)
  }
}

/** A value in a list or map, as an expression would write it. */
function inside(value: CelValue, depth: number): string {
  if (typeof value === 'number') return Number.isFinite(value) ? rounded(value, 6) : `"${formatDouble(value)}"`
  const shown = show(value, depth)
  if (typeof value === 'string') return quoted(shown)
  if (value instanceof Uint8Array) return `b${quoted(shown)}`
  if (value instanceof Timestamp) return `timestamp(${quoted(shown)})`
  return value instanceof Duration ? `duration(${quoted(shown)})` : shown
}

function keyed(key: CelValue): string {
  if (typeof key === 'string') return quoted(key)
  const number = numberOf(key)
  if (typeof key === 'boolean' || typeof number === 'bigint') return String(number ?? key)
  return fail(`error during formatting: no formatting function for map key of type ${typeNameOf(key)}`)
}

const escapes: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' }

/** Text in quotes as Go writes it: what cannot be printed is escaped. */
function quoted(value: string): string {
  const escaped = value.replaceAll(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (character) => {
    const code = character.codePointAt(0) as number
    const digits = code.toString(16)
    return escapes[character] ?? (code < 0x80 ? `\\x${digits.padStart(2, '0')}` : code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`)
  })
  return `"${escaped}"`
}
