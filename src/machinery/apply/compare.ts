/** What differs between two objects, and which fields an object has, as sets of fields. */
import { deepEqual } from '../meta.ts'
import { byElement, entriesOf, isEmpty, shapeFor, shapeOf, type List, type Target } from './shape.ts'
import { emptySet, isEmptySet, leafSet, setOf, type FieldSet } from './fieldset.ts'

/** The fields that an applied configuration has. Containers are in it only as elements of lists, as keys of maps, and when empty. */
export function fieldsOf(type: Target, value: unknown): FieldSet {
  const shape = shapeFor(type, value)
  if (shape.form === 'leaf' || (value === null && shape.form === 'list')) return leafSet
  if (shape.form === 'list') {
    return setOf(false, (value as List).map((item) => [shape.elementOf(item), asMember(fieldsOf(shape.of, item))]))
  }
  const entries = entriesOf(value)
  return setOf(entries.length === 0, entries.flatMap(([name, item]): [string, FieldSet][] => {
    const child = shape.child(name)
    if (!child) return []
    const fields = fieldsOf(child, item)
    return [[`f:${name}`, shape.isField(name) ? fields : asMember(fields)]]
  }))
}

const asMember = (set: FieldSet): FieldSet => (set.self ? set : { self: true, children: set.children })

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

const same: Comparison = { added: emptySet, modified: emptySet, removed: emptySet }
const added: Comparison = { ...same, added: leafSet }
const modified: Comparison = { ...same, modified: leafSet }
const removed: Comparison = { ...same, removed: leafSet }

export const isSame = (comparison: Comparison): boolean => isEmptySet(comparison.added) && isEmptySet(comparison.modified) && isEmptySet(comparison.removed)

/** Compares two values of one type; undefined is a value that is not there. */
export function compare(type: Target, old: unknown, next: unknown): Comparison {
  if (old === next) return same
  const shape = shapeFor(type, old, next)
  if (shape.form === 'leaf' || (isEmpty(old) && isEmpty(next))) {
    if (old === undefined) return added
    if (next === undefined) return removed
    if (deepEqual(old, next)) return same
    // What was a map and is none any more loses what was in it.
    const inside = typeof old === 'object' && old !== null ? fieldsOf(type, old) : emptySet
    return inside.children.size === 0 ? modified : { ...modified, removed: { self: false, children: inside.children } }
  }
  const children = shape.form === 'list' ? compareLists(shape.of, shape.elementOf, old, next) : compareMaps(shape.child, old, next)
  if (children.length === 0 && old !== undefined && next !== undefined) return same
  return { added: gathered(children, 'added', old === undefined), modified: gathered(children, 'modified', false), removed: gathered(children, 'removed', next === undefined) }
}

/** One side of what differs below. */
function gathered(children: Differences, which: keyof Comparison, self: boolean): FieldSet {
  let kept: Map<string, FieldSet> | undefined
  for (let i = 0; i < children.length; i++) {
    const [element, child] = children[i]!
    if (!isEmptySet(child[which])) (kept ??= new Map()).set(element, child[which])
  }
  return kept ? { self, children: kept } : self ? leafSet : emptySet
}

type Differences = (readonly [string, Comparison])[]

function compareMaps(child: (name: string) => Target | undefined, old: unknown, next: unknown): Differences {
  const before = (old ?? nothing) as Readonly<Record<string, unknown>>
  const after = (next ?? nothing) as Readonly<Record<string, unknown>>
  const out: Differences = []
  for (const name in before) compareMember(out, child, name, before[name], own(after, name))
  for (const name in after) if (!Object.hasOwn(before, name)) compareMember(out, child, name, undefined, after[name])
  return out
}

const nothing = {}

function compareMember(out: Differences, child: (name: string) => Target | undefined, name: string, old: unknown, next: unknown): void {
  const type = old === next ? undefined : child(name)
  if (!type) return
  const difference = compare(type, old, next)
  if (!isSame(difference)) out.push([`f:${name}`, difference])
}

const own = (object: Readonly<Record<string, unknown>>, name: string) => (Object.hasOwn(object, name) ? object[name] : undefined)

function compareLists(of: Target, elementOf: (item: unknown) => string, old: unknown, next: unknown): Differences {
  const out: Differences = []
  // Naming the elements costs more than comparing them, and most lists are the same.
  if (deepEqual(old, next)) return out
  const before = byElement(old, elementOf)
  const after = byElement(next, elementOf)
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const difference = compareAlike(of, before.get(element) ?? [], after.get(element) ?? [])
    if (!isSame(difference)) out.push([element, difference])
  }
  return out
}

/** Elements that share a name are told apart by nothing: they are compared together, and one of them alone is another thing than several. */
function compareAlike(of: Target, old: List, next: List): Comparison {
  if (old.length <= 1 && next.length <= 1) return compare(of, old[0], next[0])
  if (old.length > 1 && next.length > 1) return deepEqual(old, next) ? same : modified
  const { added: come, removed: gone } = old.length > 1 ? { added: next.length > 0 ? compare(of, undefined, next[0]).added : emptySet, removed: leafSet } : { added: leafSet, removed: old.length > 0 ? compare(of, old[0], undefined).removed : emptySet }
  return { added: come, modified: emptySet, removed: gone }
}

/** The set, with the fields of structs that lead to something in it. */
export function withNamedFields(type: Target, set: FieldSet): FieldSet {
  if (set.children.size === 0) return set
  const shape = shapeOf(type)
  if (shape.form === 'leaf') return set
  return setOf(set.self, [...set.children].map(([element, child]) => {
    const target = shape.form === 'list' ? shape.of : shape.child(element.slice(2))
    const below = target ? withNamedFields(target, child) : child
    return [element, shape.form === 'map' && target && shape.isField(element.slice(2)) ? asMember(below) : below]
  }))
}
