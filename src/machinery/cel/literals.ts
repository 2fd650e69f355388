/** What can be said of literals before anything is run: a pattern that is none, a duration that is none. */
import { walk, type Expr } from './ast.ts'
import type { Checked } from './check.ts'
import { Failure, compileError, counted, type CelIssue } from './errors.ts'
import { regex } from './regex.ts'
import { parseDuration, parseTimestamp } from './time.ts'

/** Throws `CelError` for literal arguments that could only fail. */
export function validateLiterals(source: string, checked: Checked): void {
  const issues: CelIssue[] = []
  walk(checked.root, (expr) => {
    if (expr.kind !== 'call') return
    const { args } = checked.callOf(expr)
    const text = textOf(expr.fn === 'matches' ? args[1] : args[0])
    const bad = text !== undefined && check(expr.fn, text.value)
    if (bad) issues.push({ offset: text.pos, message: bad })
  })
  if (issues.length > 0) throw compileError(source, issues)
}

const textOf = (expr: Expr | undefined): { readonly value: string; readonly pos: number } | undefined =>
  (expr?.kind === 'literal' && typeof expr.value === 'string' ? { value: expr.value, pos: expr.pos } : undefined)

function check(fn: string, text: string): string | undefined {
  if (fn === 'duration' && !parseDuration(text)) return 'invalid duration argument'
  if (fn === 'timestamp' && (!parseTimestamp(text) || /^\d{4}-\d\d-\d\d$/.test(text))) return 'invalid timestamp argument'
  if (fn !== 'matches') return undefined
  try {
    counted(() => regex(text))
    return undefined
  } catch (error) {
    if (error instanceof Failure) return 'invalid matches argument'
    throw error
  }
}
