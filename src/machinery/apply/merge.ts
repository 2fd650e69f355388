/** Merging a configuration into an object, and taking fields out of one. */
import { withKey } from '../patch/json.ts'
import type { FieldSet } from './fieldset.ts'
import { byElement, entriesOf, isEmpty, shapeFor, type List, type Obj, type Target } from './shape.ts'

/** `config` over `live`: leaves are replaced, maps and lists of elements are joined. Neither is changed. */
export function merge(type: Target, live: unknown, config: unknown): unknown {
  const shape = shapeFor(type, live, config)
  if (live === undefined || live === null || shape.form === 'leaf') return config
  // No elements are stated, and none of the others are taken away.
  if (config === null) return isEmpty(live) ? config : live
  if (shape.form === 'list') return mergeLists(shape.of, shape.elementOf, live as List, config as List)
  let out = live as Obj
  for (const [name, value] of entriesOf(config)) {
    const child = shape.child(name)
    if (child) out = withKey(out, name, merge(child, Object.hasOwn(out, name) ? out[name] : undefined, value))
  }
  return out
}

/**
 * Elements of both lists are merged and stand in the order of `config`; those that only `live` has stay where they were
 * between them.
 */
function mergeLists(of: Target, elementOf: (item: unknown) => string, live: List, config: List): List {
  const before = byElement(live, elementOf)
  const after = byElement(config, elementOf)
  const names = config.map(elementOf)
  const shared = names.filter((name) => before.has(name))
  const out: unknown[] = []
  let placed = 0
  const place = (name: string, item: unknown) => {
    out.push(before.has(name) ? merge(of, before.get(name)?.[0], item) : item)
    if (name === shared[0]) shared.shift()
  }
  for (const item of live) {
    const name = elementOf(item)
    if (!after.has(name)) out.push(item)
    // A shared element takes its turn when it is next in the order of the configuration, with the new ones before it.
    else if (name === shared[0]) {
      while (names[placed] !== name) place(names[placed] as string, config[placed++])
      place(name, config[placed++])
    }
  }
  for (; placed < config.length; placed++) place(names[placed] as string, config[placed])
  return out
}

/** The value without the fields in `remove`; undefined when nothing is left of it. */
export function removeFields(type: Target, value: unknown, remove: FieldSet): unknown {
  const shape = shapeFor(type, value)
  if (shape.form === 'leaf' || remove.children.size === 0) return value
  if (shape.form === 'list') {
    const items = ((value ?? []) as List).flatMap((item) => {
      const below = remove.children.get(shape.elementOf(item))
      if (!below) return [item]
      return below.self ? [] : [removeFields(shape.of, item, below) ?? {}]
    })
    return items.length > 0 ? items : undefined
  }
  let out: Record<string, unknown> = {}
  for (const [name, item] of entriesOf(value)) {
    const below = remove.children.get(`f:${name}`)
    const child = shape.child(name)
    const left = below && child ? (below.self ? undefined : removeFields(child, item, below)) : item
    if (left !== undefined) out = withKey(out, name, left)
  }
  return Object.keys(out).length > 0 ? out : undefined
}

/** The value with the maps that `config` states and that were emptied away: a map of nothing is one. */
export function withStatedMaps(type: Target, value: unknown, config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return value
  const shape = shapeFor(type, value, config)
  if (shape.form === 'leaf') return value
  if (shape.form === 'list') {
    if (!Array.isArray(value)) return value
    const stated = byElement(config, shape.elementOf)
    return value.map((item) => withStatedMaps(shape.of, item, stated.get(shape.elementOf(item))?.[0]))
  }
  let out = (value ?? {}) as Obj
  for (const [name, item] of entriesOf(config)) {
    const child = shape.child(name)
    const before = Object.hasOwn(out, name) ? out[name] : undefined
    const after = child ? withStatedMaps(child, before, item) : before
    if (after !== before) out = withKey(out, name, after)
  }
  return out
}
