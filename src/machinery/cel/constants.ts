/** Constant folding: literals, lists and maps of them, and conversions are evaluated once. cel-go calls it optimizing. */
import type { Expr } from './ast.ts'
import type { Checked } from './check.ts'
import { CelCostExceeded, Failure, counted } from './errors.ts'
import type { Step } from './plan.ts'
import { CelList, Uint, normalKey, type CelValue } from './values.ts'

const conversions = new Set(['bool', 'bytes', 'double', 'dyn', 'duration', 'int', 'string', 'timestamp', 'uint', 'type'])

/** The constant expressions and their values. One whose evaluation fails is not constant; for conversions, `hopeless` gets the error. */
export function constants(checked: Checked, build: (expr: Expr) => Step, hopeless: string[]): (expr: Expr) => CelValue | undefined {
  const known = new Map<Expr, CelValue | undefined>()
  const constant = (expr: Expr): CelValue | undefined => {
    if (expr.kind === 'literal') return expr.value
    if (!known.has(expr)) known.set(expr, isNever(checked, expr, constant) ? false : isConstant(expr) ? evaluated(build(expr), expr.kind === 'call' ? hopeless : undefined) : undefined)
    return known.get(expr)
  }
  const all = (exprs: readonly Expr[]): boolean => exprs.every((each) => constant(each) !== undefined)
  const isConstant = (expr: Expr): boolean => {
    switch (expr.kind) {
      case 'ident': case 'select': return checked.typeNamed(expr) !== undefined
      case 'list': return all(expr.elements.map(({ value }) => value))
      case 'map': return all(expr.entries.flatMap(({ key, value }) => [key, value]))
      case 'call': return !expr.target && expr.args.length === 1 && conversions.has(expr.fn) && all(expr.args)
      default: return false
    }
  }
  return constant
}

/** `in` with an empty list is always false. */
const isNever = (checked: Checked, expr: Expr, constant: (expr: Expr) => CelValue | undefined): boolean => {
  if (expr.kind !== 'call' || expr.fn !== '@in' || checked.callOf(expr).overloads.map(({ id }) => id).join() !== 'in_list') return false
  const items = constant(expr.args[1] as Expr)
  return items instanceof CelList && items.size === 0
}

function evaluated(step: Step, hopeless: string[] | undefined): CelValue | undefined {
  try {
    return counted(() => step({ cost: 0, limit: Infinity, variables: {}, roots: [], locals: [] }))
  } catch (error) {
    if (error instanceof Failure) hopeless?.push(error.message)
    if (error instanceof Failure || error instanceof CelCostExceeded) return undefined
    throw error
  }
}

/** Whether a value is among those of a constant list, found without going through it; undefined when it must be gone through: not all of it is numbers, texts and truths. */
export function membership(items: CelValue | undefined): ((value: CelValue) => boolean) | undefined {
  if (!(items instanceof CelList)) return undefined
  const values = items.values()
  if (!values.every((value) => typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint)) return undefined
  const keys = new Set<unknown>(values.filter((value) => !Number.isNaN(value)).map(normalKey))
  return (value) => keys.has(normalKey(value))
}
