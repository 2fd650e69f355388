/** Set lists have no duplicate values, map lists no two elements with the same keys. */
import { path, type FieldError, type Path } from '../../../machinery/field.ts'
import { stableStringify } from '../../../machinery/meta.ts'
import { isObject, type Obj, type Schema } from './props.ts'
import { compileLook } from './walk.ts'

/** The check of all lists below a schema; undefined when there are none with a type. */
export function compileListChecks(schema: Schema): ((object: unknown) => readonly FieldError[]) | undefined {
  const look = compileLook(schema, (place) => {
    const unique = uniqueness(place)
    return unique && ((value, at) => (Array.isArray(value) ? unique(value, at) : none))
  }, true)
  return look && ((object) => look(object, path()))
}

function uniqueness(schema: Schema): ((list: readonly unknown[], at: Path) => FieldError[]) | undefined {
  const kind = schema['x-kubernetes-list-type']
  if (kind === 'set') return (list, at) => (list.length < 2 ? none : repeated(list.map(nameOf)).map((i) => at.index(i).duplicate(list[i])))
  if (kind !== 'map') return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return (list, at) => {
    const stray = list.findIndex((item) => item !== null && !isObject(item))
    if (stray >= 0) return [at.index(stray).invalid(list[stray], 'must be an object for an array of list-type map')]
    if (list.length < 2) return none
    const found = repeated(list.map((item) => identify(item as Obj | null, keys)))
    return found.map((i) => at.index(i).duplicate(keysOf((list[i] ?? {}) as Obj, keys)))
  }
}

const keysOf = (item: Obj, keys: readonly string[]): Obj => Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(item, key) ? [[key, item[key]]] : [])))

const none: FieldError[] = []

/** A string that is the same for equal values only. */
const nameOf = (value: unknown): string => (typeof value === 'string' ? `"${value}` : typeof value === 'object' && value !== null ? stableStringify(value) : String(value))
const identify = (item: Obj | null, keys: readonly string[]): string => (keys.length === 1 ? nameOf(item?.[keys[0] as string]) : stableStringify(keysOf(item ?? {}, keys)))

/** The index of each second occurrence; a third one is not reported. */
function repeated(names: readonly string[]): number[] {
  const seen = new Map<string, number>()
  const found: number[] = []
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    if (times === 1) found.push(i)
  }
  return found
}
