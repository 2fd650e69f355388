/** Decoders compiled from the schema: from protobuf straight to the normal form that `json.ts` describes. */
import { JSONSchemaProps } from '../../api/apiextensions/v1.ts'
import { resolve, type AnyType, type Field, type ScalarType, type StructType } from '../../api/schema.ts'
import { parseJson } from '../json/parse.ts'
import { microText } from '../json/scalars.ts'
import { canonicalQuantity } from '../quantity.ts'
import { slotTable, type Slot } from '../slots.ts'
import { formatDuration, secondsText } from '../time.ts'
import { isZeroValue, zeroOf } from '../zero.ts'
import { malformed, type Reader } from './reader.ts'

type Read = (r: Reader) => unknown

/** Reads one field (its tag is read already) into the slots of the message, which begin at `base`. */
type ReadField = (r: Reader, wireType: number, slots: unknown[], base: number) => void

interface MessageReader {
  /** By field number. */
  readonly fields: ReadonlyMap<number, ReadField>
  readonly slots: readonly Slot[]
  readonly missing: readonly unknown[]
  /** As many times undefined as there are slots. */
  readonly blank: readonly undefined[]
}

const compiled = new WeakMap<StructType, MessageReader>()

function messageReader(type: StructType): MessageReader {
  const known = compiled.get(type)
  if (known) return known
  const { slots, index } = slotTable(type)
  const fields = new Map<number, ReadField>()
  const missing = slots.map((slot) => (slot.always ? zeroOf(slot.type) : undefined))
  const made = { fields, slots, missing, blank: slots.map(() => undefined) }
  compiled.set(type, made)
  let next = type.root ? 2 : 0
  for (const [name, field] of Object.entries(type.fields)) {
    const target = resolve(field.type)
    if (field.inline && target.form === 'struct') {
      fields.set(field.no, inlineReader(target, next))
      next += slotTable(target).slots.length
    } else {
      next = (index.get(name) as number) + 1
      fields.set(field.no, fieldReader(field, next - 1))
    }
  }
  return made
}

/** Reads a message up to the reader's end. */
export const readMessage = (type: StructType, r: Reader): Record<string, unknown> => readSlots(messageReader(type), r)

function readSlots(message: MessageReader, r: Reader): Record<string, unknown> {
  const { slots, missing } = message
  const values: unknown[] = message.blank.slice()
  readFields(message, r, values, 0)
  const out: Record<string, unknown> = {}
  for (let i = 0; i < slots.length; i++) {
    let value = values[i] ?? missing[i]
    if (value === undefined) continue
    const slot = slots[i] as Slot
    if (value instanceof MapEntries) value = value.finish()
    if (slot.presence !== 'zero' || !isZeroValue(value)) out[slot.name] = value
  }
  return out
}

function readFields({ fields }: MessageReader, r: Reader, values: unknown[], base: number): void {
  while (r.at < r.end) {
    const tag = r.int64()
    const no = Math.floor(tag / 8)
    if (no <= 0) throw malformed(`illegal tag ${no}`)
    const read = fields.get(no)
    if (read) read(r, tag & 7, values, base)
    else r.skip(tag & 7)
  }
}

function inlineReader(type: StructType, offset: number): ReadField {
  let message: MessageReader | undefined
  return (r, wireType, values, base) => {
    expectWire(wireType, 2)
    const outer = r.enter()
    readFields((message ??= messageReader(type)), r, values, base + offset)
    r.leave(outer)
  }
}

function expectWire(have: number, want: number): void {
  if (have !== want) throw malformed(`wrong wire type ${have}`)
}

function fieldReader(field: Field, slot: number): ReadField {
  const target = resolve(field.type)
  if (target.form === 'list' && !target.wrapped) return listReader(target.of, slot)
  if (target.form === 'map') return mapReader(target.of, slot)
  const read = valueReader(target)
  const wire = wireTypeOf(target)
  return (r, wireType, values, base) => {
    expectWire(wireType, wire)
    values[base + slot] = read(r)
  }
}

function wireTypeOf(type: AnyType): number {
  if (type.form !== 'scalar') return 2
  return type.name === 'double' ? 1 : type.name === 'bool' || type.name === 'int32' || type.name === 'int64' ? 0 : 2
}

function listReader(of: AnyType, slot: number): ReadField {
  const target = resolve(of)
  const read = valueReader(target)
  const wire = wireTypeOf(target)
  return (r, wireType, values, base) => {
    const list = (values[base + slot] ??= []) as unknown[]
    if (wireType === 2 && wire !== 2) {
      // Packed: other writers may put numbers one behind the other.
      const outer = r.enter()
      while (r.at < r.end) list.push(read(r))
      return r.leave(outer)
    }
    expectWire(wireType, wire)
    list.push(read(r))
  }
}

function mapReader(of: AnyType, slot: number): ReadField {
  const target = resolve(of)
  const read = valueReader(target)
  const wire = wireTypeOf(target)
  const missing = zeroOf(target)
  return (r, wireType, values, base) => {
    expectWire(wireType, 2)
    const outer = r.enter()
    let key = ''
    let value: unknown = missing
    while (r.at < r.end) {
      const tag = r.int64()
      if (tag === 0x0a) key = r.string()
      else if (tag === 0x10 + wire) value = read(r)
      else r.skip(tag & 7)
    }
    r.leave(outer)
    const entries = (values[base + slot] ??= new MapEntries()) as MapEntries
    entries.add(key, value)
  }
}

/** The entries of a map while they are read. Writers sort them, so nearly always they come in order. */
class MapEntries {
  #map: Record<string, unknown> = {}
  #last = ''
  #sorted = true

  add(key: string, value: unknown): void {
    if (key < this.#last) this.#sorted = false
    this.#last = key
    if (key === '__proto__') Object.defineProperty(this.#map, key, { value, enumerable: true, writable: true, configurable: true })
    else this.#map[key] = value
  }

  finish(): Record<string, unknown> {
    return this.#sorted ? this.#map : Object.fromEntries(Object.entries(this.#map).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function valueReader(type: Exclude<AnyType, { form: 'lazy' }>): Read {
  switch (type.form) {
    case 'scalar': return scalarReader(type)
    case 'struct': {
      let message: MessageReader | undefined
      return (r) => {
        const outer = r.enter()
        const value = readSlots((message ??= messageReader(type)), r)
        r.leave(outer)
        return value
      }
    }
    case 'list': {
      const read = listReader(type.of, 0)
      return parts([], (r, tag, values) => {
        if (tag >> 3 !== 1) return false
        read(r, tag & 7, values, 0)
        return true
      }, (values) => values[0] ?? [])
    }
    case 'map': throw new Error('a map has no protobuf form inside a list or a map')
  }
}

const inMessage = <T>(read: (r: Reader) => T): ((r: Reader) => T) => (r) => {
  const outer = r.enter()
  const value = read(r)
  r.leave(outer)
  return value
}

/** A small message of its own: `take` reads a field or leaves it to be skipped, `make` builds the value. */
const parts = (start: readonly unknown[], take: (r: Reader, tag: number, values: unknown[]) => boolean, make: (values: readonly unknown[]) => unknown): Read =>
  inMessage((r) => {
    const values = [...start]
    while (r.at < r.end) {
      const tag = r.int64()
      if (!take(r, tag, values)) r.skip(tag & 7)
    }
    return make(values)
  })

/** Fields of a small message by their tags. */
const byTag = (readers: Readonly<Record<number, Read>>, make: (values: readonly unknown[]) => unknown): Read => {
  const slots = new Map(Object.entries(readers).map(([tag, read], i) => [Number(tag), { read, i }]))
  return parts([], (r, tag, values) => {
    const slot = slots.get(tag)
    if (slot) values[slot.i] = slot.read(r)
    return slot !== undefined
  }, make)
}

const int64: Read = (r) => r.int64()
const text: Read = (r) => r.string()

/** The seconds that RFC 3339 can write: years 1 to 9999. */
const firstSecond = -62135596800
const lastSecond = 253402300799

/** The zero time is an empty message, or its seconds: null in the object. */
const instant = (write: (seconds: number, nanos: number) => string): Read => (r) => {
  const outer = r.enter()
  let [seconds, nanos, empty] = [0, 0, true]
  while (r.at < r.end) {
    const tag = r.int64()
    empty = false
    if (tag === 0x08) seconds = r.int64()
    else if (tag === 0x10) nanos = r.int32()
    else r.skip(tag & 7)
  }
  r.leave(outer)
  if (empty || seconds === firstSecond) return null
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos > 999_999_999) throw malformed('a time is out of range')
  return write(seconds, nanos)
}

const quantity: Read = (r) => {
  const outer = r.enter()
  let value = '0'
  while (r.at < r.end) {
    const tag = r.int64()
    if (tag === 0x0a) value = r.string()
    else r.skip(tag & 7)
  }
  r.leave(outer)
  return value === '' ? '0' : canonicalQuantity(value)
}

const rawJson = (allowAny: boolean) => byTag({ 0x0a: (r) => r.bytes() }, ([raw]) => {
  if (raw === undefined || (raw as Buffer).length === 0) return null
  const { value } = parseJson(raw as Buffer)
  if (!allowAny && (typeof value !== 'object' || Array.isArray(value))) throw malformed('a raw value is no JSON object')
  return value
})

const schema: Read = inMessage((r) => readMessage(JSONSchemaProps, r))
const schemaOrBool = byTag({ 0x08: (r) => r.bool(), 0x12: schema }, ([allows = false, value]) => value ?? allows)

/** A schema in field 1, or a list in field 2. */
const schemaOr = (element: Read) => parts([], (r, tag, values) => {
  if (tag === 0x0a) values[0] = schema(r)
  else if (tag === 0x12) ((values[1] ??= []) as unknown[]).push(element(r))
  else return false
  return true
}, (values) => values[0] ?? values[1] ?? [])

const readers: Readonly<Record<ScalarType['name'], Read>> = {
  string: text,
  bool: (r) => r.bool(),
  int32: (r) => r.int32(),
  int64: (r) => r.wide(),
  double: (r) => r.double(),
  bytes: (r) => r.bytes().toString('base64'),
  time: instant(secondsText),
  microTime: instant(microText),
  duration: byTag({ 0x08: (r) => r.bigint() }, ([nanos = 0n]) => formatDuration(nanos as bigint)),
  quantity,
  intOrString: byTag({ 0x08: int64, 0x10: (r) => r.int32(), 0x1a: text }, ([type = 0, number = 0, value = '']) => (type === 1 ? value : number)),
  rawExtension: rawJson(false),
  fieldsV1: rawJson(false),
  json: rawJson(true),
  schemaOrBool,
  schemaOrArray: schemaOr(schema),
  schemaOrStringArray: schemaOr(text),
}

const scalarReader = (type: ScalarType): Read => readers[type.name]

