/**
 * Who creates an object owns the fields it has. Which those are depends on its form alone, not on its values, and most objects
 * come in few forms: pods of one template, events of one component. So the set is worked out once per form, and shared.
 */
import type { meta } from '../../api/index.ts'
import type { StructType } from '../../api/schema.ts'
import { deepEqual } from '../meta.ts'
import { zeroOf } from '../zero.ts'
import { compare } from './compare.ts'
import { isEmptySet, toFieldsV1, union } from './fieldset.ts'
import { ownable } from './managers.ts'
import { isEmpty, shapeFor, type List, type Obj, type Target } from './shape.ts'

type Fields = NonNullable<meta.ManagedFieldsEntry['fieldsV1']>

/** By type and form. Bounded: when it is full it starts over. */
let known = new Map<StructType, Map<string, Fields | undefined>>()
let count = 0
const most = 1000
/** Longer forms are hardly ever met again: objects with many keys of their own. */
const longest = 8192

/** The fields of a new object, as an entry of its managed fields holds them; undefined when nobody owns any of it. */
export function createdFields(type: StructType, object: unknown): Fields | undefined {
  const zero = zeroOf(type)
  const form = formOf(type, zero, object)
  const forms = known.get(type)
  if (forms?.has(form)) return forms.get(form)
  const { added, modified } = compare(type, zero, object)
  const set = ownable(union(modified, added))
  const fields = isEmptySet(set) ? undefined : toFieldsV1(set)
  if (form.length <= longest) remember(type, form, fields)
  return fields
}

function remember(type: StructType, form: string, fields: Fields | undefined): void {
  if (++count > most) {
    known = new Map()
    count = 1
  }
  const forms = known.get(type)
  if (forms) forms.set(form, fields)
  else known.set(type, new Map([[form, fields]]))
}

const named = (name: string): string => `${name.length}:${name}`

/**
 * Everything about a value that decides what `compare(type, old, next)` says is added and modified: the names in it, and where it is the
 * same as `old`. `old` is a zero value, or undefined. No two values that are compared differently have the same form.
 */
function formOf(type: Target, old: unknown, next: unknown): string {
  if (old === next) return '='
  const shape = shapeFor(type, old, next)
  if (shape.form === 'leaf' || (isEmpty(old) && isEmpty(next))) return old === undefined ? '+' : deepEqual(old, next) ? '=' : '~'
  if (shape.form === 'list') {
    let form = old === undefined ? '[' : '<'
    for (const item of next as List) form += named(shape.elementOf(item)) + formOf(shape.of, undefined, item)
    return `${form}]`
  }
  let form = old === undefined ? '{' : '('
  const [before, after] = [old as Obj | undefined, next as Obj]
  for (const name in after) {
    const value = after[name]
    const was = before && Object.hasOwn(before, name) ? before[name] : undefined
    const child = value === undefined || value === was ? undefined : shape.child(name)
    if (child) form += named(name) + formOf(child, was, value)
  }
  return `${form}}`
}
