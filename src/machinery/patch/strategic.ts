/**
 * Strategic merge patch: a merge patch in which the schema says how lists are merged, with directives for what a merge
 * cannot say (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/).
 *
 *   $patch: replace | delete | merge      for the object (or the list) it stands in
 *   $retainKeys: [a, b]                    all other keys of the object go
 *   $deleteFromPrimitiveList/x: [1]        these values go from the list x
 *   $setElementOrder/x: [..]               the order of the list x
 */
import type { AnyType, StructType } from '../../api/schema.ts'
import { resolve } from '../../api/schema.ts'
import { badRequest } from '../errors.ts'
import { deepEqual } from '../meta.ts'
import { slotTable } from '../slots.ts'
import { withKey } from './json.ts'

type Obj = Readonly<Record<string, unknown>>
/** A key and what it holds; `type` is undefined below raw values and unknown fields. */
type Type = Exclude<AnyType, { form: 'lazy' }> | undefined

interface FieldMeta {
  readonly type: Type
  /** Lists are merged rather than replaced. */
  readonly merges: boolean
  readonly replaces: boolean
  readonly key: string | undefined
}

const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)

const unknownField: FieldMeta = { type: undefined, merges: false, replaces: false, key: undefined }

function fieldMeta(type: Type, name: string): FieldMeta {
  if (type?.form === 'map') return { ...unknownField, type: resolve(type.of) }
  if (type?.form !== 'struct') return unknownField
  const { slots, index } = slotTable(type)
  const slot = slots[index.get(name) ?? -1]
  if (!slot) return unknownField
  const { patch, key } = slot.options
  return { type: slot.type, merges: patch === 'merge' || patch === 'merge,retainKeys', replaces: patch === 'replace', key }
}

const elementOf = (type: Type): Type => (type?.form === 'list' ? resolve(type.of) : undefined)

const orderPrefix = '$setElementOrder/'
const deletePrefix = '$deleteFromPrimitiveList/'
const directives = new Set(['$patch', '$retainKeys'])
const isDirective = (key: string) => directives.has(key) || key.startsWith(orderPrefix) || key.startsWith(deletePrefix)

/** Applies a strategic merge patch. Throws `ApiError` 400 when patch or directives are malformed. */
export function applyStrategicMergePatch(type: StructType, document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw badRequest('error decoding patch: a strategic merge patch is an object')
  return mergeObject(isObject(document) ? document : {}, patch, type)
}

function mergeObject(original: Obj, patch: Obj, type: Type): Obj {
  if (Object.hasOwn(patch, '$patch')) return wholeObject(patch, type)
  let out = retained(original, patch)
  for (const key of Object.keys(patch)) {
    if (key.startsWith(deletePrefix)) out = deleteFromList(out, key.slice(deletePrefix.length), patch[key])
  }
  for (const key of Object.keys(patch)) {
    if (isDirective(key)) continue
    const value = patch[key]
    if (value === null || value === undefined) {
      if (Object.hasOwn(out, key)) out = without(out, key)
      continue
    }
    const order = patch[orderPrefix + key]
    out = withKey(out, key, mergeValue(Object.hasOwn(out, key) ? out[key] : undefined, value, fieldMeta(type, key), order))
  }
  for (const key of Object.keys(patch)) {
    const name = key.slice(orderPrefix.length)
    const list = out[name]
    if (key.startsWith(orderPrefix) && !Object.hasOwn(patch, name) && Array.isArray(list)) {
      const { key: mergeKey } = fieldMeta(type, name)
      out = withKey(out, name, ordered(list, listOf(patch[key], key), list, mergeKey))
    }
  }
  return out
}

/** `$patch` in an object: it is replaced by the patch, or emptied. */
function wholeObject(patch: Obj, type: Type): Obj {
  const directive = patch.$patch
  if (directive === 'delete') return {}
  if (directive === 'replace') return mergeObject({}, without(patch, '$patch'), type)
  throw badRequest(`unknown patch type: ${JSON.stringify(directive)} in map: ${JSON.stringify(patch)}`)
}

function without(object: Obj, key: string): Obj {
  const { [key]: _, ...rest } = object
  return rest
}

function retained(original: Obj, patch: Obj): Obj {
  if (!Object.hasOwn(patch, '$retainKeys')) return original
  const keys = patch.$retainKeys
  if (!Array.isArray(keys)) throw badRequest('invalid patch format of retainKeys')
  for (const key of Object.keys(patch)) {
    if (!isDirective(key) && patch[key] !== null && !keys.includes(key)) throw badRequest('invalid patch format of retainKeys')
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)))
}

function deleteFromList(original: Obj, name: string, values: unknown): Obj {
  const remove = listOf(values, deletePrefix + name)
  const list = original[name]
  if (!Array.isArray(list)) return original
  if (remove.some((value) => typeof value === 'object')) throw badRequest('invalid patch format of primitive list')
  return withKey(original, name, list.filter((item) => !remove.includes(item)))
}

function listOf(value: unknown, key: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw badRequest(key.startsWith(orderPrefix) ? 'invalid patch format of setElementOrder list' : 'invalid patch format of primitive list')
}

function mergeValue(original: unknown, value: unknown, field: FieldMeta, order: unknown): unknown {
  if (isObject(value)) {
    if (field.replaces) return clean(value)
    return mergeObject(isObject(original) ? original : {}, value, field.type)
  }
  if (!Array.isArray(value)) return value
  if (!field.merges) return clean(value)
  const before: readonly unknown[] = Array.isArray(original) ? original : []
  const merged = mergeList(before, value, field)
  if (order === undefined) return merged
  const wanted = listOf(order, orderPrefix)
  checkOrder(value, wanted, field.key)
  return ordered(merged, wanted, before, field.key)
}

/** A value that is taken over whole: null and directives in it mean nothing. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !(isObject(item) && Object.hasOwn(item, '$patch'))).map(clean)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key, v]) => v !== null && !isDirective(key)).map(([key, v]) => [key, clean(v)]))
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], field: FieldMeta): readonly unknown[] {
  const objects = [...original, ...patch].filter(isObject).length
  if (objects === 0) {
    if (patch.some(Array.isArray)) throw badRequest('lists of lists are not supported')
    return ordered([...new Set([...original, ...patch])], patch, original, undefined)
  }
  if (objects < original.length + patch.length) throw badRequest('list element types are not identical')
  const { key } = field
  if (!key) throw badRequest('cannot merge lists without merge key')
  const special = withSpecialElements(original as readonly Obj[], patch as readonly Obj[], key)
  const merged = [...special.original]
  const positions = new Map<unknown, number>()
  merged.forEach((item, i) => {
    if (!positions.has(item[key])) positions.set(item[key], i)
  })
  for (const item of special.patch) {
    const at = positions.get(keyValue(item, key))
    if (at !== undefined) merged[at] = mergeObject(merged[at] as Obj, item, elementOf(field.type))
    else {
      positions.set(item[key], merged.length)
      merged.push(mergeObject({}, item, elementOf(field.type)))
    }
  }
  return ordered(merged, special.patch, special.original, key)
}

function keyValue(item: Obj, key: string): unknown {
  if (Object.hasOwn(item, key)) return item[key]
  // Kubernetes says the same as an error of its own (500). It is the patch that is wrong: whoever sent it is told so, and no client tries again.
  throw badRequest(`map: ${shown(item)} does not contain declared merge key: ${key}`)
}

/** A value as Kubernetes shows what it has no words for: `map[image:i ports:[map[containerPort:80]]]`. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`
  if (typeof value !== 'object' || value === null) return value === null ? '<nil>' : String(value)
  return `map[${Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => `${key}:${shown(inner)}`).join(' ')}]`
}

/** Takes elements with `$patch` out of the patch, and does what they say to the list. */
function withSpecialElements(original: readonly Obj[], patch: readonly Obj[], key: string): { original: readonly Obj[]; patch: readonly Obj[] } {
  let left = original
  let replaces = false
  const plain: Obj[] = []
  for (const item of patch) {
    if (!Object.hasOwn(item, '$patch')) plain.push(item)
    else if (item.$patch === 'replace') replaces = true
    else if (item.$patch === 'delete') {
      const value = keyValue(item, key)
      left = left.filter((other) => other[key] !== value)
    } else if (item.$patch === 'merge') throw badRequest('merging lists cannot yet be specified in the patch')
    else throw badRequest(`unknown patch type: ${JSON.stringify(item.$patch)} in map: ${JSON.stringify(item)}`)
  }
  return replaces ? { original: [], patch: plain } : { original: left, patch: plain }
}

const same = (a: unknown, b: unknown, key: string | undefined): boolean =>
  (key !== undefined && isObject(a) && isObject(b) ? a[key] === b[key] : deepEqual(a, b))

const identity = (item: unknown, key: string | undefined): unknown => (key !== undefined && isObject(item) ? item[key] : item)

/** The place of each element in a list, by its merge key or by itself. */
function places(list: readonly unknown[], key: string | undefined): Map<unknown, number> {
  const out = new Map<unknown, number>()
  list.forEach((item, i) => {
    const id = identity(item, key)
    if (!out.has(id)) out.set(id, i)
  })
  return out
}

/**
 * Puts a merged list in order: elements that the patch names stand as in `wanted`; the others keep their order among
 * themselves, and stand before the first named one that followed them in the list as it was.
 */
function ordered(merged: readonly unknown[], wanted: readonly unknown[], before: readonly unknown[], key: string | undefined): readonly unknown[] {
  const want = places(wanted, key)
  const was = places(before, key)
  const at = (item: unknown, map: Map<unknown, number>) => map.get(identity(item, key)) ?? -1
  const named = merged.filter((item) => at(item, want) >= 0).sort((a, b) => at(a, want) - at(b, want))
  const others = merged.filter((item) => at(item, want) < 0).sort((a, b) => at(a, was) - at(b, was))
  const out: unknown[] = []
  let i = 0
  for (const item of named) {
    const place = at(item, was)
    const stood = (other: unknown) => at(other, was) >= 0 && at(other, was) < place
    while (i < others.length && stood(others[i])) out.push(others[i++])
    out.push(item)
  }
  return [...out, ...others.slice(i)]
}

/** The elements of the patch must stand in the order that `$setElementOrder` gives. */
function checkOrder(patch: readonly unknown[], wanted: readonly unknown[], key: string | undefined): void {
  const plain = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, '$patch')))
  let next = 0
  for (const item of wanted) if (next < plain.length && same(plain[next], item, key)) next++
  if (next < plain.length) {
    throw badRequest(`The order in patch list:\n${JSON.stringify(patch)}\n doesn't match $setElementOrder list:\n${JSON.stringify(wanted)}\n`)
  }
}
