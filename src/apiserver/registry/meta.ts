/** Metadata of objects that never change: each change makes new metadata, with its fields in the order of the schema. */
import { meta } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { exactly } from '../cache/encoded.ts'

type MetaChanges = { readonly [K in keyof meta.ObjectMeta]?: meta.ObjectMeta[K] }

const order = Object.keys(meta.ObjectMeta.fields) as readonly (keyof meta.ObjectMeta)[]

/** The object with `changes` in its metadata; undefined removes a field. Returns the same object when nothing changes. */
export function withMeta<T extends ApiObject>(object: T, changes: MetaChanges): T {
  const old = object.metadata
  let [isSame, isInPlace] = [true, true]
  for (const name in changes) {
    const field = name as keyof MetaChanges
    if (changes[field] === old[field]) continue
    isSame = false
    if (changes[field] === undefined || old[field] === undefined) isInPlace = false
  }
  if (isSame) return object
  return { ...object, metadata: isInPlace ? replaced(old, changes) : rebuilt(old, changes) }
}

/** Metadata in which nothing comes and nothing goes: a copy, which V8 makes in one go, already has everything in its place. */
function replaced(old: ApiObject['metadata'], changes: MetaChanges): ApiObject['metadata'] {
  const next: Record<string, unknown> = { ...old }
  for (const name in changes) {
    const value = changes[name as keyof MetaChanges]
    if (value !== undefined) next[name] = value
  }
  return next
}

function rebuilt(old: ApiObject['metadata'], changes: MetaChanges): ApiObject['metadata'] {
  const next: Record<string, unknown> = {}
  for (const field of order) {
    const value = field in changes ? changes[field] : old[field]
    if (value !== undefined) next[field] = value
  }
  return next
}

/** The object as of another revision; the same object when it has that resourceVersion already. */
export const withResourceVersion = <T extends ApiObject>(object: T, resourceVersion: string): T =>
  object.metadata.resourceVersion === resourceVersion ? object : withMeta(object, { resourceVersion })

/** What is stored: everything but the resourceVersion, which is the store's own revision. */
export function storedBytes(object: ApiObject): Buffer {
  return exactly(JSON.stringify(object.metadata.resourceVersion === undefined ? object : withMeta(object, { resourceVersion: undefined })))
}

/** The fields of a kind beside `kind`, `apiVersion` and `metadata`. */
export type Body = Readonly<Record<string, unknown>>

/** An object as a plain record, for code that works with any kind. */
export const bodyOf = (object: ApiObject): Body => object as unknown as Body
