/** Lists of type set hold no value twice, lists of type map no two elements with the same keys. */
import { path, type FieldError, type Path } from '../../../machinery/field.ts'
import { stableStringify } from '../../../machinery/meta.ts'
import { additionalOf, isObject, itemsOf, metaFields, type Obj, type Schema } from './props.ts'

type Look = (value: unknown, at: Path) => FieldError[]

/** The check of all lists below a schema; undefined when there are none with a type. */
export function compileListChecks(schema: Schema): ((object: unknown) => readonly FieldError[]) | undefined {
  const look = compile(schema, true)
  return look && ((object) => look(object, path()))
}

function compile(schema: Schema, root = false): Look | undefined {
  const children = new Map(Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const look = root && metaFields.has(name) ? undefined : compile(child)
    return look ? [[name, look] as const] : []
  }))
  const additional = additionalOf(schema)
  const others = additional && compile(additional)
  const items = itemsOf(schema)
  const element = items && compile(items)
  const own = uniqueness(schema)
  if (children.size === 0 && !others && !element && !own) return undefined
  return (value, at) => {
    if (Array.isArray(value)) return [...(own?.(value, at) ?? []), ...(element ? value.flatMap((item, i) => element(item, at.index(i))) : [])]
    if (!isObject(value)) return none
    let errors: FieldError[] = none
    const add = (found: FieldError[]) => { if (found.length > 0) errors = [...errors, ...found] }
    for (const [name, look] of children) if (Object.hasOwn(value, name)) add(look(value[name], at.at(name)))
    if (others) for (const name of Object.keys(value)) add(others(value[name], at.key(name)))
    return errors
  }
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

/** A text that only equal values share. */
const nameOf = (value: unknown): string => (typeof value === 'string' ? `"${value}` : typeof value === 'object' && value !== null ? stableStringify(value) : String(value))
const identify = (item: Obj | null, keys: readonly string[]): string => (keys.length === 1 ? nameOf(item?.[keys[0] as string]) : stableStringify(keysOf(item ?? {}, keys)))

/** Where names stand for the second time; a third time is not told. */
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
