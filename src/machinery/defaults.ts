/** Defaulting by the schema. Defaults that depend on other fields live beside the kind's strategy. */
import { resolve, type AnyType, type StructType } from '../api/schema.ts'
import { deepFreeze } from './meta.ts'
import { slotTable } from './slots.ts'

/** Fills in defaults below one value; the same value back when there was nothing to fill in. */
type Defaulter = (value: unknown) => unknown

const compiled = new WeakMap<AnyType, Defaulter | null>()
const inProgress = new Set<AnyType>()

/**
 * Sets the schema's `default` wherever a field is absent (or holds the zero value that stands for "not sent"), deep into
 * the object. Gives the same object back when nothing changed; otherwise shares all that did not.
 */
export function applyDefaults<T>(type: StructType<T>, object: T): T {
  return (defaulterOf(type)?.(object) ?? object) as T
}

/** The defaulter of a type; undefined when nothing in it has a default. */
function defaulterOf(type: AnyType): Defaulter | undefined {
  const target = resolve(type)
  const known = compiled.get(target)
  if (known !== undefined) return known ?? undefined
  // A type that contains itself: found again on the way down, it is looked up when it is used.
  if (inProgress.has(target)) return (value) => compiled.get(target)?.(value) ?? value
  inProgress.add(target)
  const made = compile(target)
  inProgress.delete(target)
  compiled.set(target, made ?? null)
  return made
}

function compile(type: Exclude<AnyType, { form: 'lazy' }>): Defaulter | undefined {
  if (type.form === 'scalar') return undefined
  if (type.form === 'struct') return type.codec?.default ?? compileStruct(type)
  const element = defaulterOf(type.of)
  if (!element) return undefined
  return type.form === 'list' ? (value) => defaultList(value as readonly unknown[], element) : (value) => defaultMap(value as Record<string, unknown>, element)
}

function defaultList(list: readonly unknown[], element: Defaulter): unknown {
  let out: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const item = element(list[i])
    if (item !== list[i]) (out ??= [...list])[i] = item
  }
  return out ?? list
}

function defaultMap(map: Record<string, unknown>, element: Defaulter): unknown {
  let out: Record<string, unknown> | undefined
  for (const key of Object.keys(map)) {
    const item = element(map[key])
    if (item !== map[key]) (out ??= { ...map })[key] = item
  }
  return out ?? map
}

interface Step {
  readonly name: string
  readonly value: unknown
  /** The zero value that stands for "not sent" where the field is always there. */
  readonly unset: '' | 0 | undefined
  readonly inner: Defaulter | undefined
}

function compileStruct(type: StructType): Defaulter | undefined {
  const { slots } = slotTable(type)
  const steps: Step[] = []
  for (const slot of slots) {
    const inner = defaulterOf(slot.type)
    const value = deepFreeze(slot.options.default)
    // The default of a `zero` field that is the zero value itself changes nothing.
    const hollow = slot.presence === 'zero' && (value === '' || value === 0 || value === false)
    const stated = value !== undefined && !hollow
    const unset = slot.always && slot.type.form === 'scalar' ? (slot.type.name === 'string' ? '' : slot.type.name === 'int32' ? 0 : undefined) : undefined
    if (inner || stated) steps.push({ name: slot.name, value: stated ? value : undefined, unset, inner })
  }
  if (steps.length === 0) return undefined
  const order = slots.map((slot) => slot.name)
  return (value) => defaultStruct(value as Record<string, unknown>, steps, order)
}

function defaultStruct(object: Record<string, unknown>, steps: readonly Step[], order: readonly string[]): unknown {
  let changes: Record<string, unknown> | undefined
  for (const { name, value, unset, inner } of steps) {
    const before = object[name]
    let after = before
    if (value !== undefined && (before === undefined || (unset !== undefined && before === unset))) after = value
    if (inner && after !== undefined && after !== null) after = inner(after)
    if (after !== before) (changes ??= {})[name] = after
  }
  if (!changes) return object
  const out: Record<string, unknown> = {}
  for (const name of order) {
    const value = Object.hasOwn(changes, name) ? changes[name] : object[name]
    if (value !== undefined) out[name] = value
  }
  return out
}
