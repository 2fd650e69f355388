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
import { badRequest, type ApiError } from '../errors.ts'
import { goText, goType } from '../go-text.ts'
import { deepEqual } from '../meta.ts'
import { slotTable } from '../slots.ts'
import { rejected, withKey } from './json.ts'
import { mergeOrder, places } from './strategic-order.ts'

type Obj = Readonly<Record<string, unknown>>
type List = readonly unknown[]
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
const isDirective = (key: string): boolean => key === '$patch' || key === '$retainKeys' || key.startsWith(orderPrefix) || key.startsWith(deletePrefix)
const hasPatch = (value: unknown): value is Obj => isObject(value) && Object.hasOwn(value, '$patch')

/** Kubernetes has no status for most faults of a patch and says that the server failed (500). It is the patch that is wrong: whoever sent it is told so, and no client tries again. */
const wrongType = (expected: string, value: unknown): ApiError => badRequest(`expected a ${expected}, but received a ${goType(value)}`)

/** Applies a strategic merge patch. Throws `ApiError` 400 when patch or directives are malformed, 422 for lists of lists. */
export function applyStrategicMergePatch(type: StructType, document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw badRequest('error decoding patch: a strategic merge patch is an object')
  return mergeObject(isObject(document) ? document : {}, patch, type)
}

function mergeObject(original: Obj, patch: Obj, type: Type): Obj {
  if (hasPatch(patch)) return wholeObject(patch)
  let out = retained(original, patch)
  const ordered = new Set<string>()
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(orderPrefix)) continue
    const name = key.slice(orderPrefix.length)
    const list = inOrder(out, patch, name, fieldMeta(type, name), patch[key])
    ordered.add(name)
    if (list) out = withKey(out, name, list)
  }
  for (const key of Object.keys(patch)) {
    if (!isDirective(key) && !ordered.has(key)) out = mergeField(out, key, patch[key], type)
  }
  for (const key of Object.keys(patch)) {
    if (key.startsWith(deletePrefix)) out = deleteFromList(out, key.slice(deletePrefix.length), patch[key])
  }
  return out
}

/** `$patch` in an object: it is replaced by the patch as it is, or emptied. */
function wholeObject(patch: Obj): Obj {
  const directive = patch.$patch
  if (directive === 'delete') return {}
  if (directive === 'replace') return bare(without(patch, '$patch')) as Obj
  throw unknownDirective(directive, patch)
}

/** Go prints what is no text, and was to be one, with a sign of its surprise. */
const unknownDirective = (directive: unknown, patch: Obj): ApiError => {
  const shown = typeof directive === 'number' || typeof directive === 'boolean' ? `%!s(${goType(directive)}=${goText(directive)})` : goText(directive).replace('<nil>', '%!s(<nil>)')
  return badRequest(`unknown patch type: ${shown} in map: ${goText(patch)}`)
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

function mergeField(object: Obj, key: string, value: unknown, type: Type): Obj {
  const before = Object.hasOwn(object, key) ? object[key] : undefined
  if (value === null || value === undefined) return before === undefined ? object : without(object, key)
  if (isObject(value) && isObject(before)) {
    const field = fieldMeta(type, key)
    return withKey(object, key, field.replaces ? bare(value) : mergeObject(before, value, field.type))
  }
  if (Array.isArray(value) && Array.isArray(before)) return withKey(object, key, mergeLists(before, value, fieldMeta(type, key)))
  // What is new has nothing to be merged with: null and directives in it mean nothing.
  const clean = directed(value, true)
  return clean === undefined ? without(object, key) : withKey(object, key, clean)
}

/** The value without the parts in which a `$patch` stands; undefined when that is all of it. `nulls`: nulls in objects go too. */
function directed(value: unknown, nulls: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => directed(item, nulls)).filter((item) => item !== undefined)
  if (!isObject(value)) return value
  if (hasPatch(value)) return undefined
  return kept(value, (inner) => (nulls && inner === null ? undefined : directed(inner, nulls)))
}

/** The value as it stands, but for the names of directives: a decoder knows no such fields. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  return isObject(value) ? kept(value, bare) : value
}

function kept(object: Obj, change: (value: unknown) => unknown): Obj {
  let out: Obj = {}
  for (const key of Object.keys(object)) {
    const value = isDirective(key) ? undefined : change(object[key])
    if (value !== undefined) out = withKey(out, key, value)
  }
  return out
}

/** `$deleteFromPrimitiveList`: nothing happens where there is no list; null takes all of it. */
function deleteFromList(object: Obj, name: string, values: unknown): Obj {
  if (values === null) return without(object, name)
  const list = Object.hasOwn(object, name) ? object[name] : undefined
  if (!Array.isArray(list) || !Array.isArray(values)) return object
  if (elementKind(list, values) === 'object') throw badRequest('invalid patch format of primitive list')
  return withKey(object, name, list.filter((item) => !values.includes(item)))
}

/** What a list holds whose elements are all of one type. Throws `ApiError` 400 and 422 where they are not, and for lists of lists. */
function elementKind(...lists: readonly List[]): 'object' | 'scalar' | 'nothing' {
  let type: string | undefined
  for (const item of lists.flat()) {
    const is = goType(item)
    if (type === undefined && Array.isArray(item)) throw rejected('lists of lists are not supported')
    if (is !== (type ??= is) || item === null) throw badRequest(`list element types are not identical: ${goText(lists)}`)
  }
  if (type === undefined) return 'nothing'
  return type.startsWith('map') ? 'object' : 'scalar'
}

function mergeLists(original: List, patch: List, field: FieldMeta): List {
  if (!field.merges) return bare(patch) as List
  const kind = elementKind(original, patch)
  if (kind === 'nothing') return original
  if (kind === 'scalar') return mergeOrder([...new Set([...original, ...patch])], patch, original, undefined)
  const { key } = field
  if (!key) throw badRequest('cannot merge lists without merge key for struct')
  const special = withSpecialElements(original as readonly Obj[], patch as readonly Obj[], key)
  const all = mergeElements(special.original, special.patch, key, elementOf(field.type))
  return mergeOrder(all, special.patch, special.original, key)
}

function mergeElements(original: readonly Obj[], patch: readonly Obj[], key: string, type: Type): readonly Obj[] {
  const out = [...original]
  const positions = places(original, key)
  for (const item of patch) {
    const id = keyValue(item, key)
    const at = positions.get(id)
    if (at !== undefined) out[at] = mergeObject(out[at] as Obj, item, type)
    else {
      positions.set(id, out.length)
      out.push(bare(item) as Obj)
    }
  }
  for (const item of out) keyValue(item, key)
  return out
}

function keyValue(item: Obj, key: string): unknown {
  if (Object.hasOwn(item, key)) return item[key]
  throw badRequest(`map: ${goText(item)} does not contain declared merge key: ${key}`)
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
    else throw unknownDirective(item.$patch, item)
  }
  return replaces ? { original: bare(plain) as readonly Obj[], patch: [] } : { original: left, patch: plain }
}

/** `$setElementOrder`: the list as the patch leaves it, in that order; undefined when there is none. */
function inOrder(object: Obj, patch: Obj, name: string, field: FieldMeta, order: unknown): List | undefined {
  if (!Array.isArray(order)) throw wrongType('[]interface {}', order)
  const list = (from: Obj): List | undefined => {
    if (!Object.hasOwn(from, name)) return undefined
    const value = from[name]
    if (!Array.isArray(value)) throw wrongType('[]interface {}', value)
    return value
  }
  const before = list(object)
  const changes = list(patch)
  if (!field.type) throw badRequest(`unable to find api field in struct for the json field ${JSON.stringify(name)}`)
  checkOrder(changes ?? [], order, field.key)
  if (!before && !changes) return undefined
  const kind = elementKind(before ?? [], changes ?? [])
  if (kind === 'nothing') return before
  if (kind === 'object' && field.key === undefined) throw badRequest('invalid patch format of setElementOrder list')
  const all = changes === undefined ? (before as List) : before === undefined ? (directed(changes, false) as List) : mergeLists(before, changes, field)
  if (field.key !== undefined) for (const item of [...all, ...order]) keyValue(objectOf(item), field.key)
  return mergeOrder(all, order, before ?? [], field.key)
}

function objectOf(item: unknown): Obj {
  if (isObject(item)) return item
  throw wrongType('map[string]interface {}', item)
}

/** The elements of the patch must stand in the order that `$setElementOrder` gives. */
function checkOrder(patch: List, wanted: List, key: string | undefined): void {
  if (patch.length === 0 || wanted.length === 0) return
  const same = (a: unknown, b: unknown): boolean => (key === undefined ? deepEqual(a, b) : keyValue(objectOf(a), key) === keyValue(objectOf(b), key))
  const plain = patch.filter((item) => !hasPatch(item))
  let next = 0
  for (const item of wanted) if (next < plain.length && same(plain[next], item)) next++
  if (next < plain.length) throw badRequest(`The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(wanted)}\n`)
}
