/** `"%s has %d".format(["a", 1])`: the clauses s, d, f, e, b, x, X, o, with a precision for f and e. */
import { fail, work } from '../errors.ts'
import { formatDuration, formatTimestamp } from '../time.ts'
import { CelList, CelMap, Duration, Optional, Timestamp, TypeValue, Uint, numberOf, typeNameOf, type CelValue } from '../values.ts'
import { formatDouble } from './standard.ts'

const maxResult = 1_000_000
const maxPrecision = 100

/** The text with each clause replaced by its argument. */
export function format(text: string, args: CelList): string {
  let next = 0
  let size = 0
  const out = text.replaceAll(/%(?:%|(?:\.(\d*))?([a-zA-Z])?)/g, (clause, precision: string | undefined, verb: string | undefined) => {
    if (clause === '%%') return '%'
    if (verb === undefined) return fail('could not parse formatting clause: unexpected end of string')
    if (next >= args.size) return fail(`index ${next} out of range`)
    const shown = clauses(verb, args.at(next++), precision === undefined ? 6 : Math.min(Number(precision || '0'), maxPrecision))
    size += shown.length
    if (size > maxResult) return fail('the formatted string is too long')
    return shown
  })
  if (next !== args.size) fail(`too many arguments supplied to string.format (expected ${next}, got ${args.size})`)
  return out
}

const integer = (value: CelValue, verb: string): bigint => {
  const number = numberOf(value)
  return typeof number === 'bigint' ? number : fail(`error during formatting: %${verb} clause can only be used on integers, was given ${typeNameOf(value)}`)
}
const floating = (value: CelValue, verb: string): number => {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
  const number = numberOf(value)
  return number === undefined ? fail(`error during formatting: ${verb === 'f' ? 'fixed-point' : 'scientific'} clause can only be used on doubles, was given ${typeNameOf(value)}`) : Number(number)
}
const special = (value: number): string | undefined => (Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? undefined : value > 0 ? 'Infinity' : '-Infinity')

function clauses(verb: string, value: CelValue, precision: number): string {
  switch (verb) {
    case 's': return show(value)
    case 'd': {
      const number = numberOf(value)
      if (typeof number === 'number') return special(number) ?? fail(`error during formatting: decimal clause can only be used on integers, was given ${typeNameOf(value)}`)
      return number === undefined ? fail(`error during formatting: decimal clause can only be used on integers, was given ${typeNameOf(value)}`) : String(number)
    }
    case 'f': { const number = floating(value, verb); return special(number) ?? fixed(number, precision) }
    case 'e': { const number = floating(value, verb); return special(number) ?? number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2') }
    case 'b': return typeof value === 'boolean' ? (value ? '1' : '0') : integer(value, verb).toString(2)
    case 'o': return integer(value, verb).toString(8)
    case 'x': return hex(value)
    case 'X': return hex(value).toUpperCase()
    default: return fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
}

/** With so many digits after the point; what lies exactly between two goes to the even one, as in Go. */
function fixed(value: number, precision: number): string {
  const rounded = value.toFixed(precision)
  const exact = Math.abs(value).toFixed(Math.min(100, precision + 50))
  const point = exact.indexOf('.')
  if (!/^50*$/.test(exact.slice(point + 1 + precision))) return rounded
  const down = precision === 0 ? exact.slice(0, point) : exact.slice(0, point + 1 + precision)
  return /[13579]$/.test(down) ? rounded : (value < 0 ? '-' : '') + down
}

function hex(value: CelValue): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  const number = numberOf(value)
  return typeof number === 'bigint' ? number.toString(16) : fail(`error during formatting: hexadecimal clause can only be used on integers, byte buffers, and strings, was given ${typeNameOf(value)}`)
}

/** Any value as text; maps in the order of their keys. */
function show(value: CelValue, depth = 0): string {
  work(1)
  if (depth > 100) return fail('error during formatting: nested too deep')
  if (value === null) return 'null'
  if (typeof value === 'number') return special(value) ?? formatDouble(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeValue) return value.name
  if (value instanceof CelList) return `[${value.values().map((item) => show(item, depth + 1)).join(', ')}]`
  if (value instanceof CelMap) {
    return `{${value.keys().map((key) => [show(key, depth + 1), show(value.get(key) as CelValue, depth + 1)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => `${key}: ${item}`).join(', ')}}`
  }
  if (value instanceof Optional) return value.value === undefined ? 'optional.none()' : `optional(${show(value.value, depth + 1)})`
  return fail(`error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${value.typeName}`)
}
