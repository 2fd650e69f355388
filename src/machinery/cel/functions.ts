/** Function declarations: overloads, implementations, and costs. A library is a list of these. */
import { DYN, type CelType } from './types.ts'
import { Boxed, CelList, CelMap, type CelValue } from './values.ts'

/** The size of a value: characters, bytes, elements; 1 for values without a size. `max` may be Infinity. */
export interface Size {
  readonly min: number
  readonly max: number
  /** How big an element of a list can be, where that is known. */
  readonly element?: Size
}

/** The cost of a call: at run time by the values, statically by their sizes. The target of a member call is the first argument. */
export interface CallCost {
  /** cel-go knows the price by the overload: where the types leave it open, an evaluation pays 1. */
  readonly byOverload?: boolean
  runtime(args: readonly CelValue[], result: CelValue): number
  estimate(args: readonly Size[], given: readonly Given[]): Size
  /** The size of the result, if the arguments determine it. */
  size?(args: readonly Size[], given: readonly Given[]): Size
}

/** What is statically known of an argument: its type, and its value if it is a literal. */
export interface Given { readonly type: CelType; readonly literal?: CelValue | undefined }

export interface Overload {
  /** cel-go's overload ID, such as `string_to_int`. */
  readonly id: string
  /** `target.name(args)`; otherwise `name(args)`. The target's type is the first of `args`. */
  readonly member: boolean
  readonly args: readonly CelType[]
  readonly result: CelType
  readonly call: (...args: never[]) => CelValue
  /** The function looks at its arguments itself: what is declared of them holds for the check of the types only. */
  readonly unguarded?: boolean
  /** Default: 1. */
  readonly cost?: CallCost | undefined
}

export interface FunctionDeclaration { readonly name: string; readonly overloads: readonly Overload[] }

/** Names of functions to their overloads, in the order of declaration. */
export type Functions = ReadonlyMap<string, readonly Overload[]>

/** Merges libraries; a name that several declare has the overloads of all. */
export function functionTable(libraries: readonly (readonly FunctionDeclaration[])[]): Functions {
  const table = new Map<string, Overload[]>()
  for (const { name, overloads } of libraries.flat()) table.set(name, [...(table.get(name) ?? []), ...overloads])
  return table
}

type Call = (...args: never[]) => CelValue

/** `name(args)`, one overload. */
export const fn = (name: string, id: string, args: readonly CelType[], result: CelType, call: Call, cost?: CallCost): FunctionDeclaration =>
  ({ name, overloads: [{ id, member: false, args, result, call, cost }] })
/** `target.name(args)`, one overload; the target is the first of `args`. */
export const method = (name: string, id: string, args: readonly CelType[], result: CelType, call: Call, cost?: CallCost): FunctionDeclaration =>
  ({ name, overloads: [{ id, member: true, args, result, call, cost }] })

/** The size of a value. */
export function sizeOf(value: CelValue | undefined): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  if (value instanceof CelList || value instanceof CelMap) return value.size
  if (value instanceof Boxed && 'costSize' in value) return value.costSize as number
  return 1
}

/** Reading a character of a string costs a tenth; a character of a regular expression, a quarter. */
const traversal = 0.1
const regexLength = 0.25

export const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)
const share = (n: number, factor: number): number => Math.ceil(n * factor)
export const scaled = ({ min, max }: Size, factor: number): Size => ({ min: share(min, factor), max: share(max, factor) })
export const plus = (a: Size, b: Size): Size => ({ min: a.min + b.min, max: a.max + b.max })
export const product = (a: Size, b: Size): Size => ({ min: times(a.min, b.min), max: times(a.max, b.max) })
export const union = (a: Size, b: Size): Size => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })
export const exactly = (n: number): Size => ({ min: n, max: n })
const arg = (args: readonly Size[], i: number): Size => args[i] ?? exactly(1)

export const fixed = (n: number): CallCost => ({ runtime: () => n, estimate: () => exactly(n) })
export const nominal = fixed(1)

/** Going through argument `i` once, or `factor` times. `result` says that the result is as big as the argument can be. */
export const traverse = (i = 0, factor = 1, result?: 'same' | 'upTo'): CallCost => ({
  runtime: (args) => share(sizeOf(args[i]), traversal * factor),
  estimate: (args) => scaled(arg(args, i), traversal * factor),
  ...(result ? { size: (args: readonly Size[]) => (result === 'same' ? arg(args, i) : { min: 0, max: arg(args, i).max }) } : {}),
})

/** Going through both arguments (concatenation). */
export const traverseBoth: CallCost = {
  byOverload: true,
  runtime: (args) => share(sizeOf(args[0]) + sizeOf(args[1]), traversal),
  estimate: (args) => scaled(plus(arg(args, 0), arg(args, 1)), traversal),
  size: (args) => plus(arg(args, 0), arg(args, 1)),
}

/** Comparing: as much as the smaller one is; what has a type of its own is one. */
export const compare: CallCost = {
  byOverload: true,
  runtime: (args) => (args[0] instanceof Boxed && 'costSize' in args[0] ? 1 : share(Math.min(sizeOf(args[0]), sizeOf(args[1])), traversal)),
  estimate(args, given) {
    if (given[0]?.type.kind === 'opaque') return exactly(1)
    const max = Math.min(arg(args, 0).max, arg(args, 1).max)
    return scaled({ min: max > 0 ? 1 : 0, max }, traversal)
  },
}

/** Every element of argument `i` is visited. */
export const elements = (i: number): CallCost => ({ runtime: (args) => sizeOf(args[i]), estimate: (args) => arg(args, i) })

/** A regular expression (the second argument) over a string (the first). */
export const regexCost: CallCost = {
  runtime: (args) => share(1 + sizeOf(args[0]), traversal) * share(sizeOf(args[1]), regexLength),
  estimate: (args) => product(scaled(plus(arg(args, 0), exactly(1)), traversal), scaled(arg(args, 1), regexLength)),
  size: (args) => ({ min: 0, max: arg(args, 0).max }),
}

/** Looking for one string (the second argument) in another. */
export const containsCost: CallCost = {
  runtime: (args) => share(sizeOf(args[0]), traversal) * share(sizeOf(args[1]), traversal),
  estimate: (args) => product(scaled(arg(args, 0), traversal), scaled(arg(args, 1), traversal)),
}

/** Every element of one list against every element of another. */
export const crossCost = (factor: number): CallCost => ({
  runtime: (args) => share(times(sizeOf(args[0]), sizeOf(args[1])), factor) + 1,
  estimate: (args) => plus(scaled(product(arg(args, 0), arg(args, 1)), factor), exactly(1)),
})

/** What takes anything: for declarations of conversions. */
export const any = DYN
