/** What can be said of literals before anything is run: a pattern that is none, a duration that is none. */
import { childrenOf, walk, type Call, type Expr } from './ast.ts'
import type { Checked } from './check.ts'
import { Failure, compileError, counted, fail, type CelIssue } from './errors.ts'
import { interpolate, refusedBy } from './library/format-string.ts'
import { regex } from './regex.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import { isDyn, typeName, type CelType } from './types.ts'

/** Throws `CelError` for literal arguments that could only fail. */
export function validateLiterals(source: string, checked: Checked): void {
  const issues: CelIssue[] = []
  walk(checked.root, (expr) => {
    if (expr.kind !== 'call') return
    const { args } = checked.callOf(expr)
    const clause = expr.fn === 'format' ? badClause(checked, expr) : undefined
    if (clause) issues.push(clause)
    const text = textOf(expr.fn === 'matches' ? args[1] : args[0])
    const bad = text !== undefined && check(expr.fn, text.value)
    if (bad) issues.push({ offset: text.pos, message: bad })
  })
  if (issues.length > 0) throw compileError(source, issues)
}

/** What is wrong with the clauses of a format that is written out, with its arguments. */
function badClause(checked: Checked, { pos, target, args: [list] }: Call): CelIssue | undefined {
  const text = textOf(target)
  if (!text || list?.kind !== 'list') return undefined
  let offset = pos
  try {
    const { used } = interpolate(text.value, list.elements.length, (verb, index) => {
      const bad = refused(checked, verb, (list.elements[index] as { readonly value: Expr }).value)
      if (!bad) return ''
      offset = bad.offset
      return fail(bad.message)
    })
    return used < list.elements.length ? { offset, message: `too many arguments supplied to string.format (expected ${used}, got ${list.elements.length})` } : undefined
  } catch (error) {
    if (error instanceof Failure) return { offset, message: error.message }
    throw error
  }
}

function refused(checked: Checked, verb: string, expr: Expr): CelIssue | undefined {
  const type = checked.typeOf(expr)
  const message = isDyn(type) ? undefined : refusedBy(verb, runtimeName(type))
  if (message) return { offset: expr.pos, message }
  const inner = verb !== 's' ? [] : expr.kind === 'list' || expr.kind === 'map' ? childrenOf(expr) : []
  return inner.map((each) => refused(checked, verb, each)).find((issue) => issue !== undefined)
}

/** What a value of the type says its type is. */
function runtimeName(type: CelType): string {
  switch (type.kind) {
    case 'list': case 'map': case 'type': return type.kind
    case 'object': return 'map'
    case 'optional': return 'optional_type'
    case 'null': return 'null_type'
    case 'timestamp': case 'duration': return `google.protobuf.${type.kind === 'duration' ? 'Duration' : 'Timestamp'}`
    default: return typeName(type)
  }
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
