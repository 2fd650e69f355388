/** JSON patch (RFC 6902), and JSON merge patch (RFC 7386). Documents are never changed: what a patch touches is copied. */
import { ApiError, badRequest, tooLarge } from '../errors.ts'
import { deepEqual } from '../meta.ts'

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

const maxOperations = 10_000
/** `copy` can double a document with every operation: together they may add as much as a request body may hold. */
const maxCopied = 3 * 1024 * 1024

/** 422 with the sentence of the API server, and what was wrong as its cause. */
export const rejected = (why: string): ApiError =>
  Object.assign(new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {}), { cause: why })

/** Why a patch was rejected, where clients are told no more than that it was: for who has to say it on; of other errors, their message. */
export const rejectedFor = (error: ApiError): string => (typeof error.cause === 'string' ? error.cause : error.status.details?.causes?.[0]?.message ?? error.message)

type Doc = unknown

/**
 * Applies a JSON patch. Throws `ApiError` 400 when it is no JSON patch, 413 for more than 10,000 operations,
 * 422 when an operation does not fit the document or a test fails.
 */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON patch is an array of operations')
  if (operations.length > maxOperations) throw tooLarge(`The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`)
  const budget = { copied: 0 }
  return operations.map(checked).reduce<Doc>((doc, operation) => applyOne(doc, operation, budget), document)
}

function checked(operation: unknown): JsonPatchOperation {
  const o = operation as JsonPatchOperation | null
  if (typeof o !== 'object' || o === null || Array.isArray(o)) throw badRequest('error decoding patch: an operation is an object')
  if (typeof o.op !== 'string' || !['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(o.op)) {
    throw rejected(`Unexpected kind: ${typeof o.op === 'string' ? o.op : 'unknown'}`)
  }
  if (typeof o.path !== 'string') throw rejected('Missing path')
  if ((o.op === 'move' || o.op === 'copy') && typeof o.from !== 'string') throw rejected('Missing from')
  return o
}

function applyOne(doc: Doc, operation: JsonPatchOperation, budget: { copied: number }): Doc {
  const path = tokens(operation.path)
  switch (operation.op) {
    case 'add': return add(doc, path, operation.value ?? null)
    case 'remove': return remove(doc, path)
    case 'replace':
      return path.length === 0 ? (operation.value ?? null) : edit(doc, path, (parent, key) => replace(parent, key, operation.value ?? null))
    case 'test': {
      const value = get(doc, path, 'test')
      if (!deepEqual(value ?? null, operation.value ?? null)) throw rejected(`testing value ${operation.path} failed: test failed`)
      return doc
    }
    case 'move': {
      const from = tokens(operation.from as string)
      if (path.length > from.length && from.every((token, i) => token === path[i])) throw rejected('a value cannot be moved into itself')
      return add(remove(doc, from), path, get(doc, from, 'move'))
    }
    case 'copy': {
      const value = get(doc, tokens(operation.from as string), 'copy')
      budget.copied += JSON.stringify(value ?? null).length
      if (budget.copied > maxCopied) {
        throw rejected(`Unable to complete the copy, the accumulated size increase of copy is ${budget.copied}, exceeding the limit ${maxCopied}`)
      }
      return add(doc, path, value ?? null)
    }
  }
}

/** A JSON pointer's parts. */
function tokens(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw rejected(`the path ${JSON.stringify(pointer)} does not begin with a slash`)
  return pointer.slice(1).split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The index that a token means, among `size` places; negative ones count from the end, as the API server allows. */
function indexOf(token: string, size: number): number {
  if (!/^[+-]?\d{1,15}$/.test(token)) throw rejected(`the array index ${JSON.stringify(token)} is no number`)
  const n = Number(token)
  const i = n < 0 ? n + size : n
  if (i < 0 || i >= size) throw rejected(`Unable to access invalid index: ${token}`)
  return i
}

/** The value at a path; undefined when there is none. */
function find(doc: Doc, path: readonly string[]): Doc {
  let at = doc
  for (const token of path) {
    if (Array.isArray(at)) at = at[indexOf(token, at.length)] as Doc
    else if (isObject(at) && Object.hasOwn(at, token)) at = at[token]
    else return undefined
  }
  return at
}

/** The value at a path; undefined when the object around it has no such key. Throws when there is nothing around it. */
function get(doc: Doc, path: readonly string[], action: string): Doc {
  const value = find(doc, path)
  const around = value === undefined ? find(doc, path.slice(0, -1)) : doc
  if (typeof around !== 'object' || around === null) throw rejected(`${action} operation does not apply: doc is missing path: /${path.join('/')}`)
  return value
}

/** Copies the containers down to the last token's, and lets `change` make a new one of that. */
function edit(doc: Doc, path: readonly string[], change: (parent: Doc, key: string) => Doc, depth = 0): Doc {
  const token = path[depth] as string
  if (depth === path.length - 1) return change(doc, token)
  const child = find(doc, [token])
  if (child === undefined) throw rejected(`doc is missing path: /${path.slice(0, depth + 1).join('/')}`)
  return replace(doc, token, edit(child, path, change, depth + 1))
}

function replace(parent: Doc, key: string, value: Doc): Doc {
  if (Array.isArray(parent)) return parent.with(indexOf(key, parent.length), value)
  if (isObject(parent)) return withKey(parent, key, value)
  throw rejected(`there is nothing at ${JSON.stringify(key)}: the value around it is no object and no array`)
}

/** The object with one property more, or another one in its place. */
export function withKey(object: Readonly<Record<string, unknown>>, key: string, value: unknown): Record<string, unknown> {
  const out = { ...object }
  if (key === '__proto__') Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true })
  else out[key] = value
  return out
}

/** The object without one property. */
function withoutKey(object: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  const out = { ...object }
  delete out[key]
  return out
}

function add(doc: Doc, path: readonly string[], value: Doc): Doc {
  if (path.length === 0) return value
  return edit(doc, path, (parent, key) => {
    if (!Array.isArray(parent)) return replace(parent, key, value)
    return parent.toSpliced(key === '-' ? parent.length : indexOf(key, parent.length + 1), 0, value)
  })
}

function remove(doc: Doc, path: readonly string[]): Doc {
  if (path.length === 0) throw rejected('the whole document cannot be removed')
  return edit(doc, path, (parent, key) => {
    if (Array.isArray(parent)) return parent.toSpliced(indexOf(key, parent.length), 1)
    if (!isObject(parent) || !Object.hasOwn(parent, key)) throw rejected(`error in remove for path: '/${path.join('/')}': unable to remove nonexistent key: ${key}: missing value`)
    return withoutKey(parent, key)
  })
}

/** Applies a JSON merge patch: null removes, objects merge, everything else replaces. Throws `ApiError` 400 when it is no object. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw badRequest('error decoding patch: a merge patch is an object')
  return merge(document, patch)
}

function merge(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  let out: Record<string, unknown> = isObject(document) ? { ...document } : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete out[key]
    else out = set(out, key, merge(Object.hasOwn(out, key) ? out[key] : undefined, value))
  }
  return out
}

function set(target: Record<string, unknown>, key: string, value: unknown): Record<string, unknown> {
  if (key === '__proto__') return withKey(target, key, value)
  target[key] = value
  return target
}
