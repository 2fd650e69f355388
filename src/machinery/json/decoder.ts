/**
 * Decoders compiled from the schema. A decoder gives back the value it was given wherever that is already in normal form,
 * so an object that Skiff wrote itself costs a walk and no copy. They know no paths: when something is wrong they throw
 * `bad`, or count an unknown field, and `diagnose.ts` walks the value again to say where.
 */
import { JSONSchemaProps } from '../../api/apiextensions/v1.ts'
import { resolve, type AnyType, type ListType, type MapType, type ScalarType, type StructType } from '../../api/schema.ts'
import { slotTable, type Slot } from '../slots.ts'
import { isZeroValue, zeroOf } from '../zero.ts'
import { bad, scalarDecoders } from './scalars.ts'

/** What a decode found on its way, and what it has to be told on its way down. */
export interface Findings {
  unknown: number
  /** What is known to be in normal form already: the next struct need not look at what it shares with that. */
  known?: object | undefined
}

export type Decoder = (value: unknown, findings: Findings) => unknown

const compiled = new WeakMap<AnyType, Decoder>()

/** The decoder of a type, compiled on first use. It throws `bad` when the value is not of the type. */
export function decoderOf(type: AnyType): Decoder {
  const target = resolve(type)
  let decoder = compiled.get(target)
  if (!decoder) {
    decoder = compile(target)
    compiled.set(target, decoder)
  }
  return decoder
}

/** A reference that is resolved on first use: types contain themselves. */
function later(type: AnyType): Decoder {
  let decoder: Decoder | undefined
  return (value, findings) => (decoder ??= decoderOf(type))(value, findings)
}

function compile(type: Exclude<AnyType, { form: 'lazy' }>): Decoder {
  switch (type.form) {
    case 'scalar': return scalarDecoder(type)
    case 'list': return listDecoder(type)
    case 'map': return mapDecoder(type)
    case 'struct': return type.codec?.decode ?? structDecoder(type)
  }
}

function scalarDecoder(type: ScalarType): Decoder {
  const schema = later(JSONSchemaProps)
  switch (type.name) {
    case 'schemaOrBool': return (value, findings) => (typeof value === 'boolean' ? value : schema(value, findings))
    case 'schemaOrArray': {
      const list = listDecoder({ form: 'list', of: JSONSchemaProps, kind: 'atomic' })
      return (value, findings) => (Array.isArray(value) ? list(value, findings) : schema(value, findings))
    }
    case 'schemaOrStringArray': {
      const list = listDecoder({ form: 'list', of: { form: 'scalar', name: 'string' }, kind: 'atomic' })
      return (value, findings) => (Array.isArray(value) ? list(value, findings) : schema(value, findings))
    }
    case 'string': return (value) => {
      if (typeof value !== 'string') throw bad
      return value
    }
    default: {
      const decode = scalarDecoders[type.name] as (value: unknown) => unknown
      return (value) => {
        const out = decode(value)
        if (out === bad) throw bad
        return out
      }
    }
  }
}

/** null among the elements is their zero value, as Go decodes it; JSON values keep it. */
const nullElement = (type: AnyType): unknown => zeroOf(resolve(type))

function listDecoder(type: ListType): Decoder {
  const element = partDecoder(type.of)
  const forNull = nullElement(type.of)
  return (value, findings) => {
    if (!Array.isArray(value)) throw bad
    let out: unknown[] | undefined
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      const decoded = item === null || item === undefined ? forNull : element(item, findings)
      if (out) out.push(decoded)
      else if (decoded !== item) {
        out = value.slice(0, i)
        out.push(decoded)
      }
    }
    return out ?? value
  }
}

/** Structs are resolved on first use, so that a type may contain itself; everything else at once. */
const partDecoder = (type: AnyType): Decoder => (type.form === 'lazy' || type.form === 'struct' ? later(type) : decoderOf(type))

const set = (target: Record<string, unknown>, key: string, value: unknown) => {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  else target[key] = value
}

function mapDecoder(type: MapType): Decoder {
  const element = partDecoder(type.of)
  const forNull = nullElement(type.of)
  const text = type.of.form === 'scalar' && type.of.name === 'string'
  const rebuild = (value: Record<string, unknown>, findings: Findings) => {
    const out: Record<string, unknown> = {}
    for (const key of Object.keys(value).sort()) {
      const item = value[key]
      if (item !== undefined) set(out, key, item === null ? forNull : element(item, findings))
    }
    return out
  }
  return (value, findings) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad
    const map = value as Record<string, unknown>
    const before = findings.unknown
    let last = ''
    for (const key in map) {
      const item = map[key]
      if (key < last || (text ? typeof item !== 'string' : item === null || item === undefined || element(item, findings) !== item)) {
        findings.unknown = before
        return rebuild(map, findings)
      }
      last = key
    }
    return value
  }
}

/** Decodes in one pass while the input is in normal form, and goes over to `rebuild` where it is not. */
function structDecoder(type: StructType): Decoder {
  const { slots, index } = slotTable(type)
  const decoders = slots.map((slot) => partDecoder(slot.type))
  const descends = slots.map(({ type: of }) => of.form === 'struct' && !of.codec)
  const always = slots.filter((slot) => slot.always).length
  const missing = slots.map((slot) => (slot.always ? zeroOf(slot.type) : undefined))
  const rebuild = rebuilder(slots, missing)
  const none: readonly unknown[] = slots.map(() => undefined)
  /** The values up to slot `last`, by slot: they were in order and in normal form. */
  const sofar = (object: Record<string, unknown>, last: number): unknown[] => {
    const out = [...none]
    for (const key in object) {
      const i = index.get(key)
      if (i === undefined || i > last) break
      out[i] = object[key]
    }
    return out
  }

  return (value, findings) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad
    const object = value as Record<string, unknown>
    const known = findings.known as Record<string, unknown> | undefined
    findings.known = undefined
    let decoded: unknown[] | undefined
    let last = -1
    let found = 0
    for (const key in object) {
      const i = index.get(key)
      if (i === undefined) {
        findings.unknown += object[key] === undefined ? 0 : 1
        decoded ??= sofar(object, last)
        continue
      }
      const slot = slots[i] as Slot
      const item = object[key]
      let out: unknown
      if (item !== null && item !== undefined) {
        if (known !== undefined && known[key] === item) out = item
        else {
          if (known !== undefined && descends[i]) findings.known = known[key] as object | undefined
          out = (decoders[i] as Decoder)(item, findings)
        }
        if (slot.always) found++
        else if (out === null || (slot.presence === 'zero' && isZeroValue(out))) out = undefined
      } else if (slot.always && item === null && missing[i] === null) {
        out = null
        found++
      }
      if (decoded) decoded[i] = out
      else if (out !== item || i < last) {
        decoded = sofar(object, last)
        decoded[i] = out
      } else last = i
    }
    if (decoded) return rebuild(decoded)
    return found === always ? value : rebuild(sofar(object, last))
  }
}

/** Builds the object from the values of its slots, in order, with zero values where something is always there. */
function rebuilder(slots: readonly Slot[], missing: readonly unknown[]): (decoded: readonly unknown[]) => unknown {
  const names = slots.map((slot) => slot.name)
  return (decoded) => {
    const out: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const value = decoded[i] ?? missing[i]
      if (value !== undefined) out[names[i] as string] = value
    }
    return out
  }
}
