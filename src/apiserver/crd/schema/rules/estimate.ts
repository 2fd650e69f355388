/** Rules of a definition: they compile, compare only what can be told apart, and cannot cost more than is allowed. */
import { FieldError, type Place } from '../../../../machinery/field.ts'
import { additionalOf, isEmbedded, itemsOf, type Schema } from '../props.ts'
import { compileRules, type CompiledRule } from './compile.ts'
import { hasRules } from './engine.ts'
import { mostTimes, viewOf, type View } from './types.ts'

const mostForRule = 10_000_000
const mostForSchema = 100_000_000

interface Expense { readonly at: Place; readonly cost: number }

interface Site {
  readonly view: View | undefined
  /** How often there can be a value in this place; Infinity where no list or map above it is bounded. */
  readonly times: number
  /** The part of the schema that holds this place and in which values cannot be told apart. */
  readonly uncorrelated?: Place
}

export interface EstimateOptions {
  /** The schema is the one that was accepted before: single rules may cost what they cost. */
  readonly unchanged?: boolean
}

/** Everything that is wrong with the rules of a schema that is fine otherwise. */
export function ruleErrors(at: Place, schema: Schema, { unchanged = false }: EstimateOptions = {}): void {
  const expenses: Expense[] = []
  node(at, schema, { view: viewOf(schema, true, 'selfType'), times: 1 }, expenses, unchanged)
  const total = expenses.reduce((sum, { cost }) => sum + cost, 0)
  if (total <= mostForSchema) return
  const worst = expenses.filter(({ cost }) => cost >= mostForSchema / 100).toSorted((a, b) => b.cost - a.cost).slice(0, 4)
  for (const { at: place } of worst) place.forbidden('contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema')
  at.forbidden(overBudget('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', total, mostForSchema))
}

function node(at: Place, schema: Schema, place: Site, expenses: Expense[], unchanged: boolean): void {
  if (!hasRules(schema)) return
  const more = place.times * mostElements(schema)
  const below = (child: Schema, view: View | undefined, name: string): Site => ({ ...place, times: more, view: view ?? viewOf(child, isEmbedded(child), name) })
  const additional = additionalOf(schema)
  if (additional) node(at.at('additionalProperties'), additional, below(additional, place.view?.element, 'selfType.@elem'), expenses, unchanged)
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    node(at.at('properties').key(name), child, below(child, place.view?.fields?.get(name), `selfType.${name}`), expenses, unchanged)
  }
  const items = itemsOf(schema)
  if (items) {
    const inside = below(items, place.view?.element, 'selfType.@idx')
    const apart = schema['x-kubernetes-list-type'] === 'map'
    node(at.at('items'), items, apart ? inside : { ...inside, uncorrelated: place.uncorrelated ?? at }, expenses, unchanged)
  }
  own(at, schema, place, expenses, unchanged)
}

/** How many values a value can hold of those below it. */
function mostElements(schema: Schema): number {
  if (schema.type === 'array') return Math.max(0, schema.maxItems ?? Infinity)
  return schema.type === 'object' && schema.additionalProperties !== undefined ? Math.max(0, schema.maxProperties ?? Infinity) : 1
}

function own(at: Place, schema: Schema, place: Site, expenses: Expense[], unchanged: boolean): void {
  if (!schema['x-kubernetes-validations']?.length) return
  const all = at.at('x-kubernetes-validations')
  if (!place.view) {
    const why = 'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations'
    return all.say(new FieldError('InternalError', all.text, why))
  }
  const times = Number.isFinite(place.times) ? place.times : mostTimes(place.view.least)
  for (const [i, compiled] of compileRules(schema, place.view).entries()) one(all.index(i), compiled, times, place, expenses, unchanged)
}

const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }
/** A text as Go writes it into JSON. */
const text = (value = ''): unknown => JSON.rawJSON(JSON.stringify(value).replaceAll(/[<>&]/g, (found) => escapes[found] as string))

/** A rule as Kubernetes shows it: in its own form, not in that of the API. */
const asInGo = ({ rule, message, messageExpression, reason, fieldPath, optionalOldSelf }: CompiledRule['rule']): object =>
  ({ Rule: text(rule), Message: text(message), MessageExpression: text(messageExpression), Reason: reason ?? null, FieldPath: text(fieldPath), OptionalOldSelf: optionalOldSelf ?? null })

function one(at: Place, compiled: CompiledRule, times: number, { uncorrelated }: Site, expenses: Expense[], unchanged: boolean): void {
  const { rule, program, error, message, messageError, usesOldSelf } = compiled
  if (program) {
    const cost = multiply(program.cost.max, times)
    if (!unchanged && cost > mostForRule) at.at('rule').forbidden(overBudget('estimated rule cost', cost, mostForRule))
    expenses.push({ at: at.at('rule'), cost })
  }
  if (error !== undefined) at.at('rule').invalid(asInGo(rule), error)
  if (messageError !== undefined) at.at('messageExpression').invalid(asInGo(rule), messageError)
  if (message) {
    if (!unchanged && message.cost.max > mostForRule) at.at('messageExpression').forbidden(overBudget('estimated messageExpression cost', message.cost.max, mostForRule))
    expenses.push({ at: at.at('messageExpression'), cost: message.cost.max })
  }
  if (usesOldSelf) {
    if (uncorrelated) at.at('rule').invalid(rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`)
  } else if (rule.optionalOldSelf !== undefined) at.at('optionalOldSelf').invalid(rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule')
}

/** A product in which nothing stays nothing, however often. */
const multiply = (cost: number, times: number): number => (cost === 0 || times === 0 ? 0 : cost * times)

function overBudget(what: string, cost: number, limit: number): string {
  const ratio = cost / limit
  const factor = ratio > 100 ? 'more than 100x' : ratio < 1.5 ? `${ratio.toFixed(6)}x` : `${ratio.toFixed(1)}x`
  return `${what} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
