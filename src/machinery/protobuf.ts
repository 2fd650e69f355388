/**
 * Kubernetes's protobuf by the schema: the form most components of a cluster speak. Bytes are the same as those of
 * Kubernetes's generated code; reading gives the same normal form as reading JSON does.
 */
import { ListMeta, type ListMeta as ListMetaObject } from '../api/meta/meta.ts'
import { struct, list, zero, type StructType } from '../api/schema.ts'
import { partsWriter } from './protobuf/encoder.ts'
import { readMessage } from './protobuf/decoder.ts'
import { malformed, Reader } from './protobuf/reader.ts'
import { Writer } from './protobuf/writer.ts'

// Encoding never waits, so one writer serves all.
const writer = new Writer()

function write(parts: (w: Writer) => void): Uint8Array {
  writer.reset()
  parts(writer)
  return writer.finish()
}

/** An object's protobuf message, without an envelope. Throws `ApiError` 406 for types that have none (tables). */
export const encodeMessage = (type: StructType, object: unknown): Uint8Array =>
  write((w) => partsWriter(type)(w, object as Record<string, unknown>))

/** Reads a message. Unknown fields are passed over. Throws `ApiError` 400 on anything malformed. `kind` and `apiVersion` are in the envelope. */
export const decodeMessage = <T>(type: StructType<T>, bytes: Uint8Array): T => readMessage(type, new Reader(bytes)) as T

/** The message of a list of `type`: `{ metadata = 1, items = 2 }`. */
export function encodeList(type: StructType, metadata: ListMetaObject, items: readonly unknown[]): Uint8Array {
  return write((w) => {
    const parts = partsWriter(type)
    for (let i = items.length - 1; i >= 0; i--) lengthPrefixed(w, 0x12, () => parts(w, items[i] as Record<string, unknown>))
    lengthPrefixed(w, 0x0a, () => partsWriter(ListMeta)(w, metadata as Record<string, unknown>))
  })
}

/** The bytes before and after the items of an enveloped list, whose items are messages already; before each of them stands `headOfItem`. `size`: the sum of their `sizeOfItem`. */
export function envelopeOfList(apiVersion: string, kind: string, metadata: ListMetaObject, size: number): { readonly head: Uint8Array; readonly tail: Uint8Array } {
  const head = write((w) => {
    const before = w.used()
    lengthPrefixed(w, 0x0a, () => partsWriter(ListMeta)(w, metadata as Record<string, unknown>))
    w.varint(size + w.used() - before)
    w.byte(0x12)
    writeTypeMeta(w, apiVersion, kind)
    w.raw(magic)
  })
  return { head, tail: Uint8Array.of(0x1a, 0, 0x22, 0) }
}

/** The tag and the length of one item of a list. */
export const headOfItem = ({ length }: Uint8Array): Uint8Array => write((w) => {
  w.varint(length)
  w.byte(0x12)
})

/** The bytes of one item of a list, its tag and its length included. */
export const sizeOfItem = ({ length }: Uint8Array): number => 1 + varintLength(length) + length

const varintLength = (value: number): number => (value < 0x80 ? 1 : 1 + varintLength(Math.floor(value / 0x80)))

function writeTypeMeta(w: Writer, apiVersion: string, kind: string): void {
  lengthPrefixed(w, 0x0a, () => {
    w.string(kind)
    w.byte(0x12)
    w.string(apiVersion)
    w.byte(0x0a)
  })
}

/** The message of a list whose items are messages already. */
export function encodeListOfMessages(metadata: ListMetaObject, items: readonly Uint8Array[]): Uint8Array {
  return write((w) => {
    for (let i = items.length - 1; i >= 0; i--) {
      w.bytes(items[i] as Uint8Array)
      w.byte(0x12)
    }
    lengthPrefixed(w, 0x0a, () => partsWriter(ListMeta)(w, metadata as Record<string, unknown>))
  })
}

const lists = new WeakMap<StructType, StructType>()

/** Reads the message of a list of `type`. Throws `ApiError` 400 on anything malformed. */
export function decodeList<T>(type: StructType<T>, bytes: Uint8Array): { readonly metadata: ListMetaObject; readonly items: readonly T[] } {
  let form = lists.get(type)
  if (!form) {
    form = struct(`${type.name}List`, { metadata: zero(1, ListMeta), items: zero(2, list(type)) })
    lists.set(type, form)
  }
  const { metadata, items } = decodeMessage(form, bytes) as { metadata?: ListMetaObject; items?: readonly T[] }
  return { metadata: metadata ?? {}, items: items ?? [] }
}

function lengthPrefixed(w: Writer, tag: number, parts: () => void): void {
  const before = w.used()
  parts()
  w.varint(w.used() - before)
  w.varint(tag)
}

const magic = Buffer.from('k8s\0')

/** The envelope (`runtime.Unknown` behind `k8s\0`) in which messages travel and are told apart. */
export function wrapUnknown(apiVersion: string, kind: string, message: Uint8Array): Uint8Array {
  return write((w) => {
    w.raw([0x1a, 0, 0x22, 0])
    w.bytes(message)
    w.byte(0x12)
    writeTypeMeta(w, apiVersion, kind)
    w.raw(magic)
  })
}

export interface Enveloped { readonly apiVersion: string; readonly kind: string; readonly message: Uint8Array }

/** Whether bytes begin as an enveloped message does. */
const isEnveloped = (bytes: Uint8Array): boolean => magic.every((byte, i) => bytes[i] === byte)

/** Opens the envelope; the message is a view of the bytes. Throws `ApiError` 400 when there is none. */
export function unwrapUnknown(bytes: Uint8Array): Enveloped {
  if (!isEnveloped(bytes)) throw malformed('the data does not begin with the Kubernetes protobuf prefix')
  const r = new Reader(bytes.subarray(magic.length))
  let [apiVersion, kind] = ['', '']
  let message: Uint8Array = new Uint8Array()
  while (r.at < r.end) {
    const tag = r.int64()
    if (tag === 0x0a) {
      const outer = r.enter()
      while (r.at < r.end) {
        const inner = r.int64()
        if (inner === 0x0a) apiVersion = r.string()
        else if (inner === 0x12) kind = r.string()
        else r.skip(inner & 7)
      }
      r.leave(outer)
    } else if (tag === 0x12) message = r.bytes()
    else r.skip(tag & 7)
  }
  return { apiVersion, kind, message }
}

/** One event of a protobuf watch: `{ type = 1, object = 2 { raw = 1 } }`; the object is an enveloped message. */
export function encodeWatchEvent(type: string, object: Uint8Array): Uint8Array {
  return write((w) => {
    lengthPrefixed(w, 0x12, () => {
      w.bytes(object)
      w.byte(0x0a)
    })
    w.string(type)
    w.byte(0x0a)
  })
}

/** Reads what `encodeWatchEvent` wrote. Throws `ApiError` 400 on anything malformed. */
export function decodeWatchEvent(bytes: Uint8Array): { readonly type: string; readonly object: Uint8Array } {
  const r = new Reader(bytes)
  let type = ''
  let object: Uint8Array = new Uint8Array()
  while (r.at < r.end) {
    const tag = r.int64()
    if (tag === 0x0a) type = r.string()
    else if (tag === 0x12) {
      const outer = r.enter()
      while (r.at < r.end) {
        const inner = r.int64()
        if (inner === 0x0a) object = r.bytes()
        else r.skip(inner & 7)
      }
      r.leave(outer)
    } else r.skip(tag & 7)
  }
  return { type, object }
}
