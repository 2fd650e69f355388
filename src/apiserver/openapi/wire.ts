/** The few words of protobuf that the OpenAPI documents are written with. Each gives the bytes of one field, or of none. */

const nothing = Buffer.alloc(0)
const lengthDelimited = 2

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80)
  bytes.push(value)
  return Buffer.from(bytes)
}

const delimited = (no: number, body: Buffer): Buffer => Buffer.concat([varint(no * 8 + lengthDelimited), varint(body.length), body])

/** Kept while a document is made, as the same few texts come thousands of times in it. */
const texts = new Map<string, Buffer>()
const longest = 64

/** A text; left out when it is absent or empty. */
export function text(no: number, value: unknown): Buffer {
  if (typeof value !== 'string' || value === '') return nothing
  if (value.length > longest) return delimited(no, Buffer.from(value))
  const key = `${no} ${value}`
  let bytes = texts.get(key)
  if (!bytes) texts.set(key, (bytes = delimited(no, Buffer.from(value))))
  return bytes
}

/** A boolean; left out when it is not true. */
export const bool = (no: number, value: unknown): Buffer => (value === true ? Buffer.concat([varint(no * 8), Buffer.from([1])]) : nothing)

/** A boolean of a union: false is written too. */
export const someBool = (no: number, value: boolean): Buffer => Buffer.concat([varint(no * 8), Buffer.from([value ? 1 : 0])])

/** A floating-point number of a union. */
export function double(no: number, value: number): Buffer {
  const body = Buffer.alloc(8)
  body.writeDoubleLE(value)
  return Buffer.concat([varint(no * 8 + 1), body])
}

/** A message with these fields; written also when it has none. */
export const message = (no: number, ...fields: readonly Buffer[]): Buffer => delimited(no, Buffer.concat(fields))

/** A message for each item of a list. */
export const each = <T>(no: number, items: unknown, fields: (item: T) => readonly Buffer[]): Buffer =>
  (Array.isArray(items) ? Buffer.concat((items as T[]).map((item) => message(no, ...fields(item)))) : nothing)

/** A text for each item of a list. */
export const eachText = (no: number, items: unknown): Buffer => (Array.isArray(items) ? Buffer.concat(items.map((item) => text(no, item))) : nothing)

/** A map as a list of pairs {name=1, value=2}. */
export const pairs = <T>(no: number, map: unknown, fields: (value: T) => readonly Buffer[]): Buffer =>
  (map && typeof map === 'object' ? Buffer.concat(Object.entries(map as Record<string, T>).map(([name, value]) => message(no, text(1, name), message(2, ...fields(value))))) : nothing)

/** Any value, as YAML (of which JSON is a part). */
export const any = (value: unknown): readonly Buffer[] => [text(2, JSON.stringify(value))]

/** The `x-…` properties of an object. */
export const extensions = (no: number, object: Readonly<Record<string, unknown>>): Buffer =>
  pairs(no, Object.fromEntries(Object.entries(object).filter(([name]) => name.startsWith('x-'))), any)

/** The document itself. */
export function document(...fields: readonly Buffer[]): Buffer {
  texts.clear() // each holds on to the pool it was cut from
  return Buffer.concat(fields)
}
export const none = nothing
