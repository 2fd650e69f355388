/** The syntax tree. `pos` is the position that cel-go names in messages, in UTF-16 units. */
import type { CelValue } from './values.ts'
import type { CelType } from './types.ts'

export type FoldOp = 'all' | 'exists' | 'existsOne' | 'map' | 'filter' | 'transformList' | 'transformMap' | 'transformMapEntry' | 'sortBy'

export interface Literal { readonly kind: 'literal'; readonly pos: number; readonly value: CelValue; readonly type: CelType }
export interface Ident { readonly kind: 'ident'; readonly pos: number; readonly name: string }
/** `operand.field`, or `has(operand.field)` with `test`. */
export interface Select { readonly kind: 'select'; readonly pos: number; readonly operand: Expr; readonly field: string; readonly test: boolean }
/** Functions and operators; an operator has its CEL name (`_+_`, `_[_]`, `_?._`). */
export interface Call { readonly kind: 'call'; readonly pos: number; readonly fn: string; readonly target?: Expr | undefined; readonly args: readonly Expr[] }
export interface ListExpr { readonly kind: 'list'; readonly pos: number; readonly elements: readonly { readonly value: Expr; readonly optional: boolean }[] }
export interface MapExpr { readonly kind: 'map'; readonly pos: number; readonly entries: readonly { readonly key: Expr; readonly value: Expr; readonly optional: boolean; readonly pos: number }[] }
export interface StructExpr { readonly kind: 'struct'; readonly pos: number; readonly name: string; readonly fields: readonly { readonly name: string; readonly value: Expr; readonly optional: boolean; readonly pos: number }[] }
/** The macros that iterate over a list or map, with one variable (element or key) or two (index or key, and value). */
export interface Fold {
  readonly kind: 'fold'; readonly pos: number; readonly op: FoldOp; readonly range: Expr
  readonly variables: readonly string[]; readonly filter?: Expr | undefined; readonly body: Expr
}
/** `optMap` and `optFlatMap`. */
export interface OptMap { readonly kind: 'optMap'; readonly pos: number; readonly target: Expr; readonly variable: string; readonly body: Expr; readonly flat: boolean }

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Fold | OptMap

/** Visits an expression and its subexpressions, outer first. */
export function walk(expr: Expr, visit: (expr: Expr) => void): void {
  visit(expr)
  for (const child of childrenOf(expr)) walk(child, visit)
}

/** The direct subexpressions, in order of evaluation. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal': case 'ident': return []
    case 'select': return [expr.operand]
    case 'call': return expr.target ? [expr.target, ...expr.args] : expr.args
    case 'list': return expr.elements.map((e) => e.value)
    case 'map': return expr.entries.flatMap((e) => [e.key, e.value])
    case 'struct': return expr.fields.map((f) => f.value)
    case 'fold': return [expr.range, ...(expr.filter ? [expr.filter] : []), expr.body]
    case 'optMap': return [expr.target, expr.body]
  }
}

/** `a.b.c` for a chain of names; undefined for anything else. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test) return undefined
  const operand = qualifiedName(expr.operand)
  return operand === undefined ? undefined : `${operand}.${expr.field}`
}
