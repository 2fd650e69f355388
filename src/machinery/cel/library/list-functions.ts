/** cel-go's functions of lists, as Kubernetes has them since v1.34: slices, orders, first and last elements. */
import { fail, work } from '../errors.ts'
import { exactly, fn, method, plus, product, sizeOf, type CallCost, type FunctionDeclaration, type Size } from '../functions.ts'
import { BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT, listOf, optionalOf, param, type CelType } from '../types.ts'
import { CelList, NONE, Optional, celEquals, compareValues, normalKey, type CelValue } from '../values.ts'

const T = param('T')
const list = listOf(T)

/** A list is made, from as many elements as `count` says. */
const making = (count: (args: readonly CelValue[], result: CelValue) => number, estimate: (args: readonly Size[]) => Size): CallCost =>
  ({ runtime: (args, result) => 11 + count(args, result), estimate: (args) => plus(exactly(11), estimate(args)), size: estimate })

const first = ([items = exactly(1)]: readonly Size[]): Size => items
const ofArgument = making(([items]) => sizeOf(items), first)
const ofResult = making((_, result) => sizeOf(result), (args) => ({ min: 0, max: first(args).max }))
/** Every element is held against every other. */
const squared: CallCost = {
  runtime: ([items]) => 11 + 2 * sizeOf(items) ** 2,
  estimate: (args) => plus(exactly(11), product(exactly(2), product(first(args), first(args)))),
  size: first,
}

function slice(items: CelList, from: bigint, to: bigint): CelList {
  const what = `cannot slice(${from}, ${to})`
  if (from < 0n || to < 0n) return fail(`${what}, negative indexes not supported`)
  if (from > to) return fail(`${what}, start index must be less than or equal to end index`)
  if (to > BigInt(items.size)) return fail(`${what}, list is length ${items.size}`)
  return new CelList(items.values().slice(Number(from), Number(to)))
}

function flatten(items: CelList, depth: bigint): CelList {
  if (depth < 0n) return fail('level must be non-negative')
  const out: CelValue[] = []
  const add = (values: readonly CelValue[], left: bigint) => {
    work(values.length)
    for (const value of values) {
      if (value instanceof CelList && left > 0n) add(value.values(), left - 1n)
      else out.push(value)
    }
  }
  add(items.values(), depth)
  return new CelList(out)
}

const longest = 1_000_000n

function range(size: bigint): CelList {
  if (size < 0n) return fail(`lists.range: size must be non-negative, got ${size}`)
  if (size > longest) return fail(`lists.range: size ${size} exceeds maximum allowed (${longest})`)
  work(Number(size))
  return new CelList(Array.from({ length: Number(size) }, (_, i) => BigInt(i)))
}

function distinct(items: CelList): CelList {
  const keys = new Set<unknown>()
  const out: CelValue[] = []
  for (const item of items.values()) {
    const key = normalKey(item)
    if (key === undefined ? out.some((other) => celEquals(other, item)) : keys.has(key)) continue
    if (key !== undefined) keys.add(key)
    work(1)
    out.push(item)
  }
  return new CelList(out)
}

function sorted(items: CelList): CelList {
  work(items.size)
  return new CelList(items.values().toSorted(compareValues))
}

const sortable: readonly (readonly [name: string, type: CelType])[] =
  [['int', INT], ['uint', UINT], ['double', DOUBLE], ['bool', BOOL], ['google.protobuf.Duration', DURATION], ['google.protobuf.Timestamp', TIMESTAMP], ['string', STRING], ['bytes', BYTES]]

export const listFunctions: readonly FunctionDeclaration[] = [
  method('slice', 'list_slice', [list, INT, INT], list, slice, ofResult),
  method('flatten', 'list_flatten', [listOf(list)], list, (items: CelList) => flatten(items, 1n), ofArgument),
  method('flatten', 'list_flatten_int', [listOf(param('D')), INT], listOf(param('D')), flatten, ofArgument),
  fn('lists.range', 'lists_range', [INT], listOf(INT), range, ofResult),
  method('reverse', 'list_reverse', [list], list, (items: CelList) => new CelList(items.values().toReversed()), ofArgument),
  method('distinct', 'list_distinct', [list], list, distinct, squared),
  ...sortable.map(([name, type]) => method('sort', `list_${name}_sort`, [listOf(type)], listOf(type), sorted, squared)),
  method('first', 'list_first', [list], optionalOf(T), (items: CelList) => (items.size === 0 ? NONE : new Optional(items.at(0)))),
  method('last', 'list_last', [list], optionalOf(T), (items: CelList) => (items.size === 0 ? NONE : new Optional(items.at(items.size - 1)))),
]
