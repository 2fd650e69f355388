/** What can be said of literals before anything is run: patterns and durations that are none, elements of mixed types, arguments that no clause of a format takes. */
import { childrenOf, walk, type Call, type Expr } from './ast.ts'
import type { Checked } from './check.ts'
import { Failure, compileError, counted, fail, type CelIssue } from './errors.ts'
import { interpolate, refusedBy } from './library/format-string.ts'
import { regex } from './regex.ts'
import { inRange, parseDuration, parseTimestamp } from './time.ts'
import { isDyn, sameType, typeName, type CelType } from './types.ts'

/** Throws `CelError` for literal arguments that could only fail. */
export function validateLiterals(source: string, checked: Checked): void {
  const issues: CelIssue[] = []
  walk(checked.root, (expr) => {
    if (expr.kind !== 'call') return
    const { args } = checked.callOf(expr)
    const clause = expr.fn === 'format' ? badClause(checked, expr) : undefined
    if (clause) issues.push(clause)
    const text = textOf(expr.fn === 'matches' ? args[1] : args[0])
    const bad = text !== undefined ? check(expr.fn, text.value) : expr.fn === 'timestamp' && isNoSecond(args[0]) ? noMoment : undefined
    if (bad) issues.push({ offset: (text ?? args[0] as Expr).pos, message: bad })
  })
  mixed(checked, checked.root, issues)
  if (issues.length > 0) throw compileError(source, issues.toSorted((a, b) => a.offset - b.offset))
}

const noMoment = 'invalid timestamp argument'
const isNoSecond = (expr: Expr | undefined): boolean => expr?.kind === 'literal' && typeof expr.value === 'bigint' && !inRange(expr.value * 1_000_000_000n)

/** Elements of a list or map that is written out are of one type, and `dyn` is a type like others; what is formatted may be of any. */
function mixed(checked: Checked, expr: Expr, issues: CelIssue[]): void {
  const same = (parts: readonly { readonly value: Expr; readonly optional?: boolean }[]): void => {
    const types = parts.map(({ value, optional }) => { const type = checked.typeOf(value); return optional && type.kind === 'optional' ? type.value : type })
    const [first] = types
    const at = types.findIndex((type) => first !== undefined && !sameType(first, type))
    if (first && at > 0) issues.push({ offset: (parts[at] as { value: Expr }).value.pos, message: `expected type '${typeName(first)}' but found '${typeName(types[at] as CelType)}'` })
  }
  if (expr.kind === 'call' && expr.fn === 'format') return
  if (expr.kind === 'list') same(expr.elements)
  if (expr.kind === 'map') {
    same(expr.entries.map(({ key }) => ({ value: key })))
    same(expr.entries)
  }
  for (const child of childrenOf(expr)) mixed(checked, child, issues)
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
  if (fn === 'timestamp' && (!parseTimestamp(text) || /^\d{4}-\d\d-\d\d$/.test(text))) return noMoment
  if (fn !== 'matches') return undefined
  try {
    counted(() => regex(text))
    return undefined
  } catch (error) {
    if (error instanceof Failure) return 'invalid matches argument'
    throw error
  }
}
