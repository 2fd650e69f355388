/** The way through an object along its schema, for checks that few places of it need. */
import type { FieldError, Path } from '../../../machinery/field.ts'
import { additionalOf, isObject, itemsOf, metaFields, type Schema } from './props.ts'

/** What is wrong with a value that stands at a place. */
export type Look = (value: unknown, at: Path) => readonly FieldError[]

const none: readonly FieldError[] = []

/**
 * One check made of those that `checkOf` has for places of the schema; undefined when it has none, so that objects without such
 * places cost nothing. `root`: the schema is that of a whole object, whose metadata is somebody else's to check.
 */
export function compileLook(schema: Schema, checkOf: (schema: Schema, root: boolean) => Look | undefined, root = false): Look | undefined {
  const children = new Map(Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const look = root && metaFields.has(name) ? undefined : compileLook(child, checkOf)
    return look ? [[name, look] as const] : []
  }))
  const additional = additionalOf(schema)
  const others = additional && compileLook(additional, checkOf)
  const items = itemsOf(schema)
  const element = items && compileLook(items, checkOf)
  const own = checkOf(schema, root)
  if (children.size === 0 && !others && !element) return own
  return (value, at) => {
    let errors = own?.(value, at) ?? none
    const add = (found: readonly FieldError[]) => { if (found.length > 0) errors = [...errors, ...found] }
    if (Array.isArray(value)) {
      if (element) value.forEach((item, i) => add(element(item, at.index(i))))
    } else if (isObject(value)) {
      for (const [name, look] of children) if (Object.hasOwn(value, name)) add(look(value[name], at.at(name)))
      if (others) for (const name of Object.keys(value)) add(others(value[name], at.key(name)))
    }
    return errors
  }
}
