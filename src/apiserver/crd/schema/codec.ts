/**
 * Decoding of custom objects: pruning, coercion of metadata, canonical order. A compiled decoder returns the same value if
 * it is already in normal form. Types are only checked in metadata: a malformed object is rejected here (400), all else is
 * left to validation (422).
 */
import { meta } from '../../../api/index.ts'
import type { CustomCodec } from '../../../api/schema.ts'
import { decoderOf, type Findings } from '../../../machinery/json/decoder.ts'
import { diagnose } from '../../../machinery/json/diagnose.ts'
import { bad, kindOf } from '../../../machinery/json/scalars.ts'
import { additionalOf, byKey, byRootKey, isEmbedded, itemsOf, preserves, put, sortedKeys, type Obj, type Order, type Schema } from './props.ts'

/** One walk over an object. `trail` and `names` exist only on the slow walk, which reports where something is wrong. */
interface Walk extends Findings {
  readonly trail?: string[]
  readonly names?: string[]
  problem?: string
}

type Decode = (value: unknown, walk: Walk) => unknown

/** Decodes one property. A null is dropped if the property is not nullable and has no default to replace it. */
interface Property { decode: Decode; readonly dropsNull: boolean }

const mostNames = 100

const joined = (trail: readonly string[]): string => trail.join('').replace(/^\./, '')

function refuse(walk: Walk, problem: string): never {
  if (walk.trail) {
    const at = joined(walk.trail)
    walk.problem = at ? `${at}: ${problem}` : problem
  }
  throw bad
}

function unknownField(walk: Walk, name: string): void {
  walk.unknown++
  if (walk.trail && walk.names && walk.names.length < mostNames) walk.names.push(`unknown field ${JSON.stringify(joined([...walk.trail, `.${name}`]))}`)
}

/** Runs a decoder one level down, and records the step in the trail, if there is one. */
function below(decode: Decode, value: unknown, step: string, walk: Walk): unknown {
  if (!walk.trail) return decode(value, walk)
  walk.trail.push(step)
  const out = decode(value, walk)
  walk.trail.pop()
  return out
}

function number(value: number, walk: Walk): unknown {
  if (!Number.isFinite(value)) refuse(walk, 'cannot unmarshal number into a 64-bit floating point number: it is out of range')
  return value
}

const scalar: Decode = (value, walk) => (typeof value === 'number' ? number(value, walk) : value)

function decodeList(list: readonly unknown[], element: Decode, walk: Walk): unknown {
  let out: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const item = list[i] ?? null
    const decoded = walk.trail ? below(element, item, `[${i}]`, walk) : element(item, walk)
    if (decoded !== list[i]) (out ??= list.slice())[i] = decoded
  }
  return out ?? list
}

/** The decoder of a key, or undefined when the key is unknown. */
type PropertyOf = (key: string) => Property | undefined

function decodeObject(object: Obj, of: PropertyOf, order: Order, walk: Walk): unknown {
  if (!isSorted(object, order)) return rebuilt(object, sortedKeys(object, order), of, walk)
  for (const key in object) {
    const item = object[key]
    const decoded = item === undefined ? undefined : property(key, item, of, walk)
    if (decoded === undefined || decoded !== item) return continued(object, key, decoded, of, walk)
  }
  return object
}

function isSorted(object: Obj, order: Order): boolean {
  let last: string | undefined
  for (const key in object) {
    if (last !== undefined && order(last, key) > 0) return false
    last = key
  }
  return true
}

function rebuilt(object: Obj, keys: readonly string[], of: PropertyOf, walk: Walk): Obj {
  const out: Record<string, unknown> = {}
  for (const key of keys) {
    const item = object[key]
    const decoded = item === undefined ? undefined : property(key, item, of, walk)
    if (decoded !== undefined) put(out, key, decoded)
  }
  return out
}

/** Rebuilds the object from the first property that changed; `changed` is its new value. */
function continued(object: Obj, changedKey: string, changed: unknown, of: PropertyOf, walk: Walk): Obj {
  const out: Record<string, unknown> = {}
  let ahead = true
  for (const key in object) {
    const item = object[key]
    let decoded: unknown = item
    if (key === changedKey) {
      ahead = false
      decoded = changed
    } else if (!ahead && item !== undefined) decoded = property(key, item, of, walk)
    if (decoded !== undefined) put(out, key, decoded)
  }
  return out
}

function property(key: string, item: unknown, of: PropertyOf, walk: Walk): unknown {
  const known = of(key)
  if (!known) {
    unknownField(walk, key)
    return undefined
  }
  if (item === null && known.dropsNull) return undefined
  return walk.trail ? below(known.decode, item, `.${key}`, walk) : known.decode(item, walk)
}

/** A value that the schema neither specifies nor preserves: its objects are emptied. */
const unspecified: Decode = (value, walk) => {
  if (Array.isArray(value)) return decodeList(value, unspecified, walk)
  if (typeof value === 'object' && value !== null) return decodeObject(value as Obj, () => undefined, byKey, walk)
  return scalar(value, walk)
}

const kept: Decode = (value, walk) => {
  if (Array.isArray(value)) return decodeList(value, kept, walk)
  if (typeof value === 'object' && value !== null) return decodeObject(value as Obj, keptProperty, byKey, walk)
  return scalar(value, walk)
}
const keptEntry: Property = { decode: kept, dropsNull: false }
const keptProperty: PropertyOf = () => keptEntry

const text: Decode = (value, walk) => {
  if (typeof value !== 'string') refuse(walk, `Invalid value: ${JSON.stringify(value)}: must be a string`)
  return value
}

const metadata: Decode = (value, walk) => {
  if (value === null) return undefined
  if (!walk.trail) return decoderOf(meta.ObjectMeta)(value, walk)
  const { unknownFields, typeError } = diagnose(meta.ObjectMeta, value)
  if (typeError !== undefined) {
    const at = joined(walk.trail)
    walk.problem = at === 'metadata' ? typeError : `${at}: ${typeError}`
    throw bad
  }
  for (const line of unknownFields) unknownField(walk, JSON.parse(line.slice('unknown field '.length)) as string)
  return decoderOf(meta.ObjectMeta)(value, { unknown: 0 })
}

const embeddedFields: ReadonlyMap<string, Property> = new Map([
  ['apiVersion', { decode: text, dropsNull: false }],
  ['kind', { decode: text, dropsNull: false }],
  ['metadata', { decode: metadata, dropsNull: false }],
])

interface Place {
  readonly root?: boolean
  /** The enclosing list preserves unknown fields. */
  readonly keeps?: boolean
}

/** Compiles each part on first use: most objects use little of a big schema. */
function lazily(make: () => Decode): { decode: Decode } {
  const part = { decode: (value: unknown, walk: Walk): unknown => (part.decode = make())(value, walk) }
  return part
}

const propertyOf = (schema: Schema): Property => Object.assign(lazily(() => compile(schema)), { dropsNull: schema.nullable !== true && (schema.default === undefined || schema.default === null) })

function compile(schema: Schema, { root = false, keeps = false }: Place = {}): Decode {
  const keepsUnknown = keeps || preserves(schema)
  const element = elementOf(schema, keepsUnknown)
  const of = propertiesBy(schema, root, keepsUnknown)
  const order = root ? byRootKey : byKey
  return (value, walk) => {
    if (typeof value !== 'object' || value === null) return scalar(value, walk)
    if (Array.isArray(value)) return decodeList(value, element.decode, walk)
    return decodeObject(value as Obj, of, order, walk)
  }
}

function elementOf(schema: Schema, keepsUnknown: boolean): { decode: Decode } {
  const items = itemsOf(schema)
  if (!items) return { decode: keepsUnknown ? kept : unspecified }
  return lazily(() => compile(items, { keeps: keepsUnknown }))
}

function propertiesBy(schema: Schema, root: boolean, keepsUnknown: boolean): PropertyOf {
  const known = new Map<string, Property>(root || isEmbedded(schema) ? embeddedFields : [])
  const additional = additionalOf(schema)
  const rest = additional ? propertyOf(additional) : typeof schema.additionalProperties === 'boolean' ? { decode: unspecified, dropsNull: false } : keepsUnknown ? keptEntry : undefined
  const { properties } = schema
  if (!properties) return (key) => known.get(key) ?? rest
  return (key) => {
    const before = known.get(key)
    if (before) return before
    const child = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (!child) return rest
    const made = propertyOf(child)
    known.set(key, made)
    return made
  }
}

/** Decodes a value by a schema: the pruned value, or why it is malformed. */
export function compileReader(schema: Schema): (value: unknown) => { readonly value?: unknown; readonly problem?: string } {
  const decode = compile(schema)
  return (value) => {
    const walk: Walk = { unknown: 0, trail: [], names: [] }
    try {
      return { value: decode(value, walk) }
    } catch (error) {
      if (error !== bad) throw error
      return { problem: walk.problem ?? '' }
    }
  }
}

const emptyMetadata: Obj = Object.freeze({})

/** The decoder of a custom kind, from the root of its schema. */
export function compileCodec(schema: Schema): Pick<CustomCodec, 'decode' | 'diagnose'> {
  const body = compile(schema, { root: true })
  const walkRoot = (value: unknown, walk: Walk): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(walk, `expected object, got ${kindOf(value)}`)
    const object = body(value, walk) as Obj
    return object.metadata === undefined ? body({ ...object, metadata: emptyMetadata }, { unknown: 0 }) : object
  }
  return {
    decode: walkRoot,
    diagnose(value) {
      const walk: Walk = { unknown: 0, trail: [], names: [] }
      try {
        walkRoot(value, walk)
      } catch (error) {
        if (error !== bad) throw error
      }
      return { unknownFields: walk.names ?? [], ...(walk.problem === undefined ? {} : { typeError: walk.problem }) }
    },
  }
}
