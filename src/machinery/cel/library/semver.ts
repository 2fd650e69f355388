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

const form = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/
const longest = 256

/** `v1.01` becomes `1.1.0`: no `v`, no leading zeros, three numbers. */
function normalized(text: string): string {
  const [, numbers = '', rest = ''] = /^v?([\d.]*)(.*)$/s.exec(text) ?? []
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + rest
}

function parse(text: string, normalize = false): Semver | undefined {
  const found = text.length > longest ? null : form.exec(normalize ? normalized(text) : text)
  if (!found) return undefined
  const [, major = '', minor = '', patch = '', pre] = found
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const
  return numbers.some((number) => BigInt.asUintN(64, number) !== number) ? undefined : new Semver(numbers, pre?.split('.') ?? [])
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

const semver = (text: string, normalize?: boolean): Semver => parse(text, normalize) ?? fail('failed to parse semver string')

export const semvers: readonly FunctionDeclaration[] = [
  fn('semver', 'string_to_semver', [STRING], type, (text: string) => semver(text), traverse()),
  fn('semver', 'string_bool_to_semver', [STRING, BOOL], type, semver, traverse(0, 2)),
  fn('isSemver', 'is_semver_string', [STRING], BOOL, (text: string) => parse(text) !== undefined, traverse()),
  fn('isSemver', 'is_semver_string_bool', [STRING, BOOL], BOOL, (text: string, normalize: boolean) => parse(text, normalize) !== undefined, traverse(0, 2)),
  method('isGreaterThan', 'semver_is_greater_than', [type, type], BOOL, (a: Semver, b: Semver) => compare(a, b) > 0),
  method('isLessThan', 'semver_is_less_than', [type, type], BOOL, (a: Semver, b: Semver) => compare(a, b) < 0),
  method('compareTo', 'semver_compare_to', [type, type], INT, (a: Semver, b: Semver) => BigInt(compare(a, b))),
  method('major', 'semver_major', [type], INT, (value: Semver) => value.numbers[0]),
  method('minor', 'semver_minor', [type], INT, (value: Semver) => value.numbers[1]),
  method('patch', 'semver_patch', [type], INT, (value: Semver) => value.numbers[2]),
]
