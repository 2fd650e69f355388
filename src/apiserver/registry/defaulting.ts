/** Building blocks of defaulting. All return the same object when there is nothing to change. */

/** The object with `defaults` for its missing fields. */
export function orDefault<T extends object>(object: T, defaults: NoInfer<Partial<T>>): T {
  let filled: Partial<T> | undefined
  for (const key in defaults) if (object[key] === undefined) (filled ??= { ...object })[key] = defaults[key]
  return (filled as T | undefined) ?? object
}

/** The object with all `changes` applied at once; fields that stay the same may be named, too, and missing ones may stay undefined. */
export function changed<T extends object>(object: T, changes: NoInfer<{ readonly [K in keyof T]?: T[K] | undefined }>): T {
  let next: T | undefined
  for (const key in changes) if (changes[key] !== object[key]) (next ??= { ...object })[key] = changes[key] as T[typeof key]
  return next ?? object
}

/** The list with `step` applied to each item; undefined stays undefined. */
export function mapped<I, L extends readonly I[] | undefined>(list: L & (readonly I[] | undefined), step: (item: I) => I): L {
  let next: I[] | undefined
  if (list) {
    for (let i = 0; i < list.length; i++) {
      const item = step(list[i]!)
      if (item !== list[i]) (next ??= [...list])[i] = item
    }
  }
  return (next ?? list) as L
}

/** The object with `step` applied to the part under `key`, if it has one. */
export function within<T extends object, K extends keyof T>(object: T, key: K, step: (part: NonNullable<T[K]>) => NonNullable<T[K]>): T {
  const part = object[key]
  if (part === undefined || part === null) return object
  const next = step(part as NonNullable<T[K]>)
  return next === part ? object : { ...object, [key]: next }
}

type ItemOf<L> = NonNullable<L> extends readonly unknown[] ? NonNullable<L>[number] : never

/** The object with `step` applied to each item of the list under `key`. */
export function each<T extends object, K extends keyof T>(object: T, key: K, step: (item: ItemOf<T[K]>) => ItemOf<T[K]>): T {
  return within(object, key, (list) => mapped(list as unknown as readonly ItemOf<T[K]>[], step) as unknown as NonNullable<T[K]>)
}
