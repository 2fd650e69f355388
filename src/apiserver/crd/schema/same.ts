/** Whether a part of an object is what it was: the order of the elements of map lists does not matter. */
import { deepEqual } from '../../../machinery/meta.ts'
import { mapCorrelation } from './correlation.ts'
import { none } from './issue.ts'
import { additionalOf, isObject, itemsOf, type Obj, type Schema } from './props.ts'

export type Same = (a: unknown, b: unknown) => boolean

/** The comparison of two values of a schema. */
export const compileSame = (schema: Schema): Same => compile(schema) ?? deepEqual

/** Undefined where there is no map list below, so that any comparison will do. */
function compile(schema: Schema): Same | undefined {
  if (schema.type === 'array') return listSame(schema)
  const children = new Map(Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const same = compile(child)
    return same ? [[name, same] as const] : []
  }))
  const additional = additionalOf(schema)
  const others = additional && compile(additional)
  if (children.size === 0 && !others) return undefined
  return (a, b) => {
    if (!isObject(a) || !isObject(b)) return deepEqual(a, b)
    const names = Object.keys(a)
    return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && (children.get(name) ?? others ?? deepEqual)((a as Obj)[name], (b as Obj)[name]))
  }
}

function listSame(schema: Schema): Same | undefined {
  const items = itemsOf(schema)
  const element = items && compile(items)
  const correlate = mapCorrelation(schema)
  if (!correlate && !element) return undefined
  const same = element ?? deepEqual
  return (a, b) => {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return deepEqual(a, b)
    // Elements that have no keys, or the same ones, have no place but their own.
    if (deepEqual(a, b)) return true
    const before = correlate?.(b)
    return a.every((item, i) => {
      const old: unknown = before ? before(item, i) : b[i]
      return old !== none && same(item, old)
    })
  }
}
