/**
 * Who creates an object owns the fields it has. Which those are depends on its form alone, not on its values, and most objects
 * come in few forms: pods of one template, events of one component. So the set is worked out once per form, and shared.
 */
import type { meta } from '../../api/index.ts'
import type { StructType } from '../../api/schema.ts'
import { deepEqual, stableStringify } from '../meta.ts'
import { zeroOf } from '../zero.ts'
import { compare } from './compare.ts'
import { isEmptySet, toFieldsV1, union } from './fieldset.ts'
import { ownable } from './managers.ts'
import { isEmpty, keyOf, shapeFor, type List, type ListShape, type Obj, type Target } from './shape.ts'

type Fields = NonNullable<meta.ManagedFieldsEntry['fieldsV1']>

/** One step of a form: a name, a key of a list's element, or what is found under it. */
type Step = string | number | symbol

const [same, added, changed, end] = [Symbol('same'), Symbol('added'), Symbol('changed'), Symbol('end')]
const [newMap, map, newList, list] = [Symbol('new map'), Symbol('map'), Symbol('new list'), Symbol('list')]
const [noKey, other] = [Symbol('no key'), Symbol('neither a text nor a number')]

let made = 0

/** All forms that begin alike, as a tree of steps: a form that was met before is found without making anything. Most are followed by one step only. */
class Form {
  /** Of the form that ends here; null: nobody owns any of it. */
  fields: Fields | null | undefined
  /** After a name: the type of what has it, which depends on the steps alone; null: the schema does not know the name. */
  target: Target | null | undefined
  #step: Step | undefined
  #next: Form | undefined
  #others: Map<Step, Form> | undefined

  followedBy(step: Step): Form {
    if (this.#step === step) return this.#next!
    let next = this.#others?.get(step)
    if (next) return next
    next = new Form()
    made++
    if (this.#step === undefined) {
      this.#step = step
      this.#next = next
    } else (this.#others ??= new Map()).set(step, next)
    return next
  }
}

/** By type. Bounded: when there are too many steps in all of them they start over. */
let known = new Map<StructType, Form>()
const most = 50_000

/** The fields of a new object, as an entry of its managed fields holds them; undefined when nobody owns any of it. */
export function createdFields(type: StructType, object: unknown): Fields | undefined {
  if (made > most) {
    known = new Map()
    made = 0
  }
  const zero = zeroOf(type)
  let start = known.get(type)
  if (!start) known.set(type, (start = new Form()))
  const form = formOf(start, type, zero, object)
  if (form.fields === undefined) {
    const changes = compare(type, zero, object)
    const set = ownable(union(changes.modified, changes.added))
    form.fields = isEmptySet(set) ? null : toFieldsV1(set)
  }
  return form.fields ?? undefined
}

/**
 * Everything about a value that decides what `compare(type, old, next)` says is added and modified: the names in it, and where it is the
 * same as `old`; as the steps that follow on `form`. `old` is a zero value, or undefined. No two values that are compared differently have
 * the same form.
 */
function formOf(form: Form, type: Target, old: unknown, next: unknown): Form {
  if (old === next) return form.followedBy(same)
  const shape = shapeFor(type, old, next)
  if (shape.form === 'leaf' || (isEmpty(old) && isEmpty(next))) return form.followedBy(old === undefined ? added : deepEqual(old, next) ? same : changed)
  if (shape.form === 'list') {
    let at = form.followedBy(old === undefined ? newList : list)
    for (const item of next as List) at = formOf(elementForm(at, shape, item), shape.of, undefined, item)
    return at.followedBy(end)
  }
  let at = form.followedBy(old === undefined ? newMap : map)
  const [before, after] = [old as Obj | undefined, next as Obj]
  for (const name in after) {
    const value = after[name]
    const was = before && Object.hasOwn(before, name) ? before[name] : undefined
    if (value === undefined || value === was) continue
    const below = at.followedBy(name)
    if (below.target === undefined) below.target = shape.child(name) ?? null
    if (below.target) at = formOf(below, below.target, was, value)
  }
  return at.followedBy(end)
}

/** The name of an element, as steps: its keys as they are, which is cheaper than putting them into one text. */
function elementForm(form: Form, { keys, elementOf }: ListShape, item: unknown): Form {
  if (!keys || typeof item !== 'object' || item === null) return form.followedBy(other).followedBy(elementOf(item))
  let at = form
  for (let i = 0; i < keys.length; i++) {
    const value = keyOf(keys[i]!, item)
    if (typeof value === 'string' || typeof value === 'number') at = at.followedBy(value)
    else if (value === undefined) at = at.followedBy(noKey)
    else at = at.followedBy(other).followedBy(stableStringify(value))
  }
  return at
}
