/** Kubernetes's functions of lists, and cel-go's sets. */
import { fail, work } from '../errors.ts'
import { crossCost, exactly, fn, method, plus, product, scaled, type CallCost, type FunctionDeclaration } from '../functions.ts'
import { BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT, listOf, param, type CelType } from '../types.ts'
import { CelList, CelMap, Duration, Uint, celEquals, compareValues, int64, normalKey, uint64, type CelValue } from '../values.ts'

const T = param('T')
const list = listOf(T)

const treeSize = (value: CelValue): number => {
  work(1)
  if (typeof value === 'string' || value instanceof Uint8Array) return Math.floor(value.length / 10)
  if (value instanceof CelList) return value.values().reduce<number>((sum, item) => sum + treeSize(item), 0)
  if (value instanceof CelMap) return value.keys().reduce<number>((sum, key) => sum + treeSize(key) + treeSize(value.get(key) as CelValue), 0)
  return 1
}
/** Each element is looked at once; of text and bytes, every character. */
const scan: CallCost = {
  runtime: ([items]) => treeSize(items as CelValue),
  estimate: ([items = { min: 1, max: 1 }]) => product(items, plus(exactly(1), items.element && items.element.max !== 1 ? scaled({ min: 0, max: items.element.max }, 0.1) : exactly(0))),
}

function isSorted(items: CelList): boolean {
  const values = items.values()
  return values.every((value, i) => i === 0 || compareValues(values[i - 1] as CelValue, value) <= 0)
}

/** The least (`sign` 1) or greatest (-1) element. */
const extreme = (name: string, sign: number) => (items: CelList): CelValue => {
  const values = items.values()
  if (values.length === 0) return fail(`${name} called on empty list`)
  return values.reduce((best, value) => (compareValues(value, best) * sign < 0 ? value : best))
}

const indexOf = (items: CelList, wanted: CelValue): bigint => BigInt(items.values().findIndex((item) => celEquals(item, wanted)))
const lastIndexOf = (items: CelList, wanted: CelValue): bigint => BigInt(items.values().findLastIndex((item) => celEquals(item, wanted)))

const sums: readonly (readonly [name: string, type: CelType, sum: (values: readonly never[]) => CelValue])[] = [
  ['int', INT, (values: readonly bigint[]) => values.reduce((sum, value) => int64(sum + value), 0n)],
  ['uint', UINT, (values: readonly Uint[]) => values.reduce((sum, { value }) => uint64(sum.value + value), new Uint(0n))],
  ['double', DOUBLE, (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)],
  ['duration', DURATION, (values: readonly Duration[]) => new Duration(int64(values.reduce((sum, { nanos }) => sum + nanos, 0n)))],
]
const comparable: readonly (readonly [name: string, type: CelType])[] =
  [['int', INT], ['uint', UINT], ['double', DOUBLE], ['bool', BOOL], ['duration', DURATION], ['timestamp', TIMESTAMP], ['string', STRING], ['bytes', BYTES]]

export const lists: readonly FunctionDeclaration[] = [
  ...comparable.flatMap(([name, type]) => [
    method('isSorted', `list_${name}_is_sorted_bool`, [listOf(type)], BOOL, isSorted, scan),
    method('min', `list_${name}_min_${name}`, [listOf(type)], type, extreme('min', 1), scan),
    method('max', `list_${name}_max_${name}`, [listOf(type)], type, extreme('max', -1), scan),
  ]),
  ...sums.map(([name, type, sum]) => method('sum', `list_${name}_sum_${name}`, [listOf(type)], type, (items: CelList) => sum(items.values() as never[]), scan)),
  method('indexOf', 'list_a_index_of_int', [list, T], INT, indexOf, scan),
  method('lastIndexOf', 'list_a_last_index_of_int', [list, T], INT, lastIndexOf, scan),
]

/** A quick test for elements of a list: by key where they can be keys, one by one where they cannot. */
function membership(items: CelList): (value: CelValue) => boolean {
  const keys = new Set<unknown>()
  const others: CelValue[] = []
  for (const item of items.values()) {
    const key = normalKey(item)
    if (key === undefined) others.push(item)
    else keys.add(key)
  }
  return (value) => {
    const key = normalKey(value)
    return (key !== undefined && keys.has(key)) || others.some((item) => celEquals(item, value))
  }
}

const subset = (outer: CelList, inner: CelList): boolean => inner.values().every(membership(outer))
const cross = crossCost(1)
const twice = crossCost(2)

export const sets: readonly FunctionDeclaration[] = [
  fn('sets.contains', 'list_sets_contains_list', [list, list], BOOL, subset, cross),
  fn('sets.equivalent', 'list_sets_equivalent_list', [list, list], BOOL, (a: CelList, b: CelList) => subset(a, b) && subset(b, a), twice),
  fn('sets.intersects', 'list_sets_intersects_list', [list, list], BOOL, (a: CelList, b: CelList) => b.values().some(membership(a)), cross),
]
