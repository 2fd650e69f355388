/** What an expression can cost, before it is run: from the sizes that its types allow. */
import type { Call, Expr, Fold } from './ast.ts'
import type { Checked } from './check.ts'
import { foldCost } from './fold.ts'
import { exactly, plus, product, union, type Given, type Overload, type Size } from './functions.ts'
import type { CelType } from './types.ts'
import { CelList, CelMap, type CelValue } from './values.ts'

interface Estimate { readonly cost: Size; readonly size: Size }
type Locals = ReadonlyMap<string, Size>

/** The least and the most that one evaluation costs; `max` is Infinity where nothing bounds the sizes. */
export function estimateCost(checked: Checked): Size {
  return new Estimator(checked).of(checked.root, new Map()).cost
}

const sized = (type: CelType): Size => {
  switch (type.kind) {
    case 'list': return { min: 0, max: type.max ?? Infinity, element: sized(type.element) }
    case 'string': case 'bytes': case 'map': case 'dyn': return { min: 0, max: type.max ?? Infinity }
    case 'param': case 'error': case 'optional': case 'object': return { min: 0, max: Infinity }
    default: return exactly(1)
  }
}

const valueSize = (value: CelValue): Size =>
  exactly(typeof value === 'string' ? [...value].length : value instanceof Uint8Array ? value.length : value instanceof CelList || value instanceof CelMap ? value.size : 1)

/** What calling one of these overloads costs, and how big its result is where that is known. */
function invoked(overloads: readonly Overload[], sizes: readonly Size[], given: readonly Given[]): { readonly cost: Size; readonly size: Size | undefined } {
  const costs = overloads.map(({ cost }) => cost?.estimate(sizes, given) ?? exactly(1))
  const results = overloads.map(({ cost }) => cost?.size?.(sizes, given))
  const known = (size: Size | undefined): size is Size => size !== undefined
  return { cost: costs.length > 0 ? costs.reduce(union) : exactly(1), size: results.length > 0 && results.every(known) ? results.reduce(union) : undefined }
}

class Estimator {
  private readonly checked: Checked
  constructor(checked: Checked) { this.checked = checked }

  of(expr: Expr, locals: Locals): Estimate {
    const type = this.checked.typeOf(expr)
    switch (expr.kind) {
      case 'literal': return { cost: exactly(0), size: valueSize(expr.value) }
      case 'ident': return { cost: exactly(1), size: locals.get(expr.name) ?? sized(type) }
      case 'select': return this.select(expr, type, locals)
      case 'call': return this.call(expr, type, locals)
      case 'list': return this.list(expr, locals)
      case 'map': return { cost: this.sum([30, ...expr.entries.flatMap(({ key, value }) => [key, value])], locals), size: exactly(expr.entries.length) }
      case 'struct': return { cost: this.sum([40, ...expr.fields.map(({ value }) => value)], locals), size: exactly(1) }
      case 'fold': return this.fold(expr, locals)
      case 'optMap': {
        const target = this.of(expr.target, locals)
        const body = this.of(expr.body, locals)
        return { cost: plus(target.cost, { min: 0, max: body.cost.max }), size: sized(type) }
      }
    }
  }

  private list({ elements }: Expr & { kind: 'list' }, locals: Locals): Estimate {
    const parts = elements.map(({ value }) => this.of(value, locals))
    const [first = exactly(1), ...others] = parts.map(({ size }) => size)
    return { cost: parts.map(({ cost }) => cost).reduce(plus, exactly(10)), size: { ...exactly(elements.length), element: others.reduce(union, first) } }
  }

  private sum(parts: readonly (number | Expr)[], locals: Locals): Size {
    return parts.map((part) => (typeof part === 'number' ? exactly(part) : this.of(part, locals).cost)).reduce(plus)
  }

  private select(expr: Expr & { kind: 'select' }, type: CelType, locals: Locals): Estimate {
    const { cost } = this.of(expr.operand, locals)
    const { kind } = this.checked.typeOf(expr.operand)
    const priced = !expr.test && (kind === 'map' || kind === 'object' || kind === 'param')
    return { cost: priced ? plus(cost, exactly(1)) : cost, size: sized(type) }
  }

  private call(expr: Call, type: CelType, locals: Locals): Estimate {
    const { overloads, args } = this.checked.callOf(expr)
    const parts = args.map((arg) => this.of(arg, locals))
    const [a, b, c] = parts as [Estimate, Estimate, Estimate]
    if (expr.fn === '_&&_' || expr.fn === '_||_') return { cost: { min: a.cost.min, max: a.cost.max + b.cost.max }, size: exactly(1) }
    if (expr.fn === '_?_:_') return { cost: plus(a.cost, union(b.cost, c.cost)), size: union(b.size, c.size) }
    const sizes = parts.map(({ size }) => size)
    const given = args.map((arg): Given => ({ type: this.checked.typeOf(arg), literal: arg.kind === 'literal' ? arg.value : undefined }))
    const own = invoked(overloads, sizes, given)
    return { cost: plus(parts.map(({ cost }) => cost).reduce(plus, exactly(0)), own.cost), size: own.size ?? sized(type) }
  }

  private fold(expr: Fold, locals: Locals): Estimate {
    const range = this.of(expr.range, locals)
    const inner = new Map(locals)
    for (const name of expr.variables) inner.delete(name)
    if (range.size.element && this.checked.typeOf(expr.range).kind === 'list') inner.set(expr.variables.at(-1) as string, range.size.element)
    const body = this.of(expr.body, inner).cost
    const test = expr.filter ? this.of(expr.filter, inner).cost : exactly(0)
    const { turn, start, end } = this.turn(expr, body)
    const each = expr.filter ? plus(test, { min: Math.min(1, turn.min), max: turn.max }) : turn
    const kept = expr.op === 'all' || expr.op === 'exists' || expr.op === 'existsOne' ? exactly(1)
      : { min: expr.op === 'filter' || expr.filter ? 0 : range.size.min, max: range.size.max }
    const cost = [range.cost, exactly(start), product(range.size, each), exactly(end)].reduce(plus)
    return expr.op === 'sortBy' ? this.sortBy(expr, cost, range.size) : { cost, size: kept }
  }

  /** Beside the keys: the loop of no turns that names the list, and the sorting. */
  private sortBy(expr: Fold, keys: Size, size: Size): Estimate {
    const [list, key] = [this.checked.typeOf(expr.range), this.checked.typeOf(expr.body)]
    const own = invoked(this.checked.callOf(expr).overloads, [size, { min: size.min, max: size.max }], [{ type: list }, { type: { kind: 'list', element: key } }])
    return { cost: [keys, exactly(12), own.cost].reduce(plus), size: own.size ?? size }
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
