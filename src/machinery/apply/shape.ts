/** How apply sees a value: a leaf that one manager owns whole, a map whose keys are owned apart, or a list of elements. */
import { deduced, resolve, type AnyType, type ListType, type StructType } from '../../api/schema.ts'
import { stableStringify } from '../meta.ts'
import { slotTable, type Slot } from '../slots.ts'
import { zeroOf } from '../zero.ts'

export type Target = Exclude<AnyType, { form: 'lazy' }>

export type Shape =
  | { readonly form: 'leaf' }
  | { readonly form: 'map'; readonly child: (name: string) => Target | undefined; readonly isField: (name: string) => boolean; readonly takesNull: (name: string) => boolean }
  | ListShape

export interface ListShape {
  readonly form: 'list'
  readonly of: Target
  /** How an element is called in sets of fields: by its keys, in their order; without any, by itself. */
  readonly elementOf: (item: unknown) => string
  readonly keys: readonly ElementKey[] | undefined
}

/** A key of a list's elements, and what it is where it was left out. */
interface ElementKey { readonly name: string; readonly quoted: string; readonly fallback: unknown }

const leaf: Shape = { form: 'leaf' }
const never = () => false
/** An object that no schema describes. */
const deducedMap: Shape = { form: 'map', child: () => deduced as Target, isField: never, takesNull: () => true }
const known = new WeakMap<Target, Shape>()

/**
 * The shape of a type as one or two values have it. Values of a custom object may be of another form than its schema
 * says, until they are validated: they are leaves. What the schema says nothing about has the shape of its values.
 */
export function shapeFor(type: Target, a: unknown, b?: unknown): Shape {
  const shape = shapeOf(type)
  if (shape.form === 'leaf') return type.form === 'scalar' && type.deduced && isMapOrNone(a) && isMapOrNone(b) && !(isNone(a) && isNone(b)) ? deducedMap : leaf
  if (shape.form === 'list') return (isNone(a) || Array.isArray(a)) && (isNone(b) || Array.isArray(b)) ? shape : leaf
  return isMapOrNone(a) && isMapOrNone(b) ? shape : leaf
}

const isNone = (value: unknown): boolean => value === undefined || value === null
const isMapOrNone = (value: unknown): boolean => isNone(value) || (typeof value === 'object' && !Array.isArray(value))

/** The shape of a type, whatever its values. `isField`: the key is a field of a struct; `takesNull`: null is a value that can be applied to it. */
export function shapeOf(type: Target): Shape {
  let shape = known.get(type)
  if (!shape) {
    shape = make(type)
    known.set(type, shape)
  }
  return shape
}

function make(type: Target): Shape {
  if (type.form === 'struct') return type.atomic ? leaf : structShape(type)
  if (type.form === 'map') {
    const of = resolve(type.of)
    return type.kind === 'atomic' ? leaf : { form: 'map', child: () => of, isField: never, takesNull: never }
  }
  if (type.form === 'list' && type.kind !== 'atomic') return listShape(type)
  return leaf
}

function structShape(type: StructType): Shape {
  const { slots, index } = slotTable(type)
  const others = type.others && resolve(type.others)
  const slotOf = (name: string) => slots[index.get(name) ?? -1]
  return { form: 'map', child: (name) => slotOf(name)?.type ?? others, isField: (name) => index.has(name), takesNull: (name) => slotOf(name)?.options.nullable ?? others !== undefined }
}

/** What the key of an element is when it was left out: what the schema says, or the zero value of a field that is always there. */
export const keyDefault = (slot: Slot | undefined): unknown => slot && (slot.options.default ?? (slot.always ? zeroOf(slot.type) : undefined))

function listShape(type: ListType): ListShape {
  const of = resolve(type.of)
  if (type.kind === 'set' || of.form !== 'struct') return { form: 'list', of, keys: undefined, elementOf: (item) => `v:${stableStringify(item)}` }
  const { slots, index } = slotTable(of)
  const keys = [...(type.keys ?? [])].sort().map((name) => ({ name, quoted: JSON.stringify(name), fallback: keyDefault(slots[index.get(name) ?? -1]) }))
  return { form: 'list', of, keys, elementOf: (item) => namedBy(keys, item) }
}

function namedBy(keys: readonly ElementKey[], item: unknown): string {
  if (typeof item !== 'object' || item === null) return `v:${stableStringify(item)}`
  let text = ''
  for (const key of keys) {
    const value = keyOf(key, item)
    if (value !== undefined) text += `${text && ','}${key.quoted}:${stableStringify(value)}`
  }
  return `k:{${text}}`
}

/** What an element has as one of its keys. */
export function keyOf({ name, fallback }: ElementKey, item: object): unknown {
  const stated = (item as Obj)[name]
  return stated === undefined ? fallback : stated
}

export type Obj = Readonly<Record<string, unknown>>
export type List = readonly unknown[]

export const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && (Array.isArray(value) ? value.length === 0 : hasNoKeys(value)))

function hasNoKeys(value: object): boolean {
  for (const key in value) if (Object.hasOwn(value, key)) return false
  return true
}

/** A map's entries that hold something. */
export const entriesOf = (value: unknown): [string, unknown][] => Object.entries((value ?? {}) as Obj).filter(([, v]) => v !== undefined)

/** The elements of a list by their names, in order. Several may have one name. */
export function byElement(list: unknown, elementOf: (item: unknown) => string): Map<string, unknown[]> {
  const out = new Map<string, unknown[]>()
  for (const item of (list ?? []) as List) {
    const element = elementOf(item)
    const items = out.get(element)
    if (items) items.push(item)
    else out.set(element, [item])
  }
  return out
}
