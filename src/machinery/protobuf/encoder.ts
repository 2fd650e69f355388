/**
 * Encoders compiled from the schema, by the rules of Kubernetes's generated code: fields in ascending number, map entries
 * sorted by key, scalars and structs that are no pointers written even when zero.
 */
import { JSONSchemaProps } from '../../api/apiextensions/v1.ts'
import { resolve, type AnyType, type Field, type ListType, type ScalarType, type StructType } from '../../api/schema.ts'
import { notAcceptable } from '../errors.ts'
import { parseDuration, parseInstant } from '../time.ts'
import { zeroOf } from '../zero.ts'
import type { Writer } from './writer.ts'

/** Writes a value with its length where it has one, but not its tag. */
type Write = (w: Writer, value: unknown) => void
/** Writes the parts of a message. */
export type WriteParts = (w: Writer, object: Record<string, unknown>) => void

const compiled = new WeakMap<StructType, WriteParts>()

/** The writer of a struct's fields, compiled on first use. Throws `ApiError` 406 for a type without a protobuf form. */
export function partsWriter(type: StructType): WriteParts {
  let parts = compiled.get(type)
  if (!parts) {
    parts = compile(type)
    compiled.set(type, parts)
  }
  return parts
}

function compile(type: StructType): WriteParts {
  const fields = Object.entries(type.fields).sort(([, a], [, b]) => b.no - a.no)
  if (fields.some(([, field]) => field.no === 0)) {
    throw notAcceptable(`object *v1.${type.name} does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message`)
  }
  const writers = fields.map(([name, field]) => fieldWriter(name, field))
  return (w, object) => {
    for (let i = 0; i < writers.length; i++) (writers[i] as WriteParts)(w, object)
  }
}

const wireTypeOf = (type: AnyType): number => {
  const target = resolve(type)
  if (target.form !== 'scalar') return 2
  return target.name === 'double' ? 1 : target.name === 'bool' || target.name === 'int32' || target.name === 'int64' ? 0 : 2
}

const tagOf = (no: number, type: AnyType) => no * 8 + wireTypeOf(type)

function fieldWriter(name: string, field: Field): WriteParts {
  const target = resolve(field.type)
  if (target.form === 'list' && !target.wrapped) return listWriter(name, field.no, target)
  if (target.form === 'map') return mapWriter(name, field.no, target.of)
  const write = valueWriter(target)
  const tag = tagOf(field.no, target)
  if (field.inline) {
    return (w, object) => {
      write(w, object)
      w.varint(tag)
    }
  }
  const unset = unsetValue(field, target)
  return (w, object) => {
    const value = object[name] ?? unset
    if (value === undefined) return
    write(w, value)
    w.varint(tag)
  }
}

/** What is written for a field that is not in the object; undefined: nothing. */
function unsetValue(field: Field, type: AnyType): unknown {
  if (field.presence === 'opt' || field.presence === 'must') return undefined
  if (field.presence === 'zero' && type.form === 'scalar' && type.name === 'bytes') return undefined
  return zeroOf(type)
}

function listWriter(name: string, no: number, type: ListType): WriteParts {
  const write = valueWriter(resolve(type.of))
  const tag = tagOf(no, type.of)
  return (w, object) => {
    const list = object[name] as readonly unknown[] | undefined
    if (!list) return
    for (let i = list.length - 1; i >= 0; i--) {
      write(w, list[i])
      w.varint(tag)
    }
  }
}

function mapWriter(name: string, no: number, of: AnyType): WriteParts {
  const write = valueWriter(resolve(of))
  const tag = no * 8 + 2
  const valueTag = tagOf(2, of)
  return (w, object) => {
    const map = object[name] as Record<string, unknown> | undefined
    if (!map) return
    const keys = sorted(Object.keys(map))
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i] as string
      const before = w.used()
      write(w, map[key])
      w.varint(valueTag)
      w.string(key)
      w.byte(0x0a)
      w.varint(w.used() - before)
      w.varint(tag)
    }
  }
}

function sorted(keys: string[]): string[] {
  for (let i = 1; i < keys.length; i++) if ((keys[i] as string) < (keys[i - 1] as string)) return keys.sort()
  return keys
}

const message = (parts: (w: Writer, value: never) => void): Write => (w, value) => {
  const before = w.used()
  parts(w, value as never)
  w.varint(w.used() - before)
}

function valueWriter(type: Exclude<AnyType, { form: 'lazy' }>): Write {
  switch (type.form) {
    case 'scalar': return scalarWriter(type)
    case 'struct': {
      let parts: WriteParts | undefined
      return (w, value) => {
        const before = w.used()
        ;(parts ??= partsWriter(type))(w, value as Record<string, unknown>)
        w.varint(w.used() - before)
      }
    }
    case 'list': {
      const items = listWriter('items', 1, type)
      return message((w, value: unknown) => items(w, { items: value }))
    }
    case 'map': throw new Error('a map has no protobuf form inside a list or a map')
  }
}

const timestamp = message((w, value: string | null) => {
  if (value === null) return
  const instant = parseInstant(value)
  w.varint(instant?.nanos ?? 0)
  w.byte(0x10)
  w.int64(instant?.seconds ?? 0)
  w.byte(0x08)
})

const quantity = message((w, value: string) => {
  w.string(String(value))
  w.byte(0x0a)
})

const intOrString = message((w, value: number | string) => {
  const text = typeof value === 'string'
  w.string(text ? value : '')
  w.byte(0x1a)
  w.int64(text ? 0 : value)
  w.byte(0x10)
  w.byte(text ? 1 : 0)
  w.byte(0x08)
})

const rawJson = message((w, value: unknown) => {
  if (value === null || value === undefined) return
  w.longString(JSON.stringify(value))
  w.byte(0x0a)
})

/** JSON values: null is a value. */
const anyJson = message((w, value: unknown) => {
  w.longString(JSON.stringify(value))
  w.byte(0x0a)
})

const duration = message((w, value: string) => {
  w.bigint(parseDuration(value) ?? 0n)
  w.byte(0x08)
})

const schema: Write = message((w, value: Record<string, unknown>) => partsWriter(JSONSchemaProps)(w, value))

const schemaOrBool = message((w, value: unknown) => {
  if (typeof value === 'object') {
    schema(w, value)
    w.byte(0x12)
  }
  w.byte(value === false ? 0 : 1)
  w.byte(0x08)
})

/** A schema in field 1, or a list in field 2. */
const schemaOr = (element: Write) => message((w, value: unknown) => {
  if (!Array.isArray(value)) {
    schema(w, value)
    return w.byte(0x0a)
  }
  for (const item of value.toReversed()) {
    element(w, item)
    w.byte(0x12)
  }
})

function scalarWriter(type: ScalarType): Write {
  switch (type.name) {
    case 'string': return (w, value) => w.string(value as string)
    case 'bool': return (w, value) => w.byte(value ? 1 : 0)
    case 'int32': case 'int64': return (w, value) => w.int64(value as number | bigint)
    case 'double': return (w, value) => w.double(value as number)
    case 'bytes': return (w, value) => w.bytes(Buffer.from(value as string, 'base64'))
    case 'time': case 'microTime': return timestamp
    case 'duration': return duration
    case 'quantity': return quantity
    case 'intOrString': return intOrString
    case 'rawExtension': case 'fieldsV1': return rawJson
    case 'json': return anyJson
    case 'schemaOrBool': return schemaOrBool
    case 'schemaOrArray': return schemaOr(schema)
    case 'schemaOrStringArray': return schemaOr((w, value) => w.string(value as string))
  }
}
