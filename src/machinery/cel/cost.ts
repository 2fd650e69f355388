/** Static cost estimation: the cost of an expression by the sizes that its types allow. */
import type { Call, Expr, Fold } from './ast.ts'
import type { Checked } from './check.ts'
import { foldCost } from './fold.ts'
import { exactly, plus, product, union, type Given, type Overload, type Size } from './functions.ts'
import { BOOL, DYN, type CelType } from './types.ts'
import { CelList, CelMap, type CelValue } from './values.ts'

/** Where cel-go's lists of parts have room for one more, the last part of a key's path is written over with that of its value: costs are to be the same, so it is here too. */
const sharesMemory = ({ length }: readonly string[]): boolean => length > 2 && !Number.isInteger(Math.log2(length))

/** The sizes of the entries of a list or map literal. */
interface Entries { readonly key: Size; readonly value: Size; readonly map: boolean }

/**
 * What is known of an expression. `path` leads to it from a variable: `['self', 'spec', '@items']`. Kubernetes looks sizes up by it in the type of
 * the measured variable, whatever the first part is; parts of what has no path begin one.
 */
interface Estimate { readonly cost: Size; readonly size: Size; readonly path: readonly string[]; readonly entries?: Entries | undefined }

type Local = Omit<Estimate, 'cost'>
type Locals = ReadonlyMap<string, Local>

/** The least and the most that one evaluation costs; `max` is Infinity where nothing bounds the sizes. `measured` is the type that knows them. */
export function estimateCost(checked: Checked, measured: CelType | undefined): Size {
  return new Estimator(checked, measured).of(checked.root, new Map()).cost
}

const unknown: Size = { min: 0, max: Infinity }
const nowhere: readonly string[] = []

const isScalar = (type: CelType): boolean =>
  (type.kind === 'optional' ? isScalar(type.value) : type.kind === 'bool' || type.kind === 'double' || type.kind === 'duration' || type.kind === 'int' || type.kind === 'timestamp' || type.kind === 'uint')

/** The most elements, characters or bytes of a value of a type; numbers, booleans and objects have none. */
const mostOf = (type: CelType): number => {
  switch (type.kind) {
    case 'list': case 'map': case 'string': case 'bytes': case 'dyn': case 'timestamp': case 'duration': return type.max ?? Infinity
    default: return 0
  }
}

/** The type at a path; undefined when it is not declared. */
function along(type: CelType | undefined, [name, ...rest]: readonly string[]): CelType | undefined {
  if (name === undefined || type === undefined) return type
  if (name === '@items' || name === '@values') return along(type.kind === 'list' ? type.element : type.kind === 'map' ? type.value : undefined, rest)
  // Kubernetes has no size for keys: they count as empty.
  if (name === '@keys') return type.kind === 'map' && rest.length === 0 ? BOOL : undefined
  return along(type.kind === 'object' ? type.fields.get(name)?.type : undefined, rest)
}

const valueSize = (value: CelValue): Size =>
  exactly(typeof value === 'string' ? [...value].length : value instanceof Uint8Array ? value.length : value instanceof CelList || value instanceof CelMap ? value.size : 1)

/** The cost of a call of one of these overloads, and the size of its result, if known. */
function invoked(overloads: readonly Overload[], sizes: readonly Size[], given: readonly Given[]): { readonly cost: Size; readonly size: Size | undefined } {
  const costs = overloads.map(({ cost }) => cost?.estimate(sizes, given) ?? exactly(1))
  const results = overloads.map(({ cost }) => cost?.size?.(sizes, given))
  const known = (size: Size | undefined): size is Size => size !== undefined
  return { cost: costs.length > 0 ? costs.reduce(union) : exactly(1), size: results.length > 0 && results.every(known) ? results.reduce(union) : undefined }
}

/** The union of two branches. */
const either = (a: Entries | undefined, b: Entries | undefined): Entries | undefined =>
  (a && b ? { key: union(a.key, b.key), value: union(a.value, b.value), map: a.map } : a ?? b)

class Estimator {
  private readonly checked: Checked
  private readonly measured: CelType | undefined
  constructor(checked: Checked, measured: CelType | undefined) {
    this.checked = checked
    this.measured = measured
  }

  of(expr: Expr, locals: Locals): Estimate {
    switch (expr.kind) {
      case 'literal': return { cost: exactly(0), size: valueSize(expr.value), path: nowhere }
      case 'ident': return this.ident(expr, locals)
      case 'select': return this.select(expr, locals)
      case 'call': return this.call(expr, locals)
      case 'list': return this.list(expr, locals)
      case 'map': return this.map(expr, locals)
      case 'struct': return { cost: this.sum([40, ...expr.fields.map(({ value }) => value)], locals), size: unknown, path: nowhere }
      case 'fold': return this.fold(expr, locals)
      case 'optMap': return this.optMap(expr, locals)
    }
  }

  /** The size of a value of a type at a path. */
  private sized(path: readonly string[], type: CelType): Size {
    const found = path.length > 0 ? along(this.measured, path.slice(1)) : undefined
    if (found) return { min: 0, max: mostOf(found) }
    return isScalar(type) ? exactly(1) : unknown
  }

  private at(path: readonly string[], type: CelType, cost: Size): Estimate { return { cost, size: this.sized(path, type), path } }

  private ident(expr: Expr & { kind: 'ident' }, locals: Locals): Estimate {
    const type = this.checked.typeOf(expr)
    const local = locals.get(expr.name)
    if (!local) return this.at([expr.name], type, exactly(1))
    const size = this.sized(local.path, type)
    return { ...local, cost: exactly(1), size: size === unknown ? local.size : size }
  }

  private optMap(expr: Expr & { kind: 'optMap' }, locals: Locals): Estimate {
    const target = this.of(expr.target, locals)
    const inside = this.checked.typeOf(expr.target)
    const variable: Local = { size: this.sized(nowhere, inside.kind === 'optional' ? inside.value : inside), path: nowhere }
    const body = this.of(expr.body, new Map([...locals, [expr.variable, variable]]))
    // Names for the target, where it has none, and for its value; asking whether there is one costs 2, as does reading it.
    const given = [exactly(12), body.cost, exactly(expr.flat ? 0 : 1)].reduce(plus)
    const named = expr.target.kind === 'ident' ? 1 : 12
    return this.at(nowhere, this.checked.typeOf(expr), [target.cost, exactly(named), union(given, exactly(1))].reduce(plus))
  }

  private list({ elements }: Expr & { kind: 'list' }, locals: Locals): Estimate {
    const parts = elements.map(({ value }) => this.of(value, locals))
    const value = parts.length > 0 ? parts.map(({ size }) => size).reduce(union) : exactly(0)
    return { cost: parts.map(({ cost }) => cost).reduce(plus, exactly(10)), size: exactly(elements.length), path: nowhere, entries: { key: exactly(1), value, map: false } }
  }

  private map({ entries }: Expr & { kind: 'map' }, locals: Locals): Estimate {
    const keys = entries.map(({ key }) => this.of(key, locals))
    const values = entries.map(({ value }) => this.of(value, locals))
    const reach = (parts: readonly Estimate[]): Size => (parts.length > 0 ? parts.map(({ size }) => size).reduce(union) : exactly(0))
    const cost = [...keys, ...values].map((part) => part.cost).reduce(plus, exactly(30))
    return { cost, size: exactly(entries.length), path: nowhere, entries: { key: reach(keys), value: reach(values), map: true } }
  }

  private sum(parts: readonly (number | Expr)[], locals: Locals): Size {
    return parts.map((part) => (typeof part === 'number' ? exactly(part) : this.of(part, locals).cost)).reduce(plus)
  }

  private select(expr: Expr & { kind: 'select' }, locals: Locals): Estimate {
    const type = this.checked.typeOf(expr)
    const named = this.checked.variableOf(expr)
    if (this.checked.typeNamed(expr) || named !== undefined) return this.at([named ?? expr.field], type, exactly(1))
    const { cost, path } = this.of(expr.operand, locals)
    if (expr.test) return { cost, size: exactly(1), path: nowhere }
    const { kind } = this.checked.typeOf(expr.operand)
    return this.at([...path, expr.field], type, kind === 'map' || kind === 'object' || kind === 'param' ? plus(cost, exactly(1)) : cost)
  }

  private call(expr: Call, locals: Locals): Estimate {
    const type = this.checked.typeOf(expr)
    const { overloads, args } = this.checked.callOf(expr)
    const parts = args.map((arg) => this.of(arg, locals))
    const [a, b, c] = parts as [Estimate, Estimate, Estimate]
    if (expr.fn === '_&&_' || expr.fn === '_||_') return { cost: { min: a.cost.min, max: a.cost.max + b.cost.max }, size: exactly(1), path: nowhere }
    if (expr.fn === '_?_:_') return { cost: plus(a.cost, union(b.cost, c.cost)), size: union(b.size, c.size), path: nowhere, entries: either(b.entries, c.entries) }
    if (expr.fn === 'dyn') return { ...a, path: nowhere, cost: plus(a.cost, exactly(1)) }
    const sizes = parts.map((part, i) => this.withElement(part, this.checked.typeOf(args[i] as Expr)))
    const given = args.map((arg): Given => ({ type: this.checked.typeOf(arg), literal: arg.kind === 'literal' ? arg.value : undefined }))
    const own = invoked(overloads, sizes, given)
    const cost = plus(parts.map((part) => part.cost).reduce(plus, exactly(0)), own.cost)
    const entries = expr.fn === '_+_' ? either(a.entries, b.entries) : undefined
    if (expr.fn === '_[_]' && overloads.some(({ id }) => id === 'index_list' || id === 'index_map')) {
      const path = [...a.path, this.checked.typeOf(args[0] as Expr).kind === 'map' ? '@values' : '@items']
      return { cost, size: a.entries?.value ?? this.sized(path, type), path }
    }
    return { cost, size: own.size ?? this.sized(nowhere, type), path: nowhere, entries }
  }

  /** Functions that look at the elements of a list know how big they are by its path alone. */
  private withElement({ size, path }: Estimate, type: CelType): Size {
    return type.kind !== 'list' ? size : { ...size, element: isScalar(type.element) ? exactly(1) : path.length > 0 ? this.sized([...path, '@items'], type.element) : unknown }
  }

  private fold(expr: Fold, locals: Locals): Estimate {
    const range = this.of(expr.range, locals)
    const inner = new Map(locals)
    const isMap = range.entries ? range.entries.map : this.checked.typeOf(expr.range).kind === 'map'
    const value: Local = { size: range.entries?.value ?? unknown, path: [...range.path, isMap ? '@values' : '@items'] }
    const [first, second] = expr.variables as [string, string | undefined]
    const mixedUp = second !== undefined && sharesMemory(range.path)
    const key: Local = { size: range.entries?.key ?? unknown, path: mixedUp ? value.path : [...range.path, isMap ? '@keys' : '@indices'] }
    inner.set(first, second !== undefined || isMap ? key : value)
    if (second !== undefined) inner.set(second, value)
    const body = this.of(expr.body, inner)
    const test = expr.filter ? this.of(expr.filter, inner).cost : exactly(0)
    const { turn, start, end } = this.turn(expr, body.cost)
    const each = expr.filter ? plus(test, { min: Math.min(1, turn.min), max: turn.max }) : turn
    const cost = [range.cost, exactly(start), product(range.size, each), exactly(end)].reduce(plus)
    if (expr.op === 'sortBy') return this.sortBy(expr, cost, range.size)
    if (expr.op === 'all' || expr.op === 'exists' || expr.op === 'existsOne') return { cost, size: exactly(1), path: nowhere }
    const kept = expr.op === 'filter' ? inner.get(first) : expr.op === 'map' || expr.op === 'transformList' ? body : undefined
    const most = kept && (kept.path.length > 0 ? this.sized(kept.path, expr.op === 'filter' ? DYN : this.checked.typeOf(expr.body)) : kept.size)
    return { cost, size: { min: range.size.min, max: range.size.max }, path: nowhere, entries: most && { key: exactly(1), value: { min: 0, max: most === unknown ? kept.size.max : most.max }, map: false } }
  }

  /** Beside the keys: the loop of no turns that names the list, and the sorting. */
  private sortBy(expr: Fold, keys: Size, size: Size): Estimate {
    const [list, key] = [this.checked.typeOf(expr.range), this.checked.typeOf(expr.body)]
    const own = invoked(this.checked.callOf(expr).overloads, [size, { min: size.min, max: size.max }], [{ type: list }, { type: { kind: 'list', element: key } }])
    return { cost: [keys, exactly(12), own.cost].reduce(plus), size: own.size ?? size, path: nowhere }
  }

  /** One turn with its body; what the macro costs before and after. */
  private turn({ op }: Fold, body: Size): { readonly turn: Size; readonly start: number; readonly end: number } {
    switch (op) {
      case 'all': case 'exists': {
        const { turn, end } = foldCost[op]
        return { turn: { min: turn, max: turn + body.max }, start: 0, end }
      }
      case 'existsOne': return { turn: plus(body, { min: 1, max: foldCost.existsOne.kept }), start: 0, end: foldCost.existsOne.end }
      case 'filter': return { turn: plus(body, { min: 1, max: foldCost.filter.kept }), start: 10, end: foldCost.filter.end }
      case 'map': case 'transformList': case 'sortBy': return { turn: plus(body, exactly(foldCost.map.kept)), start: 10, end: foldCost.map.end }
      case 'transformMap': case 'transformMapEntry': return { turn: plus(body, exactly(foldCost[op].kept)), start: 30, end: foldCost[op].end }
    }
  }
}
