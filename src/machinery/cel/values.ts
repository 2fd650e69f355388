/**
 * The values of CEL. Booleans, strings, doubles and null are JavaScript's; an int is a `bigint`; everything else is a class of this file.
 * JSON is not converted up front: lists, maps and objects wrap the JSON, and convert elements on access.
 */
import { exactInteger } from '../json/exact.ts'
import { fail, noSuchOverload, work } from './errors.ts'
import { DYN, type CelListType, type CelObjectType, type CelType } from './types.ts'
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './time.ts'

export type CelValue = boolean | bigint | number | string | null | Boxed | Uint8Array

/** What every value that is not JavaScript's own extends; `typeName` is what `type()` calls it. */
export abstract class Boxed {
  abstract readonly typeName: string
  /** Whether `other`, of the same class, is the same value. */
  equals(other: Boxed): boolean { return this === other }
}

export class Uint extends Boxed {
  readonly typeName = 'uint'
  readonly value: bigint
  constructor(value: bigint) { super(); this.value = value }
}

/** A moment, in nanoseconds since 1970. */
export class Timestamp extends Boxed {
  readonly typeName = 'google.protobuf.Timestamp'
  readonly nanos: bigint
  /** Minutes east of Greenwich that it was written with: only its text shows them. */
  readonly offset: number
  constructor(nanos: bigint, offset = 0) { super(); this.nanos = nanos; this.offset = offset }
  override equals(other: Timestamp): boolean { return this.nanos === other.nanos }
}

export class Duration extends Boxed {
  readonly typeName = 'google.protobuf.Duration'
  readonly nanos: bigint
  constructor(nanos: bigint) { super(); this.nanos = nanos }
  override equals(other: Duration): boolean { return this.nanos === other.nanos }
}

export class Optional extends Boxed {
  readonly typeName = 'optional_type'
  readonly value: CelValue | undefined
  constructor(value: CelValue | undefined) { super(); this.value = value }
  override equals(other: Optional): boolean {
    return this.value === undefined || other.value === undefined ? this.value === other.value : celEquals(this.value, other.value)
  }
}
export const NONE = new Optional(undefined)

/** Type values: the result of `type(x)`, and `int`, `string`, … themselves. */
export class TypeValue extends Boxed {
  readonly typeName = 'type'
  readonly name: string
  constructor(name: string) { super(); this.name = name }
  override equals(other: TypeValue): boolean { return this.name === other.name }
}

/** A list, over JSON elements of a declared type or over values. */
export class CelList extends Boxed {
  readonly typeName = 'list'
  readonly items: readonly unknown[]
  /** The declared type of the list the items came from as JSON; undefined when they are values already. */
  readonly type: CelListType | undefined
  constructor(items: readonly unknown[], type?: CelListType) { super(); this.items = items; this.type = type }
  get size(): number { return this.items.length }
  at(index: number): CelValue { return this.type ? adapt(this.items[index], this.type.element) : (this.items[index] as CelValue) }
  values(): CelValue[] { return this.type ? this.items.map((_, i) => this.at(i)) : (this.items as CelValue[]) }
  override equals(other: CelList): boolean { return listEquals(this, other) }
}

/** Two lists one after the other, not copied: an expression can double a list as often as it likes. */
class JoinedList extends CelList {
  private readonly left: CelList
  private readonly right: CelList
  private readonly length: number
  constructor(left: CelList, right: CelList) {
    super([])
    this.left = left
    this.right = right
    this.length = left.size + right.size
  }
  override get size(): number { return this.length }
  override at(index: number): CelValue {
    let [list, i]: [CelList, number] = [this, index]
    while (list instanceof JoinedList) [list, i] = i < list.left.size ? [list.left, i] : [list.right, i - list.left.size]
    return list.at(i)
  }
  override values(): CelValue[] {
    work(this.length)
    const all: CelValue[] = []
    const rest: CelList[] = [this]
    for (let next = rest.pop(); next; next = rest.pop()) {
      if (next instanceof JoinedList) rest.push(next.right, next.left)
      else for (const value of next.values()) all.push(value)
    }
    return all
  }
}

/** The interface of maps. */
export abstract class CelMap extends Boxed {
  override readonly typeName: string = 'map'
  abstract readonly size: number
  /** Undefined when the key is not there. */
  abstract get(key: CelValue): CelValue | undefined
  abstract keys(): readonly CelValue[]
  override equals(other: CelMap): boolean {
    if (this.size !== other.size) return false
    return this.keys().every((key) => {
      const theirs = other.get(key)
      return theirs !== undefined && celEquals(this.get(key) as CelValue, theirs)
    })
  }
}

/** A JSON object as a map. */
export class JsonMap extends CelMap {
  readonly json: Readonly<Record<string, unknown>>
  readonly value: CelType
  private names: readonly string[] | undefined
  constructor(json: Readonly<Record<string, unknown>>, value: CelType) { super(); this.json = json; this.value = value }
  get size(): number { return this.keys().length }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined
    const raw = this.json[key]
    return raw === undefined ? undefined : adapt(raw, this.value)
  }
  keys(): readonly string[] { return (this.names ??= Object.keys(this.json).filter((key) => this.json[key] !== undefined)) }
}

type Normal = string | bigint | boolean | number
/** A map made by an expression. Equal numbers of different types are one key, as in cel-go. */
export class HashMap extends CelMap {
  readonly entries: ReadonlyMap<Normal, readonly [CelValue, CelValue]>
  constructor(entries: ReadonlyMap<Normal, readonly [CelValue, CelValue]>) { super(); this.entries = entries }
  get size(): number { return this.entries.size }
  get(key: CelValue): CelValue | undefined { const normal = normalKey(key); return normal === undefined ? undefined : this.entries.get(normal)?.[1] }
  keys(): readonly CelValue[] { return [...this.entries.values()].map(([key]) => key) }
}

/** What a key is looked up by; undefined for what cannot be a key. */
export function normalKey(key: CelValue): Normal | undefined {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (key instanceof Uint) return key.value
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key
  return undefined
}

/** A JSON object of a declared object type: its fields by their CEL names. */
export class CelObject extends CelMap {
  override readonly typeName: string
  readonly type: CelObjectType
  readonly json: Readonly<Record<string, unknown>>
  constructor(json: Readonly<Record<string, unknown>>, type: CelObjectType) { super(); this.json = json; this.type = type; this.typeName = type.name }
  get size(): number { return this.keys().length }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined
    const field = this.type.fields.get(key)
    if (!field && !this.type.open) return undefined
    const json = field?.json ?? key
    if (!Object.hasOwn(this.json, json)) return undefined
    const raw = this.json[json]
    return raw === undefined || (raw === null && this.type.nullsAbsent) ? undefined : adapt(raw, field?.type ?? DYN)
  }
  keys(): readonly string[] {
    if (this.type.open) return Object.keys(this.json)
    return [...this.type.fields].filter(([, { json }]) => Object.hasOwn(this.json, json) && this.json[json] !== undefined && (this.json[json] !== null || !this.type.nullsAbsent)).map(([name]) => name)
  }
}

/** An object whose fields are computed when they are asked for, once: the `variables` of a policy. */
export class LazyObject extends CelMap {
  override readonly typeName: string
  private readonly compute: ReadonlyMap<string, () => CelValue>
  private readonly known = new Map<string, CelValue>()
  private readonly underWay = new Set<string>()
  constructor(typeName: string, compute: ReadonlyMap<string, () => CelValue>) { super(); this.typeName = typeName; this.compute = compute }
  get size(): number { return this.compute.size }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined
    const known = this.known.get(key)
    if (known !== undefined) return known
    // Types let a field see only those before it; what goes around them comes here.
    if (this.underWay.has(key)) return fail(`${key} depends on itself`)
    this.underWay.add(key)
    try {
      const made = this.compute.get(key)?.()
      if (made !== undefined) this.known.set(key, made)
      return made
    } finally {
      this.underWay.delete(key)
    }
  }
  keys(): readonly string[] { return [...this.compute.keys()] }
}

/** A JSON value as a value of the declared type. What is not of that type is taken as it is: the schema's validation reports it. */
export function adapt(raw: unknown, type: CelType): CelValue {
  if (raw === null || raw === undefined) return null
  switch (typeof raw) {
    case 'boolean': return raw
    case 'bigint': return type.kind === 'double' ? Number(raw) : type.kind === 'uint' ? new Uint(raw) : raw
    case 'string': return type.kind === 'string' || type.kind === 'dyn' ? raw : adaptString(raw, type)
    case 'number': return type.kind === 'double' || !Number.isInteger(raw) ? raw : type.kind === 'uint' ? new Uint(BigInt(raw)) : BigInt(raw)
    case 'object': return adaptObject(raw, type)
    default: return fail(`unsupported conversion of ${typeof raw}`)
  }
}

function adaptString(raw: string, type: CelType): CelValue {
  if (type.kind === 'timestamp') return parseTimestamp(raw) ?? fail(`invalid timestamp ${JSON.stringify(raw)}`)
  if (type.kind === 'duration') return parseDuration(raw) ?? fail(`invalid duration ${JSON.stringify(raw)}`)
  if (type.kind === 'bytes') return Uint8Array.from(Buffer.from(raw, 'base64'))
  return raw
}

const dynList: CelListType = { kind: 'list', element: DYN }

function adaptObject(raw: object, type: CelType): CelValue {
  if (raw instanceof Boxed || raw instanceof Uint8Array) return raw
  if (Array.isArray(raw)) return new CelList(raw, type.kind === 'list' ? type : dynList)
  const json = raw as Readonly<Record<string, unknown>>
  if (type.kind === 'object') return new CelObject(json, type)
  return new JsonMap(json, type.kind === 'map' ? type.value : DYN)
}

/** `==`: numbers compare across their types, everything else only within its own. */
export function celEquals(a: CelValue, b: CelValue): boolean {
  if (a === b) return true
  work(1)
  if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
    if (a instanceof Uint && b instanceof Uint) return a.value === b.value
    if (a instanceof Uint8Array || b instanceof Uint8Array) return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0
    if (a instanceof CelMap || b instanceof CelMap) return a instanceof CelMap && b instanceof CelMap && a.equals(b)
    if (a instanceof CelList || b instanceof CelList) return a instanceof CelList && b instanceof CelList && a.equals(b)
    return a.constructor === b.constructor && a.equals(b)
  }
  const numeric = numberOf(a)
  const other = numberOf(b)
  return numeric !== undefined && other !== undefined && compareNumbers(numeric, other) === 0
}

/** The number in a value, undefined for what is none. */
export const numberOf = (value: CelValue): bigint | number | undefined =>
  (typeof value === 'bigint' || typeof value === 'number' ? value : value instanceof Uint ? value.value : undefined)

function listEquals(a: CelList, b: CelList): boolean {
  if (a.size !== b.size) return false
  const kind = a.type?.listType ?? b.type?.listType
  if (kind === 'set' || kind === 'map') {
    const known = index(b.values(), kind === 'set' ? undefined : a.type?.keys ?? b.type?.keys ?? [])
    return a.values().every((item) => { const found = known(item); return found !== undefined && celEquals(item, found) })
  }
  for (let i = 0; i < a.size; i++) if (!celEquals(a.at(i), b.at(i))) return false
  return true
}

/** Finds the element that is the same one: the same value, or in a map list the one with the same keys. */
function index(items: readonly CelValue[], keys: readonly string[] | undefined): (item: CelValue) => CelValue | undefined {
  const name = (item: CelValue): string | undefined => {
    const parts = keys === undefined ? [item] : item instanceof CelMap ? keys.map((key) => item.get(key)) : [undefined]
    const normal = parts.map((part) => (part === undefined ? 'none' : normalKey(part)))
    return normal.includes(undefined) ? undefined : JSON.stringify(normal.map((part) => [typeof part, String(part)]))
  }
  const named = new Map<string, CelValue>()
  const others: CelValue[] = []
  for (const item of items) {
    const key = name(item)
    if (key === undefined) others.push(item)
    else named.set(key, item)
  }
  return (item) => {
    const key = name(item)
    return key === undefined ? others.find((other) => celEquals(item, other)) : named.get(key)
  }
}

/** More elements than this cannot come together. */
const longestList = 100_000_000

/** `a + b`: a set gets what it has not yet; in a map list, elements of `b` replace those of `a` with the same keys. */
export function concat(a: CelList, b: CelList): CelList {
  const kind = a.type?.listType
  if (kind !== 'set' && kind !== 'map') return a.size + b.size > longestList ? fail('the list grows too long') : new JoinedList(a, b)
  const keys = kind === 'set' ? undefined : a.type?.keys ?? []
  const [left, right] = [a.values(), b.values()]
  work(left.length + right.length)
  const [inLeft, inRight] = [index(left, keys), index(right, keys)]
  return new CelList([...(kind === 'map' ? left.map((item) => inRight(item) ?? item) : left), ...right.filter((item) => inLeft(item) === undefined)])
}

/** A double is compared with an int as a double; NaN with nothing. */
function compareNumbers(x: bigint | number, y: bigint | number): number {
  const [a, b] = typeof x === typeof y ? [x, y] : [Number(x), Number(y)]
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN
}

/** Negative, 0 or positive; an error for values without an order. */
export function compareValues(a: CelValue, b: CelValue): number {
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined && y !== undefined) return compareNumbers(x, y)
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if ((a instanceof Timestamp && b instanceof Timestamp) || (a instanceof Duration && b instanceof Duration)) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  return noSuchOverload()
}

/** By code points, which for surrogates is not JavaScript's order. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return (x >= 0xd800 && y >= 0xd800 ? (x < 0xe000 ? x + 0x10000 : x) - (y < 0xe000 ? y + 0x10000 : y) : x - y)
  }
  return a.length - b.length
}

/** What `type(value)` is called. */
export function typeNameOf(value: CelValue): string {
  if (value === null) return 'null_type'
  switch (typeof value) {
    case 'boolean': return 'bool'
    case 'bigint': return 'int'
    case 'number': return 'double'
    case 'string': return 'string'
    default: return value instanceof Uint8Array ? 'bytes' : value.typeName
  }
}

/** Whether a value can be an argument of this type: what picks the overload when the types were not known. */
export function isOfType(value: CelValue, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn': case 'param': case 'error': return true
    case 'int': return typeof value === 'bigint'
    case 'double': return typeof value === 'number'
    case 'string': return typeof value === 'string'
    case 'bool': return typeof value === 'boolean'
    case 'null': return value === null
    case 'uint': return value instanceof Uint
    case 'bytes': return value instanceof Uint8Array
    case 'timestamp': return value instanceof Timestamp
    case 'duration': return value instanceof Duration
    case 'list': return value instanceof CelList && (type.element.kind === 'param' || type.element.kind === 'dyn' || value.values().every((item) => isOfType(item, type.element)))
    case 'map': return value instanceof CelMap
    case 'optional': return value instanceof Optional
    case 'type': return value instanceof TypeValue
    case 'object': return value instanceof CelMap
    case 'opaque': return value instanceof Boxed && value.typeName === type.name
  }
}

const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n
/** The int, or the error of an overflow. */
export const int64 = (value: bigint): bigint => (value < MIN || value > MAX ? fail('integer overflow') : value)
export const uint64 = (value: bigint): Uint => (value < 0n || value >= 2n ** 64n ? fail('unsigned integer overflow') : new Uint(value))

/** A value as JSON: ints as numbers, times as text, objects with their JSON names. Throws for what JSON has no form of. */
export function toJson(value: CelValue): unknown {
  work(1)
  if (typeof value === 'bigint') return exactInteger(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint) return exactInteger(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof CelList) return value.type ? value.items : value.values().map(toJson)
  if (value instanceof JsonMap || value instanceof CelObject) return value.json
  if (value instanceof CelMap) return Object.fromEntries(value.keys().map((key) => [String(toJson(key)), toJson(value.get(key) as CelValue)]))
  if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  return fail(`unsupported conversion of ${value.typeName} to JSON`)
}

