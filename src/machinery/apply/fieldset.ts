/**
 * Sets of fields, as `managedFields` writes them: a tree whose edges are path elements.
 *
 *   f:replicas                 a field of a struct, or a key of a map
 *   k:{"name":"web"}           an element of a list that is merged by keys
 *   v:"example.com/finalizer"  an element of a set
 *   i:0                        an element of a list, by its place
 *
 * Sets are never changed once they are built; parts are shared between them.
 */
import type { JsonObject } from '../../api/schema.ts'
import { parseExactly } from '../json/exact.ts'
import { stableStringify } from '../meta.ts'

export interface FieldSet {
  /** The path that leads here is in the set. */
  readonly self: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}

const noChildren: ReadonlyMap<string, FieldSet> = new Map()

export const emptySet: FieldSet = { self: false, children: noChildren }
export const leafSet: FieldSet = { self: true, children: noChildren }

export const isEmptySet = (set: FieldSet): boolean => !set.self && set.children.size === 0

/** A set from its root's children; the empty ones among them are left out. */
export function setOf(self: boolean, children: Iterable<readonly [string, FieldSet]>): FieldSet {
  let kept: Map<string, FieldSet> | undefined
  for (const [element, child] of children) if (!isEmptySet(child)) (kept ??= new Map()).set(element, child)
  return withChildren(self, kept)
}

const withChildren = (self: boolean, children: ReadonlyMap<string, FieldSet> | undefined): FieldSet => (children && children.size > 0 ? { self, children } : self ? leafSet : emptySet)

/** What is in one set or in the other; gives `a` itself back when it has all of `b`. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a
  if (isEmptySet(a)) return b
  let children: Map<string, FieldSet> | undefined
  for (const [element, child] of b.children) {
    const other = a.children.get(element)
    const both = other ? union(other, child) : child
    if (both !== other) (children ??= new Map(a.children)).set(element, both)
  }
  return children || (b.self && !a.self) ? { self: a.self || b.self, children: children ?? a.children } : a
}

/** What is in `a` and not in `b`; gives `a` itself back when they have nothing in common. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return emptySet
  if (isEmptySet(b)) return a
  let children: Map<string, FieldSet> | undefined
  for (const [element, other] of b.children) {
    const child = a.children.get(element)
    const rest = child && difference(child, other)
    if (!rest || rest === child) continue
    children ??= new Map(a.children)
    if (isEmptySet(rest)) children.delete(element)
    else children.set(element, rest)
  }
  return children || (a.self && b.self) ? withChildren(a.self && !b.self, children ?? a.children) : a
}

/** What is in `a`, less what is in `b` and everything below that; gives `a` itself back when they have nothing in common. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a
  if (b.self) return emptySet
  let children: Map<string, FieldSet> | undefined
  for (const [element, other] of b.children) {
    const child = a.children.get(element)
    const rest = child && recursiveDifference(child, other)
    if (!rest || rest === child) continue
    children ??= new Map(a.children)
    if (isEmptySet(rest)) children.delete(element)
    else children.set(element, rest)
  }
  return children ? withChildren(a.self, children) : a
}

/** What is in both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return setOf(a.self && b.self, [...a.children].flatMap(([element, child]) => {
    const other = b.children.get(element)
    return other ? [[element, intersection(child, other)] as const] : []
  }))
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  if (a.self !== b.self || a.children.size !== b.children.size) return false
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    if (!other || !sameSet(child, other)) return false
  }
  return true
}

/** The set of some paths; each path is a list of path elements. */
export function setOfPaths(paths: readonly (readonly string[])[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, path.reduceRight<FieldSet>((child, element) => ({ self: false, children: new Map([[element, child]]) }), leafSet)), emptySet)
}

/** Every path in the set: those of one level before those below it. */
export function* pathsOf(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  const elements = sorted(set)
  for (const [element, child] of elements) if (child.self) yield [...prefix, element]
  for (const [element, child] of elements) yield* pathsOf(child, [...prefix, element])
}

const rank = (element: string) => 'fkvi'.indexOf(element[0] as string)
const inOrder = (a: string, b: string) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0)
const sorted = (set: FieldSet): readonly (readonly [string, FieldSet])[] => [...set.children.keys()].sort(inOrder).map((element) => [element, set.children.get(element)!])

/** The set as `fieldsV1` holds it. */
export const toFieldsV1 = (set: FieldSet): JsonObject => toJson(set, true)

function toJson(set: FieldSet, isRoot: boolean): JsonObject {
  const out: Record<string, JsonObject> = {}
  if (set.self && !isRoot && set.children.size > 0) out['.'] = {}
  for (const [element, child] of sorted(set)) out[element] = toJson(child, false)
  return out
}

// An object that is written is likely to be written again soon. Sets take more room than their JSON, so few are kept.
const recent = new Map<object, FieldSet>()
const mostRecent = 256

/** Reads `fieldsV1`; what is no path element in it is left out. */
export function fromFieldsV1(json: unknown): FieldSet {
  if (!isObject(json)) return emptySet
  let set = recent.get(json)
  if (!set) {
    set = setOf(Object.hasOwn(json, '.'), childrenOf(json))
    recent.set(json, set)
    if (recent.size > mostRecent) recent.delete(recent.keys().next().value as object)
  }
  return set
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function childrenOf(json: Record<string, unknown>): [string, FieldSet][] {
  return Object.keys(json).flatMap((key): [string, FieldSet][] => {
    const element = canonicalElement(key)
    const value = json[key]
    if (element === undefined || !isObject(value)) return []
    const keys = Object.keys(value)
    return [[element, setOf(keys.length === 0 || Object.hasOwn(value, '.'), childrenOf(value))]]
  })
}

/** A path element with its JSON written the one way; undefined when it is none. */
function canonicalElement(text: string): string | undefined {
  if (text.startsWith('f:')) return text
  if (!/^[kvi]:/.test(text)) return undefined
  try {
    const value: unknown = parseExactly(text.slice(2))
    return text[0] === 'k' && !isObject(value) ? undefined : text.slice(0, 2) + stableStringify(value)
  } catch {
    // Not JSON: no path that anything could lead to.
    return undefined
  }
}

/** A path as an error names it: `.spec.containers[name="web"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map((element) => {
    const body = element.slice(2)
    if (element.startsWith('f:')) return `.${body}`
    if (element.startsWith('v:')) return `[=${body}]`
    if (element.startsWith('i:')) return `[${body}]`
    return `[${Object.entries(parseExactly(body) as object).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
  }).join('')
}
