/**
 * Defaulting by the schema: a default is set if the parent object exists and the property is absent, or null but not
 * nullable. Defaulting continues inside the values that were set.
 */
import { additionalOf, byKey, byRootKey, canonical, inOrder, isObject, itemsOf, metaFields, propertiesOf, put, type Obj, type Order, type Schema } from './props.ts'

/** Applies the defaults below one value; returns the same value if nothing changed. */
type Fill = (value: unknown) => unknown

interface Step {
  readonly name: string
  readonly nullable: boolean
  /** Undefined: no default here, only below. */
  readonly value: unknown
  readonly inner: Fill | undefined
}

/** The defaulter of a schema; undefined when it has no defaults. */
export const compileDefaults = (schema: Schema): Fill | undefined => compile(schema, true)

function stepOf(name: string, schema: Schema): Step | undefined {
  const inner = compile(schema, false)
  const stated = schema.default === undefined || schema.default === null ? undefined : canonical(schema.default)
  if (!inner && stated === undefined) return undefined
  return { name, nullable: schema.nullable === true, value: inner && stated !== undefined ? canonical(inner(stated)) : stated, inner }
}

/** The value of a property or item: its own default if it applies, and the defaults below it. */
function applied(step: Step, before: unknown): unknown {
  if (step.value !== undefined && (before === undefined || (before === null && !step.nullable))) return step.value
  return step.inner && before !== undefined ? step.inner(before) : before
}

function compile(schema: Schema, root: boolean): Fill | undefined {
  const steps = propertiesOf(schema).flatMap(([name, child]) => (root && metaFields.has(name) ? [] : (stepOf(name, child) ?? [])))
  const additional = additionalOf(schema)
  const others = additional && stepOf('', additional)
  const items = itemsOf(schema)
  const element = items && stepOf('', items)
  if (steps.length === 0 && !others && !element) return undefined
  const known = new Set(Object.keys(schema.properties ?? {}))
  const order = root ? byRootKey : byKey
  return (value) => {
    if (Array.isArray(value)) return element ? list(value, element) : value
    if (!isObject(value)) return value
    const filled = steps.length > 0 ? properties(value, steps, order) : value
    return others ? values(filled, others, known) : filled
  }
}

function properties(object: Obj, steps: readonly Step[], order: Order): Obj {
  let changes: Map<string, unknown> | undefined
  for (const step of steps) {
    const before = Object.hasOwn(object, step.name) ? object[step.name] : undefined
    const after = applied(step, before)
    if (after !== before) (changes ??= new Map()).set(step.name, after)
  }
  if (!changes) return object
  const entries = Object.entries(object).filter(([name]) => !changes.has(name))
  return inOrder([...entries, ...changes], order)
}

function values(object: Obj, step: Step, known: ReadonlySet<string>): Obj {
  let out: Record<string, unknown> | undefined
  for (const [name, before] of Object.entries(object)) {
    if (known.has(name)) continue
    const after = before === undefined ? before : applied(step, before)
    if (after !== before) put((out ??= { ...object }), name, after)
  }
  return out ?? object
}

function list(items: readonly unknown[], step: Step): readonly unknown[] {
  let out: unknown[] | undefined
  for (let i = 0; i < items.length; i++) {
    const after = applied(step, items[i])
    if (after !== items[i]) (out ??= [...items])[i] = after
  }
  return out ?? items
}
