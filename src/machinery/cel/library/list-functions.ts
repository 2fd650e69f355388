/** cel-go's functions of lists, as Kubernetes has them since v1.34: slices, orders, first and last elements. */
import { fail, noSuchOverload, work } from '../errors.ts'
import { exactly, fn, method, plus, product, scaled, sizeOf, times, type CallCost, type FunctionDeclaration, type Given, type Size } from '../functions.ts'
import { sortByKeys } from '../macros.ts'
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, UINT, listOf, optionalOf, param, type CelType } from '../types.ts'
import { CelList, NONE, Optional, celEquals, compareValues, normalKey, typeNameOf, type CelValue } from '../values.ts'

const T = param('T')
const list = listOf(T)

/** A list is made, from as many elements as `count` says (`size` ahead of it). */
const making = (count: (args: readonly CelValue[], result: CelValue) => number, size: (args: readonly Size[], given: readonly Given[]) => Size): CallCost =>
  ({ byOverload: true, runtime: (args, result) => 11 + count(args, result), estimate: (args, given) => plus(exactly(11), size(args, given)), size })

const first = ([items = exactly(1)]: readonly Size[]): Size => items
/** A number that is written out. */
const written = (given: readonly Given[], i: number, otherwise: number): number => {
  const value = given[i]?.literal
  return typeof value === 'bigint' ? Math.max(0, Number(value)) : otherwise
}
const ofResult = (size: (args: readonly Size[], given: readonly Given[]) => Size) => making((_, result) => sizeOf(result), size)
const ofSlice = ofResult((args, given) => {
  const count = written(given, 2, first(args).max) - written(given, 1, 0)
  return exactly(count < 0 ? Infinity : count)
})
const depth = (args: readonly CelValue[]): number => (args.length > 1 ? Number(args[1]) : 1)
const flattening: CallCost = {
  byOverload: true,
  runtime: (args) => 11 + times(depth(args), sizeOf(args[0])),
  estimate: (args, given) => plus(exactly(11), product(exactly(given.length > 1 ? written(given, 1, Infinity) : 1), first(args))),
  size: first,
}

const isText = (type: CelType | undefined): boolean => type?.kind === 'string' || type?.kind === 'bytes'
/** Every element of argument `i` is held against every other; text costs a tenth more. */
const squared = (i: number, text: (given: readonly Given[]) => boolean): CallCost => {
  const square = (args: readonly Size[]) => product(args[i] ?? exactly(1), args[i] ?? exactly(1))
  return {
    byOverload: true,
    runtime(args) {
      const items = args[i] as CelList
      const item = items.size > 0 ? items.at(0) : null
      return 11 + Math.floor(items.size ** 2 * (typeof item === 'string' || item instanceof Uint8Array ? 2.1 : 2))
    },
    estimate: (args, given) => plus(exactly(11), scaled(square(args), text(given) ? 2.1 : 2)),
    size: square,
  }
}
const distinctCost = squared(0, ([items]) => items?.type.kind === 'list' && isText(items.type.element))

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

/** The elements in the order of their keys, which are of one type. */
function sortedBy(name: string, items: CelValue, by: CelValue): CelList {
  if (!(items instanceof CelList) || !(by instanceof CelList)) return fail(`no such overload: ${name}`)
  work(items.size)
  const keys = by.values()
  const type = keys.length === 0 ? '' : typeNameOf(keys[0] as CelValue)
  if (items.size > 0 && !comparable.has(type)) return fail('list elements must be comparable')
  if (keys.some((key) => typeNameOf(key) !== type)) return fail('list elements must have the same type')
  const values = items.values()
  return new CelList(keys.map((_, i) => i).toSorted((a, b) => compareValues(keys[a] as CelValue, keys[b] as CelValue)).map((i) => values[i] as CelValue))
}

const sortable: readonly (readonly [name: string, type: CelType])[] =
  [['int', INT], ['uint', UINT], ['double', DOUBLE], ['bool', BOOL], ['google.protobuf.Duration', DURATION], ['google.protobuf.Timestamp', TIMESTAMP], ['string', STRING], ['bytes', BYTES]]
const comparable = new Set(sortable.map(([name]) => name))

/** The function takes what it gets, a list that turns out to be flat already or to have mixed elements. */
const unguarded = ({ name, overloads }: FunctionDeclaration): FunctionDeclaration => ({ name, overloads: overloads.map((overload) => ({ ...overload, unguarded: true })) })

export const listFunctions: readonly FunctionDeclaration[] = [
  method('slice', 'list_slice', [list, INT, INT], list, slice, ofSlice),
  unguarded(method('flatten', 'list_flatten', [listOf(list)], list, (items: CelValue) => (items instanceof CelList ? flatten(items, 1n) : noSuchOverload()), flattening)),
  method('flatten', 'list_flatten_int', [listOf(DYN), INT], listOf(DYN), flatten, flattening),
  fn('lists.range', 'lists_range', [INT], listOf(INT), range, ofResult((_, given) => exactly(written(given, 0, Infinity)))),
  method('reverse', 'list_reverse', [list], list, (items: CelList) => new CelList(items.values().toReversed()), ofResult(first)),
  method('distinct', 'list_distinct', [list], list, distinct, distinctCost),
  ...sortable.map(([name, type]) => unguarded(method('sort', `list_${name}_sort`, [listOf(type)], listOf(type), (items: CelValue) => sortedBy('sort', items, items), squared(0, () => isText(type))))),
  ...sortable.map(([name, type]) => unguarded(method(sortByKeys, `list_${name}_sortByAssociatedKeys`, [list, listOf(type)], list, (items: CelValue, keys: CelValue) => sortedBy(sortByKeys, items, keys), squared(1, () => isText(type))))),
  method('first', 'list_first', [list], optionalOf(T), (items: CelList) => (items.size === 0 ? NONE : new Optional(items.at(0)))),
  method('last', 'list_last', [list], optionalOf(T), (items: CelList) => (items.size === 0 ? NONE : new Optional(items.at(items.size - 1)))),
]
