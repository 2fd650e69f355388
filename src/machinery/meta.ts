/** Helpers every component needs of an object: owners, identity, equality. */
import { randomFillSync, randomUUID } from 'node:crypto'
import type { meta } from '../api/index.ts'

/** What the helpers below need of an object. */
export interface Identified { readonly kind: string; readonly apiVersion: string; readonly metadata: Partial<meta.ObjectMeta> }

/** The owner that manages the object (`controller: true`), if there is one. */
export const controllerOf = (object: { readonly metadata: Partial<meta.ObjectMeta> }): meta.OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true)

/** Whether `owner` manages `object`: by uid, so a new owner of the same name does not count. */
export const isControlledBy = (object: { readonly metadata: Partial<meta.ObjectMeta> }, owner: { readonly metadata: Partial<meta.ObjectMeta> }): boolean =>
  controllerOf(object)?.uid === owner.metadata.uid

/** The reference an owned object carries. A controller's reference by default: `controller` and `blockOwnerDeletion` are true. */
export function ownerReference(owner: Identified, options: { controller?: boolean; blockOwnerDeletion?: boolean } = {}): meta.OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: options.controller ?? true,
    blockOwnerDeletion: options.blockOwnerDeletion ?? true,
  }
}

/** Kubernetes's alphabet for generated names: no vowels, so no words; no digits that read as letters. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** Random bytes, drawn by the hundred: each draw costs as much as a thousand of them. */
const drawn = Buffer.alloc(512)
let used = drawn.length
/** Bytes from here on would favour some letters. */
const fair = 256 - (256 % alphabet.length)

function randomLetter(): string {
  for (;;) {
    if (used === drawn.length) {
      randomFillSync(drawn)
      used = 0
    }
    const byte = drawn[used++]!
    if (byte < fair) return alphabet[byte % alphabet.length]!
  }
}

/** The random end of a generated name. */
export function randomSuffix(n = 5): string {
  let out = ''
  for (let i = 0; i < n; i++) out += randomLetter()
  return out
}

/** The longest a generated name's prefix may be: 63 less the suffix. */
const maxPrefix = 58

/** `generateName` with its suffix; a long prefix is cut so that the name stays a label. */
export const generatedName = (prefix: string): string => prefix.slice(0, maxPrefix) + randomSuffix()

/** A new object's uid. */
export const uid = (): string => randomUUID()

/** `namespace/name`, or `name` alone for cluster-scoped objects: the key of work queues and caches. */
export const keyOf = (object: { readonly metadata: Partial<meta.ObjectMeta> }): string =>
  (object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : (object.metadata.name ?? ''))

/** `namespace/name` taken apart. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** Whether two JSON values are the same. A property that is undefined counts as absent. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!deepEqual(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  let count = 0
  for (const key in left) {
    const value = left[key]
    if (value === undefined) continue
    count++
    if (!Object.hasOwn(right, key) || !deepEqual(value, right[key])) return false
  }
  for (const key in right) if (right[key] !== undefined) count--
  return count === 0
}

/** Freezes an object with everything in it: tests do this to what caches hand out. Gives the same object back. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
  return value
}

/** JSON text whose keys are sorted: the same for equal values, whoever wrote them. */
export function stableStringify(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(stableStringify).join(',')}]`
  const entries = Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${stableStringify(v)}`).join(',')}}`
}

/** FNV-1a, 32 bit, of a text's UTF-8 bytes. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** A number's decimal text in the alphabet of generated names, as `pod-template-hash` shows it. */
const safeEncode = (n: number): string => [...String(n)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('')

/** The `pod-template-hash` of a template: the same for equal templates; `collisionCount` makes another one when a name is taken. */
export function podTemplateHash(template: unknown, collisionCount?: number): string {
  return safeEncode(fnv32a(stableStringify(template) + (collisionCount === undefined ? '' : `#${collisionCount}`)))
}
