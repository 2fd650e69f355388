/** Kubernetes's semantic versions. */
import { fail } from '../errors.ts'
import { fn, method, traverse, type FunctionDeclaration } from '../functions.ts'
import { BOOL, INT, STRING, opaque } from '../types.ts'
import { Boxed } from '../values.ts'

const type = opaque('kubernetes.Semver')

class Semver extends Boxed {
  readonly typeName = 'kubernetes.Semver'
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly pre: readonly string[]
  constructor(numbers: readonly [bigint, bigint, bigint], pre: readonly string[]) { super(); this.numbers = numbers; this.pre = pre }
  override equals(other: Semver): boolean { return compare(this, other) === 0 }
}

/** `v1.01` becomes `1.1.0`: no `v`, no leading zeros, three numbers. What follows the second dot is taken as one. */
function normalized(text: string): string {
  const [major = '', minor, ...rest] = text.replace(/^v/, '').split('.')
  const parts = [major, minor, rest.length > 0 ? rest.join('.') : undefined].filter((part) => part !== undefined)
    .map((part) => (part.length < 2 ? part : part.replace(/^0+/, '').replace(/^(?!\d)/, '0')))
  while (parts.length < 3) parts.push('0')
  return parts.join('.')
}

const isShort = (text: string): boolean => text.split('.').length < 3

/** A number of a version; why it is none. `what` begins the sentence. */
function numberOf(text: string, what: string): bigint | string {
  if (/\D/.test(text)) return `Invalid character(s) found in ${what.toLowerCase()} ${JSON.stringify(text)}`
  if (text.length > 1 && text.startsWith('0')) return `${what} must not contain leading zeroes ${JSON.stringify(text)}`
  return within64(text)
}

function within64(text: string): bigint | string {
  if (text === '') return 'strconv.ParseUint: parsing "": invalid syntax'
  const value = text.length > 20 ? 2n ** 64n : BigInt(text)
  return BigInt.asUintN(64, value) === value ? value : `strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`
}

const letters = /^[0-9A-Za-z-]+$/

function preFault(part: string): string | undefined {
  if (part === '') return 'Prerelease is empty'
  if (!/^\d+$/.test(part)) return letters.test(part) ? undefined : `Invalid character(s) found in prerelease ${JSON.stringify(part)}`
  if (part.length > 1 && part.startsWith('0')) return `Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(part)}`
  const value = within64(part)
  return typeof value === 'string' ? value : undefined
}

const buildFault = (part: string): string | undefined =>
  (part === '' ? 'Build meta data is empty' : letters.test(part) ? undefined : `Invalid character(s) found in build meta data ${JSON.stringify(part)}`)

/** A version; why the text is none. */
function parse(given: string, normalize = false): Semver | string {
  if (normalize && isShort(given) && /[+-]/.test(given.replace(/^v/, '').split('.').at(-1) as string)) return 'short version cannot contain PreRelease/Build meta data'
  const text = normalize ? normalized(given) : given
  if (text === '') return 'Version string empty'
  const [first = '', second = '', ...others] = text.split('.')
  if (others.length === 0) return 'No Major.Minor.Patch elements found'
  const [, third = '', pre, build] = /^([^+-]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(others.join('.')) ?? []
  const numbers: bigint[] = []
  for (const [part, what] of [[first, 'Major number'], [second, 'Minor number'], [third, 'Patch number']] as const) {
    const value = numberOf(part, what)
    if (typeof value === 'string') return value
    numbers.push(value)
  }
  const pres = pre?.split('.') ?? []
  const fault = [...pres.map(preFault), ...(build?.split('.') ?? []).map(buildFault)].find((each) => each !== undefined)
  return fault ?? new Semver(numbers as [bigint, bigint, bigint], pres)
}

function compare(a: Semver, b: Semver): number {
  for (const i of [0, 1, 2] as const) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1
  if (a.pre.length === 0 || b.pre.length === 0) return a.pre.length === b.pre.length ? 0 : a.pre.length === 0 ? 1 : -1
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = comparePre(a.pre[i] as string, b.pre[i] as string)
    if (order !== 0) return order
  }
  return Math.sign(a.pre.length - b.pre.length)
}

/** Numbers compare as numbers, and come before words. */
function comparePre(a: string, b: string): number {
  if (a === b) return 0
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (x !== y) return x ? -1 : 1
  if (x) return BigInt(a) < BigInt(b) ? -1 : 1
  return a < b ? -1 : 1
}

const semver = (text: string, normalize?: boolean): Semver => { const found = parse(text, normalize); return typeof found === 'string' ? fail(found) : found }

export const semvers: readonly FunctionDeclaration[] = [
  fn('semver', 'string_to_semver', [STRING], type, (text: string) => semver(text), traverse()),
  fn('semver', 'string_bool_to_semver', [STRING, BOOL], type, semver, traverse()),
  fn('isSemver', 'is_semver_string', [STRING], BOOL, (text: string) => typeof parse(text) !== 'string', traverse()),
  fn('isSemver', 'is_semver_string_bool', [STRING, BOOL], BOOL, (text: string, normalize: boolean) => typeof parse(text, normalize) !== 'string', traverse()),
  method('isGreaterThan', 'semver_is_greater_than', [type, type], BOOL, (a: Semver, b: Semver) => compare(a, b) > 0),
  method('isLessThan', 'semver_is_less_than', [type, type], BOOL, (a: Semver, b: Semver) => compare(a, b) < 0),
  method('compareTo', 'semver_compare_to', [type, type], INT, (a: Semver, b: Semver) => BigInt(compare(a, b))),
  method('major', 'semver_major', [type], INT, (value: Semver) => value.numbers[0]),
  method('minor', 'semver_minor', [type], INT, (value: Semver) => value.numbers[1]),
  method('patch', 'semver_patch', [type], INT, (value: Semver) => value.numbers[2]),
]
