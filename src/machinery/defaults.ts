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
  /** Where the field stands among those of the struct. */
  readonly place: number
  readonly value: unknown
  /** The zero value that stands for "not sent" where the field is always there. */
  readonly unset: '' | 0 | undefined
  readonly inner: Defaulter | undefined
}

function compileStruct(type: StructType): Defaulter | undefined {
  const { slots, index } = slotTable(type)
  const steps: Step[] = []
  for (const [place, slot] of slots.entries()) {
    const inner = defaulterOf(slot.type)
    const value = deepFreeze(slot.options.default)
    // The default of a `zero` field that is the zero value itself changes nothing.
    const hollow = slot.presence === 'zero' && (value === '' || value === 0 || value === false)
    const stated = value !== undefined && !hollow
    const unset = slot.always && slot.type.form === 'scalar' ? (slot.type.name === 'string' ? '' : slot.type.name === 'int32' ? 0 : undefined) : undefined
    if (inner || stated) steps.push({ name: slot.name, place, value: stated ? value : undefined, unset, inner })
  }
  if (steps.length === 0) return undefined
  return (value) => defaultStruct(value as Record<string, unknown>, steps, index)
}

interface Change { readonly step: Step; readonly value: unknown }

function defaultStruct(object: Record<string, unknown>, steps: readonly Step[], index: ReadonlyMap<string, number>): unknown {
  let changes: Change[] | undefined
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!
    const { value, unset, inner } = step
    const before = object[step.name]
    let after = before
    if (value !== undefined && (before === undefined || (unset !== undefined && before === unset))) after = value
    if (inner && after !== undefined && after !== null) after = inner(after)
    if (after !== before) (changes ??= []).push({ step, value: after })
  }
  return changes ? changed(object, changes, index) : object
}

/** The object with changes in fields that it has and in others, all where the schema has them, as long as its own fields are there. */
function changed(object: Record<string, unknown>, changes: readonly Change[], index: ReadonlyMap<string, number>): unknown {
  const out: Record<string, unknown> = {}
  let next = 0
  for (const name in object) {
    const place = index.get(name) ?? -1
    while (next < changes.length && changes[next]!.step.place < place) next = put(out, changes, next)
    if (next < changes.length && changes[next]!.step.place === place) next = put(out, changes, next)
    // A field out of its place may have had its change already.
    else if (object[name] !== undefined && !Object.hasOwn(out, name)) out[name] = object[name]
  }
  while (next < changes.length) next = put(out, changes, next)
  return out
}

function put(out: Record<string, unknown>, changes: readonly Change[], at: number): number {
  const { step, value } = changes[at]!
  out[step.name] = value
  return at + 1
}
