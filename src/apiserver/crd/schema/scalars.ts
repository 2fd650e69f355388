/** Checks of texts and numbers. */
import { formatDouble } from '../../../machinery/double.ts'
import { re2Error, re2Matcher } from '../../../machinery/re2.ts'
import { issue, joined, type Issues } from './issue.ts'
import { formatOf, isKnownFormat } from './formats.ts'
import type { Schema } from './props.ts'

type ValueCheck = (value: unknown) => Issues

/** The JSON type of a value, in the words of a schema: whole numbers are integers, but for those that only a double holds. */
export function jsonTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number'
  return typeof value === 'bigint' ? 'integer' : typeof value
}

/** How many characters a text has, as people count them. */
function lengthOf(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count--
      i++
    }
  }
  return count
}

/** minLength, maxLength, pattern and format. */
export function stringChecks(schema: Schema): ValueCheck | undefined {
  const { minLength, maxLength, format = '' } = schema
  const pattern = schema.pattern ? patternCheck(schema.pattern) : undefined
  const formatted = formatCheck(format)
  if (minLength === undefined && maxLength === undefined && !pattern && !formatted) return undefined
  return (value) => {
    if (typeof value !== 'string') return undefined
    let issues: Issues
    const tooLong = maxLength !== undefined && value.length > maxLength && lengthOf(value) > maxLength
    if (tooLong) issues = [issue((_, at) => at.tooLong(maxLength))]
    else if (minLength !== undefined && lengthOf(value) < minLength) issues = [issue((name, at) => at.invalid(value, `${name} in body should be at least ${minLength} chars long`))]
    // A text that is too long is not searched: Kubernetes stops at the first of these as well.
    else if (pattern) issues = pattern(value)
    return formatted ? joined(issues, formatted(value)) : issues
  }
}

function patternCheck(pattern: string): (value: string) => Issues {
  const broken = re2Error(pattern)
  if (broken !== undefined) return (value) => [issue((name, at) => at.invalid(value, `${name} in body should match '${pattern}, but pattern is invalid: ${broken}'`))]
  const matches = re2Matcher(pattern)
  return (value) => (matches(value) ? undefined : [issue((name, at) => at.invalid(value, `${name} in body should match '${pattern}'`))])
}

function formatCheck(format: string): ((value: string) => Issues) | undefined {
  const valid = formatOf(format)
  return valid && ((value) => (valid(value) ? undefined : [issue((name, at) => at.typeInvalid(value, `${name} in body must be of type ${format}: ${JSON.stringify(value)}`))]))
}

/** Whether a number is one of a numeric type and its format; undefined where any number is. */
function rangeOf({ type, format = '' }: Schema): ((value: number | bigint) => boolean) | undefined {
  if (type === 'integer') return format === 'int32' ? (value) => typeof value === 'number' && (value | 0) === value : isInt64
  return type === 'number' && format === 'float' ? (value) => Number.isFinite(Math.fround(Number(value))) : undefined
}

const isInt64 = (value: number | bigint): boolean => typeof value === 'bigint' || (Number.isInteger(value) && Math.abs(value) < 2 ** 63)

/** Kubernetes says in the text where it is, and gives the whole as the field. */
function outOfRange(what: string, schema: Schema): Issues {
  const format = schema.format && isKnownFormat(schema) ? `with format ${schema.format}` : '(default format)'
  return [issue((name, _, whole) => whole.invalid('', `${what} value must be of type ${schema.type} ${format} in ${name}`))]
}

const same = (bound: number): number => bound

/** minimum, maximum and multipleOf, and the range of the format: bounds that are no numbers of the type are complained of with every value. */
export function numberChecks(schema: Schema): ValueCheck | undefined {
  const { minimum, maximum, multipleOf } = schema
  const inRange = rangeOf(schema)
  if (minimum === undefined && maximum === undefined && multipleOf === undefined && !inRange) return undefined
  const below = schema.exclusiveMaximum === true
  const above = schema.exclusiveMinimum === true
  const bounds = ([['MultipleOf', multipleOf], ['Maximum boundary', maximum], ['Minimum boundary', minimum]] as const).filter(([, bound]) => bound !== undefined && inRange?.(bound) === false)
  return (value) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
    let issues: Issues
    const add = (text: string) => { issues = joined(issues, [issue((name, at) => at.invalid(value, `${name} in body should be ${text}`))]) }
    if (inRange?.(value) === false) issues = outOfRange('Checked', schema)
    for (const [what] of bounds) issues = joined(issues, outOfRange(what, schema))
    // A whole number is held against whole bounds: Kubernetes cuts off what is behind their point.
    const whole = typeof value === 'bigint' || Number.isSafeInteger(value)
    const as = whole ? Math.trunc : same
    const shown = (bound: number): string => (whole ? String(bound) : formatDouble(bound))
    const [factor, most, least] = [multipleOf, maximum, minimum].map((bound) => (bound === undefined ? undefined : as(bound)))
    if (factor !== undefined && factor <= 0) issues = joined(issues, [issue((name, at) => at.invalid(factor, `factor MultipleOf declared for ${name} must be positive: ${factor}`))])
    else if (factor !== undefined && !isMultiple(value, factor)) add(`a multiple of ${shown(factor)}`)
    if (most !== undefined && (below ? value >= most : value > most)) add(below ? `less than ${shown(most)}` : `less than or equal to ${shown(most)}`)
    if (least !== undefined && (above ? value <= least : value < least)) add(above ? `greater than ${shown(least)}` : `greater than or equal to ${shown(least)}`)
    return issues
  }
}

/** Whether a quotient is whole, but for what binary fractions lose; one that a double does not keep is not. */
function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === 'bigint') return value % BigInt(factor) === 0n
  if (Number.isSafeInteger(value) && Number.isInteger(factor)) return value % factor === 0
  const quotient = factor < 1 ? (1 / factor) * value : value / factor
  if (Math.abs(quotient) > Number.MAX_SAFE_INTEGER) return false
  const whole = Math.trunc(quotient)
  return quotient === whole || Math.abs(quotient - whole) / Math.abs(quotient + whole) < 1e-9
}
