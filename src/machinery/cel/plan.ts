/** From a checked expression to a function that evaluates it, counting what it costs. */
import type { Call, Expr, Literal } from './ast.ts'
import type { Checked } from './check.ts'
import { CelCostExceeded, Failure, fail, noSuchOverload, work } from './errors.ts'
import { constants, membership } from './constants.ts'
import { planFold } from './fold.ts'
import { rememberWritten } from './written.ts'
import { sizeOf, type Overload } from './functions.ts'
import { re2Error } from '../re2.ts'
import { unescapeName, type CelObjectType, type CelType } from './types.ts'
import { Boxed, CelList, CelMap, CelObject, HashMap, NONE, Optional, TypeValue, Uint, adapt, isOfType, normalKey, toJson, typeNameOf, type CelValue } from './values.ts'

/** One evaluation: its variables, and the cost so far. */
export interface Frame {
  cost: number
  readonly limit: number
  readonly variables: Readonly<Record<string, unknown>>
  /** Root variables as values, once they were asked for. */
  readonly roots: (CelValue | undefined)[]
  readonly locals: (CelValue | Unread)[]
}

export type Step = (frame: Frame) => CelValue

/** Where names are, while planning: macros' variables have a place in `locals`. */
export interface Scope {
  readonly slots: ReadonlyMap<string, number>
  readonly next: number
  /** Those of them whose value is asked for when it is first read. */
  readonly late?: ReadonlySet<number>
}

/** A local value that was not read yet. */
class Unread {
  readonly value: CelValue
  constructor(value: CelValue) { this.value = value }
}

export interface Planner {
  readonly checked: Checked
  readonly roots: readonly (readonly [name: string, type: CelType])[]
  plan(expr: Expr, scope: Scope): Step
  /** Why constant parts can only fail. */
  readonly hopeless: string[]
  /** What an expression is always, known ahead: it costs nothing to evaluate. */
  constant(expr: Expr): CelValue | undefined
}

export const spend = (frame: Frame, cost: number): void => {
  frame.cost += cost
  if (frame.cost > frame.limit) throw new CelCostExceeded()
}

export function createPlanner(checked: Checked, variables: ReadonlyMap<string, CelType>): Planner {
  const hopeless: string[] = []
  const planner: Planner = {
    checked,
    roots: [...variables],
    hopeless,
    constant: constants(checked, (expr) => build(expr, { slots: new Map(), next: 0 }), hopeless),
    plan(expr, scope) {
      const value = planner.constant(expr)
      return value === undefined ? build(expr, scope) : () => value
    },
  }
  const build = (expr: Expr, scope: Scope): Step => {
    switch (expr.kind) {
      case 'literal': return () => expr.value
      case 'ident': return ident(planner, expr, expr.name, scope)
      case 'select': return select(planner, expr, scope)
      case 'call': return call(planner, expr, scope)
      case 'list': return list(planner, expr, scope)
      case 'map': return map(planner, expr, scope)
      case 'struct': return struct(planner, expr, scope)
      case 'fold': return planFold(planner, expr, scope)
      case 'optMap': return optMap(planner, expr, scope)
    }
  }
  return planner
}

function ident({ checked, roots }: Planner, expr: Expr, name: string, scope: Scope): Step {
  const slot = scope.slots.get(name)
  if (slot !== undefined && scope.late?.has(slot)) return (f) => {
    spend(f, 1)
    const value = f.locals[slot]
    if (!(value instanceof Unread)) return value as CelValue
    spend(f, 2)
    return (f.locals[slot] = value.value)
  }
  if (slot !== undefined) return (f) => { spend(f, 1); return f.locals[slot] as CelValue }
  const named = checked.typeNamed(expr)
  if (named) {
    const value = new TypeValue(named.kind === 'timestamp' ? 'google.protobuf.Timestamp' : named.kind === 'duration' ? 'google.protobuf.Duration' : name)
    return () => value
  }
  const index = roots.findIndex(([root]) => root === name)
  const type = (roots[index] as readonly [string, CelType])[1]
  return (f) => {
    spend(f, 1)
    const known = f.roots[index]
    if (known !== undefined) return known
    if (!Object.hasOwn(f.variables, name)) return fail(`no such attribute(s): ${name}`)
    return (f.roots[index] = adapt(f.variables[name], type))
  }
}

function select(planner: Planner, expr: Expr & { kind: 'select' }, scope: Scope): Step {
  const dotted = planner.checked.variableOf(expr)
  if (dotted !== undefined) return ident(planner, expr, dotted, scope)
  if (planner.checked.typeNamed(expr)) return ident(planner, expr, 'type', scope)
  const operand = attribute(planner, expr.operand, scope)
  const { field } = expr
  if (expr.test) {
    return (f) => {
      const value = operand(f)
      const inner = value instanceof Optional ? value.value : value
      // Where the way ends ahead of it, nothing was read at all.
      if (inner === undefined) f.cost--
      return inner === undefined ? false : inner instanceof CelMap ? inner.get(field) !== undefined : notOfList(inner, false)
    }
  }
  return (f) => {
    const value = operand(f)
    if (value instanceof Optional) return paid(f, optionalField(value, field))
    spend(f, 1)
    if (value instanceof CelMap) {
      const found = value.get(field)
      return found === undefined ? fail(`no such key: ${field}`) : found
    }
    return fail(`no such key: ${notOfList(value, field)}`)
  }
}

/** A part of an optional is paid for where there is one. */
function paid(f: Frame, found: CelValue): CelValue {
  if (found !== NONE) spend(f, 1)
  return found
}

/** A list has no named fields, and it is an error to ask; of what is no list or map, no field is there. */
const notOfList = <T>(value: CelValue, answer: T): T => (value instanceof CelList ? fail("unsupported index type 'string' in list") : answer)

const optionalField = ({ value }: Optional, field: string): CelValue => {
  if (value === undefined) return NONE
  if (!(value instanceof CelMap)) return notOfList(value, NONE)
  const found = value.get(field)
  return found === undefined ? NONE : new Optional(found)
}

function call(planner: Planner, expr: Call, scope: Scope): Step {
  const { overloads, args } = planner.checked.callOf(expr)
  const steps = args.map((arg) => planner.plan(arg, scope))
  const [a, b, c] = steps as [Step, Step, Step]
  const member = overloads[0]?.id === 'in_list' && overloads.length === 1 ? membership(planner.constant(args[1] as Expr)) : undefined
  if (member) return (f) => member(a(f))
  switch (expr.fn) {
    case '_&&_': return logical(a, b, false)
    case '_||_': return logical(a, b, true)
    case '_?_:_': {
      const [yes, no] = [unread(args[1] as Expr, b), unread(args[2] as Expr, c)]
      return (f) => { const condition = a(f); return condition === true ? yes(f) : condition === false ? no(f) : noSuchOverload() }
    }
    case '_?._': {
      const operand = attribute(planner, args[0] as Expr, scope)
      return (f) => {
        const value = operand(f)
        return paid(f, optionalField(value instanceof Optional ? value : new Optional(value), (args[1] as Literal).value as string))
      }
    }
    case '_[_]': case '_[?_]': {
      const at = unread(args[1] as Expr, b)
      const get = invocation(overloads, (found) => (found === NONE ? 0 : 1))
      const operand = attribute(planner, args[0] as Expr, scope)
      return (f) => {
        const value = operand(f)
        const key = wholeIndex(at(f))
        if (value instanceof CelList && typeof key !== 'bigint') return fail(typeof key === 'number' ? `unsupported index value ${key} in list` : `unsupported index type '${typeNameOf(key)}' in list`)
        return value instanceof Boxed ? get(f, [value, key]) : expr.fn === '_[?_]' ? NONE : fail(`no such key: ${String(key)}`)
      }
    }
    case 'or': if (overloads[0]?.id === 'optional_or_optional') return (f) => { const value = optional(a(f)); return value.value === undefined ? b(f) : value }; break
    case 'orValue': if (overloads[0]?.id === 'optional_orValue_value') return (f) => { const value = optional(a(f)); return value.value === undefined ? b(f) : value.value }; break
  }
  if (expr.fn === 'find' || expr.fn === 'findAll') checkPattern(planner, args[1])
  return strict(steps, overloads)
}

/** A literal pattern is compiled once. */
function checkPattern({ constant, hopeless }: Planner, pattern: Expr | undefined): void {
  const text = pattern && constant(pattern)
  const wrong = typeof text === 'string' ? re2Error(text) : undefined
  if (wrong !== undefined) hopeless.push(wrong)
}

/** What cel-go reads as one: a name, and the fields and elements of something. */
const isAttribute = (expr: Expr): boolean => expr.kind === 'ident' || (expr.kind === 'select' && !expr.test) || (expr.kind === 'call' && (expr.fn === '_[_]' || expr.fn === '_[?_]' || expr.fn === '_?._'))
const isConditional = (expr: Expr): boolean => expr.kind === 'call' && expr.fn === '_?_:_'

/** What a field or an element is read of. Reading of what is not a name, or a part of it, costs 1 more: for the start of the path. */
function attribute(planner: Planner, expr: Expr, scope: Scope): Step {
  const step = planner.plan(expr, scope)
  return planner.constant(expr) === undefined && (isAttribute(expr) || isConditional(expr)) ? step : (f) => { spend(f, 1); return step(f) }
}

/** An attribute that another one reads, as its index or as a branch: for the start of its path, 1, nothing is paid. */
const unread = (expr: Expr, step: Step): Step => (isAttribute(expr) ? (f) => { f.cost--; return step(f) } : step)

/** An index is an int; another number that is whole counts as one. */
const wholeIndex = (value: CelValue): CelValue => (value instanceof Uint ? value.value : typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value)

const optional = (value: CelValue): Optional => (value instanceof Optional ? value : noSuchOverload())

/** `&&` and `||`: one side that decides is enough, even if the other fails. */
function logical(left: Step, right: Step, decides: boolean): Step {
  const tried = (step: Step, f: Frame): CelValue | Failure => {
    try {
      return step(f)
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
  }
  return (f) => {
    const a = tried(left, f)
    if (a === decides) return decides
    if (a === !decides) {
      const b = right(f)
      return typeof b === 'boolean' ? b : noSuchOverload()
    }
    if (right(f) === decides) return decides
    if (a instanceof Failure) throw a
    return noSuchOverload()
  }
}

/** A call of which every argument is evaluated first. Which overload it is, its values say: what was declared of them may not be so. */
function strict(steps: readonly Step[], overloads: readonly Overload[]): Step {
  const invoke = invocation(overloads)
  return (f) => invoke(f, steps.map((step) => step(f)))
}

export type Invoke = (frame: Frame, args: readonly CelValue[]) => CelValue

/** The call of one of these overloads, for `price` or what it says it costs. When the types leave open which, what is priced by overload costs 1. */
export function invocation(overloads: readonly Overload[], price?: (result: CelValue) => number): Invoke {
  const open = overloads.length > 1
  return (f, args) => {
    const overload = overloads.find((o) => o.unguarded || o.args.every((type, i) => isOfType(args[i] as CelValue, type))) ?? noSuchOverload()
    if (!constantTime.has(overload.id)) for (const arg of args) work(sizeOf(arg))
    const result = (overload.call as (...args: readonly CelValue[]) => CelValue)(...args)
    spend(f, price ? price(result) : overload.cost && !(open && overload.cost.byOverload) ? overload.cost.runtime(args, result) : 1)
    return result
  }
}

/** What does not look at all of its arguments, however big they are (or counts for itself what it does look at). */
const constantTime = new Set([
  'equals', 'not_equals', 'to_dyn', 'type', 'size_list', 'list_size', 'size_map', 'map_size', 'add_list', 'index_list', 'index_map', 'in_map',
  'list_optindex_optional_int', 'map_optindex_optional_value', 'optional_of', 'optional_orValue_value',
])

function list(planner: Planner, expr: Expr & { kind: 'list' }, scope: Scope): Step {
  const elements = expr.elements.map(({ value, optional: maybe }) => ({ step: planner.plan(value, scope), maybe }))
  return (f) => {
    const items: CelValue[] = []
    for (const { step, maybe } of elements) {
      const value = step(f)
      if (!maybe) items.push(value)
      else if (optional(value).value !== undefined) items.push(optional(value).value as CelValue)
    }
    spend(f, 10)
    return new CelList(items)
  }
}

function map(planner: Planner, expr: Expr & { kind: 'map' }, scope: Scope): Step {
  // Of a map that is constant nobody looks at the keys: the last one counts.
  const strictly = expr.entries.some(({ key, value }) => planner.constant(key) === undefined || planner.constant(value) === undefined)
  const entries = expr.entries.map(({ key, value, optional: maybe }) => ({ key: planner.plan(key, scope), value: planner.plan(value, scope), maybe }))
  return (f) => {
    const made = new Map<string | bigint | boolean | number, readonly [CelValue, CelValue]>()
    for (const { key, value, maybe } of entries) {
      const k = key(f)
      const v = value(f)
      const normal = normalKey(k) ?? fail('unsupported key type')
      if (strictly && made.has(normal)) fail('Failed with repeated key')
      if (!maybe) made.set(normal, [k, v])
      else if (optional(v).value !== undefined) made.set(normal, [k, optional(v).value as CelValue])
    }
    spend(f, 30)
    return new HashMap(made)
  }
}

/** An object that an expression makes holds JSON, like any other. */
function struct(planner: Planner, expr: Expr & { kind: 'struct' }, scope: Scope): Step {
  const type = planner.checked.typeNamed(expr) as CelObjectType
  const fields = expr.fields.map(({ name, value, optional: maybe }) => ({ name, json: type.fields.get(name)?.json ?? unescapeName(name), step: planner.plan(value, scope), maybe }))
  return (f) => {
    const json: Record<string, unknown> = {}
    for (const { name, json: key, step, maybe } of fields) {
      const value = step(f)
      const given = maybe ? optional(value).value : value
      if (type.nested) checkNesting(`${type.name}.${name}`, given)
      if (given === undefined) continue
      Object.defineProperty(json, key, { value: given instanceof TypeValue ? given.name : toJson(given), enumerable: true, configurable: true, writable: true })
      if (type.nested) rememberWritten(json, key, given)
    }
    spend(f, 40)
    return new CelObject(json, type)
  }
}

/** In a nested type (`Object`), the objects in a field are of the type that the field's path names. */
function checkNesting(expected: string, value: CelValue | undefined): void {
  if (value instanceof CelList) for (const item of value.values()) checkNesting(expected, item)
  if (!(value instanceof CelObject) || !value.type.nested || value.type.name === expected) return
  fail(`type mismatch: unexpected type name ${JSON.stringify(value.type.name)}, expected ${JSON.stringify(expected)}, which matches field name path from root Object type`)
}

function optMap(planner: Planner, expr: Expr & { kind: 'optMap' }, scope: Scope): Step {
  const target = planner.plan(expr.target, scope)
  const slot = scope.next
  const body = planner.plan(expr.body, { slots: new Map([...scope.slots, [expr.variable, slot]]), next: slot + 1, late: new Set([...(scope.late ?? []), slot]) })
  // cel-go makes it of `hasValue() ? optional.of(…) : optional.none()`, over the target by a name; its value is asked for where the variable is first read.
  const named = expr.target.kind === 'ident' ? 0 : 1
  return (f) => {
    const { value } = optional(target(f))
    spend(f, 1 + named)
    if (value === undefined) {
      spend(f, 1)
      return NONE
    }
    f.locals[slot] = new Unread(value)
    if (!expr.flat) spend(f, 1)
    const result = body(f)
    return expr.flat ? optional(result) : new Optional(result)
  }
}
