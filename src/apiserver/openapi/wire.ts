/** The few words of protobuf that the OpenAPI documents are written with. Each gives one field, or none; nothing is copied until the end. */
import { setImmediate } from 'node:timers/promises'

interface Message { readonly length: number; readonly parts: readonly Part[] }
/** Bytes, or a message whose parts are known and whose length is counted. */
export type Part = Buffer | Message

const lengthDelimited = 2

export const none: Part = Buffer.alloc(0)

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80)
  bytes.push(value)
  return Buffer.from(bytes)
}

const together = (parts: readonly Part[]): Message => ({ length: parts.reduce((sum, part) => sum + part.length, 0), parts })

/** Kept, as the same few texts come thousands of times. */
const texts = new Map<string, Buffer>()
const longest = 64

/** A text, also an empty one: what a union holds. */
export function someText(no: number, value: string): Part {
  if (value.length > longest) return delimitedText(no, value)
  const key = `${no} ${value}`
  let bytes = texts.get(key)
  if (!bytes) texts.set(key, (bytes = delimitedText(no, value)))
  return bytes
}

function delimitedText(no: number, value: string): Buffer {
  const body = Buffer.from(value)
  return Buffer.concat([varint(no * 8 + lengthDelimited), varint(body.length), body])
}

/** A text; left out when it is absent or empty. */
export const text = (no: number, value: unknown): Part => (typeof value === 'string' && value !== '' ? someText(no, value) : none)

/** A boolean; left out when it is not true. */
export const bool = (no: number, value: unknown): Part => (value === true ? someBool(no, true) : none)

/** A boolean of a union: false is written too. */
export const someBool = (no: number, value: boolean): Part => Buffer.concat([varint(no * 8), Buffer.from([value ? 1 : 0])])

/** A number of a field; left out when it is absent or zero, as proto3 writes it. */
export const number = (no: number, value: unknown): Part => (typeof value === 'number' && value !== 0 ? double(no, value) : none)

/** A count of a field; left out when it is absent or zero. */
export const count = (no: number, value: unknown): Part => (typeof value === 'number' && value > 0 ? Buffer.concat([varint(no * 8), varint(value)]) : none)

/** A floating-point number of a union. */
export function double(no: number, value: number): Part {
  const body = Buffer.alloc(8)
  body.writeDoubleLE(value)
  return Buffer.concat([varint(no * 8 + 1), body])
}

/** A message with these fields; written also when it has none. */
export function message(no: number, ...fields: readonly Part[]): Part {
  const body = together(fields)
  return together([varint(no * 8 + lengthDelimited), varint(body.length), body])
}

/** A message for each item of a list. */
export const each = <T>(no: number, items: unknown, fields: (item: T) => readonly Part[]): Part =>
  (Array.isArray(items) ? together((items as T[]).map((item) => message(no, ...fields(item)))) : none)

/** A text for each item of a list. */
export const eachText = (no: number, items: unknown): Part => (Array.isArray(items) ? together(items.map((item) => text(no, item))) : none)

/** A map as a list of pairs {name=1, value=2}. */
export const pairs = <T>(no: number, map: unknown, fields: (value: T) => readonly Part[]): Part =>
  (map && typeof map === 'object' ? together(Object.entries(map as Record<string, T>).map(([name, value]) => message(no, text(1, name), message(2, ...fields(value))))) : none)

/** The same for a large map: others run in between. */
export async function pairsInSteps<T>(no: number, map: unknown, fields: (value: T) => readonly Part[]): Promise<Part> {
  const parts: Part[] = []
  for (const [name, value] of Object.entries(map as Record<string, T>)) {
    parts.push(message(no, text(1, name), message(2, ...fields(value))))
    if (parts.length % 16 === 0) await setImmediate()
  }
  return together(parts)
}

/** Any value, as YAML (of which JSON is a part). */
export const any = (value: unknown): readonly Part[] => [text(2, JSON.stringify(value))]

/** The `x-…` properties of an object. */
export const extensions = (no: number, object: Readonly<Record<string, unknown>>): Part =>
  pairs(no, Object.fromEntries(Object.entries(object).filter(([name]) => name.startsWith('x-'))), any)

/** The bytes of the document itself. */
export function document(...fields: readonly Part[]): Buffer {
  const whole = together(fields)
  const bytes = Buffer.allocUnsafe(whole.length)
  let at = 0
  const write = (part: Part): void => {
    if (Buffer.isBuffer(part)) at += part.copy(bytes, at)
    else for (const inner of part.parts) write(inner)
  }
  write(whole)
  return bytes
}
