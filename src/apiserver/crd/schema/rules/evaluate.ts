/** Runs the rules of a schema on an object. */
import { CelCostExceeded, CelError, Failure, NONE, Optional, adapt, perCallLimit, type CelProgram, type CelValue } from '../../../../machinery/cel/index.ts'
import { path, omitted, type FieldError, type Path } from '../../../../machinery/field.ts'
import { itemCorrelation } from '../correlation.ts'
import { nameless, none } from '../issue.ts'
import { additionalOf, isEmbedded, isObject, itemsOf, type Schema } from '../props.ts'
import { compileSame, type Same } from '../same.ts'
import { compileRules, type CompiledRule } from './compile.ts'
import { hasRules } from './engine.ts'
import { viewOf, type View } from './types.ts'

/** What all rules on one object may cost together (Kubernetes's RuntimeCELCostBudget). */
const budgetPerObject = 10_000_000
const longestMessage = 5 * 1024

/** One validation of one object. */
interface Run {
  budget: number
  readonly errors: FieldError[]
}

/** Out of budget: the rest of the object is not looked at. */
class Exhausted extends Error {}

/** Whether a part of the object is what it was: what it has wrong is tolerated then. */
type Unchanged = () => boolean

interface Visit {
  readonly value: unknown
  /** What rules see as oldSelf; `none` when there is nothing. */
  readonly old: unknown
  /** What stood here before as far as that can be told, by its place in a list for one; `none` when it cannot. */
  readonly before: unknown
  readonly unchanged: Unchanged
  readonly at: Path
}

type Visitor = (visit: Visit, run: Run) => void

const never: Unchanged = () => false

/** The validation by all rules of a schema. `old` is `none` for a new object. */
export function compileRuleCheck(schema: Schema): (value: unknown, old: unknown) => readonly FieldError[] {
  const visit = visitor(schema, undefined, true)
  if (!visit) return () => []
  const same = compileSame(schema)
  return (value, old) => errorsOf(visit, { value, old, before: old, unchanged: old === none ? never : once(() => same(value, old)), at: path() })
}

function errorsOf(visit: Visitor, start: Visit): readonly FieldError[] {
  const run: Run = { budget: budgetPerObject, errors: [] }
  try {
    visit(start, run)
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error
  }
  return run.errors
}

/** What is wrong with the default of a schema by its own rules and those below: rules about a change see no change. */
export function defaultRuleErrors(schema: Schema, at: Path): readonly FieldError[] {
  const visit = visitor(schema, undefined)
  const value = schema.default
  return visit ? errorsOf(visit, { value, old: value, before: none, unchanged: never, at }) : []
}

function once(ask: Unchanged): Unchanged {
  let answer: boolean | undefined
  return () => (answer ??= ask())
}

/**
 * The rules of a schema and of what is below it; undefined where there are none. They are compiled when they are first run.
 * `outer` is what a rule further up sees in this place; where there is none, the types begin here.
 */
function visitor(schema: Schema, outer: View | undefined, root = false): Visitor | undefined {
  if (!hasRules(schema)) return undefined
  const own = (schema['x-kubernetes-validations']?.length ?? 0) > 0
  const view = outer ?? (own ? viewOf(schema, root || isEmbedded(schema), 'selfType') : undefined)
  const parts = [list(schema, view), map(schema, view), properties(schema, view, root)].flatMap((part) => part ?? [])
  let rules: readonly CompiledRule[] | undefined
  return (visit, run) => {
    if (visit.value === null || visit.value === undefined) return
    if (own && view) expressions(schema, view, (rules ??= compileRules(schema, view)), visit, run)
    for (const part of parts) part(visit, run)
  }
}

/**
 * A visit one step down. `old` is what rules see as oldSelf; `before` what the value is compared with to tell whether it has
 * changed: where it has no place of its own in what was there, that is told by what it is a part of.
 */
function stepTo(visit: Visit, value: unknown, at: Path, same: Same, old: unknown, before = old): Visit {
  return { value, old: old ?? none, before: before ?? none, unchanged: before === none ? visit.unchanged : once(() => same(value, before)), at }
}

function list(schema: Schema, view: View | undefined): Visitor | undefined {
  const items = itemsOf(schema)
  const element = items && visitor(items, view?.element)
  if (!element) return undefined
  const correlate = itemCorrelation(schema)
  const transitions = schema['x-kubernetes-list-type'] === 'map'
  const same = compileSame(items)
  return (visit, run) => {
    if (!Array.isArray(visit.value)) return
    const find = correlate(visit.before)
    for (const [i, item] of visit.value.entries()) {
      const before = find ? find(item, i) : none
      element(stepTo(visit, item, visit.at.index(i), same, transitions ? before : none, before), run)
    }
  }
}

const oldOf = (old: unknown, name: string): unknown => (isObject(old) && Object.hasOwn(old, name) ? old[name] : none)

function map(schema: Schema, view: View | undefined): Visitor | undefined {
  const additional = additionalOf(schema)
  const each = additional && visitor(additional, view?.element)
  if (!each) return undefined
  const same = compileSame(additional)
  return (visit, run) => {
    if (!isObject(visit.value)) return
    for (const [name, value] of Object.entries(visit.value)) each(stepTo(visit, value, visit.at.key(name), same, oldOf(visit.old, name), oldOf(visit.before, name)), run)
  }
}

function properties(schema: Schema, view: View | undefined, root: boolean): Visitor | undefined {
  const children = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const visit = visitor(child, view?.fields?.get(name))
    return visit ? [[name, visit, compileSame(child)] as const] : []
  })
  if (children.length === 0) return undefined
  return (visit, run) => {
    if (!isObject(visit.value)) return
    for (const [name, child, same] of children) {
      if (!Object.hasOwn(visit.value, name)) continue
      const next = stepTo(visit, visit.value[name], visit.at.at(name), same, oldOf(visit.old, name), oldOf(visit.before, name))
      // What kind and version an object is of looks the same before and after, however it was changed.
      child(root && (name === 'apiVersion' || name === 'kind') ? { ...next, unchanged: never } : next, run)
    }
  }
}

const exhausted = 'validation failed due to running out of cost budget, no further validation rules will be run'
const shown = ({ message, rule }: CompiledRule['rule']): string => (message ? message.trim() : rule.trim())

function expressions(schema: Schema, view: View, rules: readonly CompiledRule[], visit: Visit, run: Run): void {
  const place = visit.at.text === '' ? path(nameless) : visit.at
  const type = schema.type ?? ''
  const complain = (text: string): void => void run.errors.push(place.invalid(type, text))
  const stop = (text: string): never => {
    complain(text)
    throw new Exhausted()
  }
  if (run.budget <= 0) stop(exhausted)
  const self = adapted(visit.value, view)
  const old = visit.old === none || visit.old === null ? undefined : adapted(visit.old, view)
  for (const compiled of rules) {
    const { rule, program, error, usesOldSelf } = compiled
    if (error !== undefined) complain(`rule compile error: ${error}`)
    if (!program) continue
    const optional = rule.optionalOldSelf === true
    if (usesOldSelf && old === undefined && !optional) continue
    const variables = { self, ...(usesOldSelf || optional ? { oldSelf: optional ? (old === undefined ? NONE : new Optional(old)) : old } : {}) }
    const outcome = evaluated(program, variables, run)
    if ('value' in outcome) {
      if (outcome.value !== true) failed(compiled, variables, schema, visit, run)
    } else if (outcome.overBudget) stop(exhausted)
    else if (outcome.overLimit) stop(`'${outcome.error}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown(rule)}`)
    else if (outcome.error.startsWith('no such overload')) complain(`'${outcome.error}': call arguments did not match a supported operator, function or macro signature for rule: ${shown(rule)}`)
    else complain(`${outcome.error} evaluating rule: ${shown(rule)}`)
  }
}

/** A value as its type says. A text that is no time where one should be is null: it was there before, or validation has told of it. */
function adapted(value: unknown, view: View): CelValue {
  try {
    return adapt(value, view.type)
  } catch (error) {
    if (error instanceof Failure) return null
    throw error
  }
}

type Variables = Readonly<Record<string, unknown>>
type Outcome = { readonly value: unknown } | { readonly error: string; readonly overBudget: boolean; readonly overLimit: boolean }

/** Evaluates, and takes the cost out of the budget. */
function evaluated(program: CelProgram, variables: Variables, run: Run): Outcome {
  try {
    const { value, cost } = program.evaluate(variables, { budget: run.budget })
    run.budget -= cost
    return { value }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    const over = error instanceof CelCostExceeded
    const { cost = 0 } = error as CelError & { cost?: number }
    const overBudget = over && run.budget < perCallLimit
    run.budget -= cost
    return { error: error.message, overBudget, overLimit: over && !overBudget }
  }
}

/** The error of a rule that does not hold. */
function failed(compiled: CompiledRule, variables: Variables, schema: Schema, visit: Visit, run: Run): void {
  const { rule, usesOldSelf, fieldPath } = compiled
  const place = fieldPath === undefined ? (visit.at.text === '' ? path(nameless) : visit.at) : visit.at.at(fieldPath)
  const add = (error: FieldError): void => {
    if (usesOldSelf || !visit.unchanged()) run.errors.push(error)
  }
  const detail = told(compiled, variables, run)
  if (typeof detail !== 'string') {
    add(place.invalid(schema.type ?? '', detail.fatal))
    throw new Exhausted()
  }
  const value = schema.type === 'object' || schema.type === 'array' ? omitted : visit.value
  switch (rule.reason) {
    case 'FieldValueForbidden': return add(place.forbidden(detail))
    case 'FieldValueRequired': return add(place.required(detail))
    case 'FieldValueDuplicate': return add(place.duplicate(value))
    default: return add(place.invalid(value, detail))
  }
}

/** What a rule that does not hold says. A message that cannot be made is replaced by the one that is always there. */
function told({ rule, message }: CompiledRule, variables: Variables, run: Run): string | { readonly fatal: string } {
  const plain = rule.message ? rule.message.trim() : `failed rule: ${shown(rule)}`
  if (!message) return plain
  const outcome = evaluated(message, variables, run)
  if (!('value' in outcome)) {
    if (outcome.overBudget) return { fatal: 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run' }
    if (outcome.overLimit) return { fatal: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(rule.messageExpression)}` }
    return plain
  }
  const text = typeof outcome.value === 'string' ? outcome.value.trim() : ''
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > longestMessage ? plain : text
}
