/** The operators. What is not `&&`, `||` or `?:` is a function like any other. */
import { fail } from '../errors.ts'
import { compare, elements, exactly, fn, nominal, traverseBoth, type FunctionDeclaration } from '../functions.ts'
import { inRange } from '../time.ts'
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, UINT, listOf, mapOf, optionalOf, param, type CelType } from '../types.ts'
import { CelList, CelMap, Duration, NONE, Optional, Timestamp, Uint, celEquals, compareValues, concat, int64, numberOf, uint64, type CelValue } from '../values.ts'

const A = param('A')
const B = param('B')
const list = listOf(A)
const map = mapOf(B, { key: A })

/** Moves a moment; it keeps its offset. */
const moved = ({ nanos, offset }: Timestamp, by: bigint): Timestamp => (inRange(nanos + by) ? new Timestamp(nanos + by, offset) : fail('timestamp overflow'))
const span = (nanos: bigint): Duration => (BigInt.asIntN(64, nanos) === nanos ? new Duration(nanos) : fail('integer overflow'))

const arithmetic: readonly FunctionDeclaration[] = [
  fn('_+_', 'add_int64', [INT, INT], INT, (a: bigint, b: bigint) => int64(a + b)),
  fn('_+_', 'add_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => uint64(a.value + b.value)),
  fn('_+_', 'add_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a + b),
  fn('_+_', 'add_string', [STRING, STRING], STRING, (a: string, b: string) => a + b, traverseBoth),
  fn('_+_', 'add_bytes', [BYTES, BYTES], BYTES, (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]), traverseBoth),
  fn('_+_', 'add_list', [list, list], list, concat, { runtime: () => 1, estimate: () => ({ min: 1, max: 1 }), size: traverseBoth.size as NonNullable<typeof traverseBoth.size> }),
  fn('_+_', 'add_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) => span(a.nanos + b.nanos)),
  fn('_+_', 'add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) => moved(a, b.nanos)),
  fn('_+_', 'add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP, (a: Duration, b: Timestamp) => moved(b, a.nanos)),
  fn('_-_', 'subtract_int64', [INT, INT], INT, (a: bigint, b: bigint) => int64(a - b)),
  fn('_-_', 'subtract_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => uint64(a.value - b.value)),
  fn('_-_', 'subtract_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a - b),
  fn('_-_', 'subtract_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) => span(a.nanos - b.nanos)),
  fn('_-_', 'subtract_timestamp_timestamp', [TIMESTAMP, TIMESTAMP], DURATION, (a: Timestamp, b: Timestamp) => span(a.nanos - b.nanos)),
  fn('_-_', 'subtract_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) => moved(a, -b.nanos)),
  fn('_*_', 'multiply_int64', [INT, INT], INT, (a: bigint, b: bigint) => int64(a * b)),
  fn('_*_', 'multiply_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => uint64(a.value * b.value)),
  fn('_*_', 'multiply_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a * b),
  fn('_/_', 'divide_int64', [INT, INT], INT, (a: bigint, b: bigint) => (b === 0n ? fail('division by zero') : int64(a / b))),
  fn('_/_', 'divide_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => (b.value === 0n ? fail('division by zero') : new Uint(a.value / b.value))),
  fn('_/_', 'divide_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a / b),
  fn('_%_', 'modulo_int64', [INT, INT], INT, (a: bigint, b: bigint) => (b === 0n ? fail('modulus by zero') : a % b)),
  fn('_%_', 'modulo_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => (b.value === 0n ? fail('modulus by zero') : new Uint(a.value % b.value))),
  fn('-_', 'negate_int64', [INT], INT, (a: bigint) => int64(-a)),
  fn('-_', 'negate_double', [DOUBLE], DOUBLE, (a: number) => -a),
]

const ordered: readonly (readonly [name: string, a: CelType, b: CelType])[] = [
  ...([['bool', BOOL], ['int64', INT], ['uint64', UINT], ['double', DOUBLE], ['string', STRING], ['bytes', BYTES], ['timestamp', TIMESTAMP], ['duration', DURATION]] as const)
    .map(([name, type]) => [name, type, type] as const),
  ['int64_double', INT, DOUBLE], ['int64_uint64', INT, UINT], ['uint64_double', UINT, DOUBLE], ['uint64_int64', UINT, INT], ['double_int64', DOUBLE, INT], ['double_uint64', DOUBLE, UINT],
]

/** A comparison with NaN is always false. */
const ordering = (operator: string, id: string, holds: (order: number) => boolean): FunctionDeclaration => ({
  name: operator,
  overloads: ordered.map(([name, a, b]) => ({
    id: `${id}_${name}`, member: false, args: [a, b], result: BOOL,
    call: (x: CelValue, y: CelValue) => !Number.isNaN(numberOf(x)) && !Number.isNaN(numberOf(y)) && holds(compareValues(x, y)),
    cost: name === 'string' || name === 'bytes' ? compare : undefined,
  })),
})

const index = (items: CelList, at: CelValue): CelValue | undefined => {
  const number = numberOf(at)
  if (number === undefined || (typeof number === 'number' && !Number.isInteger(number))) return fail(`unsupported index type '${typeof at}' in list`)
  return number >= 0 && number < items.size ? items.at(Number(number)) : undefined
}
const given = (value: CelValue | undefined, missing: () => string): CelValue => (value === undefined ? fail(missing()) : value)
const listAt = (items: CelList, at: CelValue): CelValue => given(index(items, at), () => `index out of bounds: ${String(numberOf(at))}`)
const mapAt = (items: CelMap, key: CelValue): CelValue => given(items.get(key), () => `no such key: ${typeof key === 'object' ? String(numberOf(key) ?? key) : String(key)}`)
const maybe = (value: CelValue | undefined): Optional => (value === undefined ? NONE : new Optional(value))
const within = <T extends CelValue>(outer: Optional, at: (inner: T) => CelValue | undefined): Optional => (outer.value === undefined ? NONE : maybe(at(outer.value as T)))

const containers: readonly FunctionDeclaration[] = [
  fn('_[_]', 'index_list', [list, INT], A, listAt),
  fn('_[_]', 'index_map', [map, A], B, mapAt),
  fn('_[_]', 'optional_list_index_int', [optionalOf(list), INT], optionalOf(A), (o: Optional, i: CelValue) => within<CelList>(o, (items) => index(items, i))),
  fn('_[_]', 'optional_map_index_value', [optionalOf(map), A], optionalOf(B), (o: Optional, key: CelValue) => within<CelMap>(o, (items) => items.get(key))),
  fn('_[?_]', 'list_optindex_optional_int', [list, INT], optionalOf(A), (items: CelList, i: CelValue) => maybe(index(items, i))),
  fn('_[?_]', 'map_optindex_optional_value', [map, A], optionalOf(B), (items: CelMap, key: CelValue) => maybe(items.get(key))),
  fn('_[?_]', 'optional_list_optindex_optional_int', [optionalOf(list), INT], optionalOf(A), (o: Optional, i: CelValue) => within<CelList>(o, (items) => index(items, i))),
  fn('_[?_]', 'optional_map_optindex_optional_value', [optionalOf(map), A], optionalOf(B), (o: Optional, key: CelValue) => within<CelMap>(o, (items) => items.get(key))),
  fn('@in', 'in_list', [A, list], BOOL, (wanted: CelValue, items: CelList) => {
    for (let i = 0; i < items.size; i++) if (celEquals(wanted, items.at(i))) return true
    return false
  }, { ...elements(1), byOverload: true }),
  fn('@in', 'in_map', [A, map], BOOL, (key: CelValue, items: CelMap) => items.get(key) !== undefined),
]

const never = (): CelValue => fail('no such overload')

export const operators: readonly FunctionDeclaration[] = [
  ...arithmetic,
  ordering('_<_', 'less', (order) => order < 0),
  ordering('_<=_', 'less_equals', (order) => order <= 0),
  ordering('_>_', 'greater', (order) => order > 0),
  ordering('_>=_', 'greater_equals', (order) => order >= 0),
  fn('_==_', 'equals', [A, A], BOOL, celEquals, compare),
  fn('_!=_', 'not_equals', [A, A], BOOL, (a: CelValue, b: CelValue) => !celEquals(a, b), compare),
  ...containers,
  fn('!_', 'logical_not', [BOOL], BOOL, (a: boolean) => !a),
  // These three are evaluated by the planner, which may leave arguments out.
  fn('_&&_', 'logical_and', [BOOL, BOOL], BOOL, never),
  fn('_||_', 'logical_or', [BOOL, BOOL], BOOL, never),
  fn('_?_:_', 'conditional', [BOOL, A, A], A, never),
  fn('dyn', 'to_dyn', [A], DYN, (a: CelValue) => a, { ...nominal, size: ([a = exactly(1)]) => ({ min: a.min, max: a.max }) }),
]
