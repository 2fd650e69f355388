/**
 * Quantities: `500m`, `1.5Gi`, `1e3`. Exact, counted in billionths (the finest Kubernetes keeps; finer values are rounded
 * away from zero). The text form is canonical: no fraction is lost, the mantissa is as short as it can be, and the suffix
 * family (binary, decimal, exponent) is the one the quantity was written in. Kubernetes keeps the text as it was written
 * where a quick look finds it canonical, `1.024k` among them, and so does this.
 */
import { badRequest } from './errors.ts'

export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent'

const nano = 1_000_000_000n
const most = (2n ** 63n - 1n) * nano

/** An exact amount. Immutable. */
export interface Quantity {
  /** Billionths. */
  readonly nanos: bigint
  readonly format: QuantityFormat
  /** Whole units, rounded up. */
  value(): bigint
  /** Thousandths, rounded up. */
  milliValue(): bigint
  /** As a floating-point number: for scores and shares, not for comparing. */
  toNumber(): number
  isZero(): boolean
  /** Below 0: less than `other`; 0: the same amount; above 0: more. */
  compare(other: Quantity): number
  add(other: Quantity): Quantity
  sub(other: Quantity): Quantity
  neg(): Quantity
  /** The canonical text. */
  toString(): string
  toJSON(): string
}

const up = (nanos: bigint, unit: bigint): bigint => {
  const whole = nanos / unit
  return nanos > whole * unit ? whole + 1n : nanos < whole * unit ? whole - 1n : whole
}

function make(nanos: bigint, format: QuantityFormat, written?: string): Quantity {
  let text = written
  // The sum of quantities keeps the format of the first one that is not zero.
  const formatWith = (other: Quantity) => (nanos === 0n ? other.format : format)
  const self: Quantity = {
    nanos,
    format,
    value: () => up(nanos, nano),
    milliValue: () => up(nanos, 1_000_000n),
    toNumber: () => Number(nanos) / 1e9,
    isZero: () => nanos === 0n,
    compare: (other) => (nanos < other.nanos ? -1 : nanos > other.nanos ? 1 : 0),
    add: (other) => make(nanos + other.nanos, formatWith(other)),
    sub: (other) => make(nanos - other.nanos, formatWith(other)),
    neg: () => make(-nanos, format),
    toString: () => (text ??= canonical(nanos, format)),
    toJSON: () => self.toString(),
  }
  return self
}

const form = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/
const binary: Readonly<Record<string, bigint>> = { Ki: 2n ** 10n, Mi: 2n ** 20n, Gi: 2n ** 30n, Ti: 2n ** 40n, Pi: 2n ** 50n, Ei: 2n ** 60n }
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const decimalSuffix = new Map(Object.entries(decimal).map(([suffix, exponent]) => [exponent, suffix]))
const binarySuffix = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** What Kubernetes says of a malformed quantity. */
const quantityError = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

const suffixError = "unable to parse quantity's suffix"
const numberError = 'unable to parse numeric part of quantity'

/** What a suffix stands for. */
function suffixOf(text: string): { readonly format: QuantityFormat; readonly factor: bigint; readonly exponent: number } | undefined {
  if (Object.hasOwn(binary, text)) return { format: 'BinarySI', factor: binary[text] as bigint, exponent: 0 }
  if (Object.hasOwn(decimal, text)) return { format: 'DecimalSI', factor: 1n, exponent: decimal[text] as number }
  if (!/^[eE][+-]?\d+$/.test(text)) return undefined
  return { format: 'DecimalExponent', factor: 1n, exponent: Math.max(-1000, Math.min(1000, Number(text.slice(1)))) }
}

/** The quantity, or why the text is none. */
function read(text: string): Quantity | string {
  const m = text.length <= 1000 && text !== '' ? form.exec(text) : null
  if (!m) return quantityError
  const [, sign = '', whole = '', fraction = '', suffixText = ''] = m
  const suffix = suffixOf(suffixText)
  if (!suffix) return suffixError
  const { format, factor, exponent } = suffix
  // No digits are zero to Kubernetes, but before suffixes that its quick way of reading does not take.
  if (whole + fraction === '' && (suffixText === 'Pi' || suffixText === 'Ei' || exponent < -9)) return numberError
  const digits = BigInt(`${whole}${fraction}`)
  // value = digits × factor × 10^power billionths
  const power = exponent - fraction.length + 9
  let nanos = digits * factor
  if (nanos !== 0n) nanos = power >= 0 ? nanos * 10n ** BigInt(power) : up(nanos, 10n ** BigInt(-power))
  if (format === 'BinarySI' && nanos > most) nanos = most
  const canonicalText = looksCanonical(whole.replace(/^0+/, ''), fraction, format === 'BinarySI' ? suffixText : undefined, exponent) ? text : undefined
  return make(sign === '-' ? -nanos : nanos, format, canonicalText)
}

function tryParse(text: string): Quantity | undefined {
  const quantity = read(text)
  return typeof quantity === 'string' ? undefined : quantity
}

/** What Kubernetes says of a text that is no quantity. */
export const quantityFault = (text: string): string => {
  const quantity = read(text.trim())
  return typeof quantity === 'string' ? quantity : quantityError
}

/** Kubernetes's quick look at the digits: no triple zero at the end, no leading zero, an exponent that a suffix stands for. */
function looksCanonical(whole: string, fraction: string, binarySign: string | undefined, exponent: number): boolean {
  const digits = whole + fraction
  if (binarySign) {
    const bits = 10 * binarySuffix.indexOf(binarySign)
    return fraction === '' && whole !== '' && 15 - whole.length - Math.trunc((bits * 3) / 10) - 1 >= 0 && Number(whole) % 8 !== 0
  }
  const scale = exponent - fraction.length
  return whole !== '' && digits.length <= 18 && scale >= -9 && scale % 3 === 0 && !digits.endsWith('000')
}

/** Reads a quantity. Throws `ApiError` 400 with Kubernetes's sentence when the text is none. */
export function parseQuantity(text: string | number): Quantity {
  const quantity = read(String(text))
  if (typeof quantity === 'string') throw badRequest(quantity)
  return quantity
}

/** The canonical text of a JSON value, blanks around it cut off; undefined when it is no quantity. */
export function quantityFrom(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const text = String(value)
  if (alreadyCanonical.test(text)) return text
  const known = seen.get(text)
  if (known !== undefined) return known
  const out = tryParse(text.trim())?.toString()
  if (out !== undefined && text.length < 40) {
    if (seen.size >= 4096) seen.clear()
    seen.set(text, out)
  }
  return out
}

/** Whether a value is a quantity: its text, or a number. */
export const isQuantity = (value: unknown): boolean => (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') && tryParse(String(value)) !== undefined

/** A whole number of units; `DecimalSI` unless another format is asked for. */
export const quantityOf = (units: bigint | number, format: QuantityFormat = 'DecimalSI'): Quantity => make(BigInt(units) * nano, format)

// Most quantities in a cluster are among few; what is already canonical is recognised without parsing.
const alreadyCanonical = /^(?:0|-?[1-9]\d{0,2}(?:[num]|[kMGTPE])?)$/
const seen = new Map<string, string>()

/** The canonical text of a quantity. Throws `ApiError` 400 when it is none. */
export const canonicalQuantity = (value: string | number): string => {
  const text = String(value)
  return alreadyCanonical.test(text) ? text : parseQuantity(text).toString()
}

function canonical(nanos: bigint, format: QuantityFormat): string {
  if (nanos === 0n) return '0'
  const units = nanos / nano
  const whole = units * nano === nanos
  const small = units > -1024n && units < 1024n
  if (format === 'BinarySI' && whole && !small) {
    let n = units
    let step = 0
    while (step < 6 && n % 1024n === 0n) {
      n /= 1024n
      step++
    }
    return `${n}${binarySuffix[step]}`
  }
  let n = nanos
  let exponent = -9
  // Suffixes end at E; an exponent may be any.
  const largest = format === 'DecimalExponent' ? Infinity : 18
  while (n % 1000n === 0n && exponent < largest) {
    n /= 1000n
    exponent += 3
  }
  if (format === 'DecimalExponent') return exponent === 0 ? String(n) : `${n}e${exponent}`
  return `${n}${decimalSuffix.get(exponent) ?? ''}`
}
