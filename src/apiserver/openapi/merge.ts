/** The v2 documents of other servers put into this one's. */
import { deepEqual } from '../../machinery/meta.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * One document with the paths and definitions of all. A definition that another document has in a different form under the
 * same name gets a name of its own (`_v2`, `_v3`, …), as Kubernetes's aggregator gives it; its references follow.
 */
export function mergeSwaggers(own: Json, others: readonly Json[]): Json {
  if (others.length === 0) return own
  const paths: Record<string, unknown> = { ...(own['paths'] as Json) }
  const definitions: Record<string, unknown> = { ...(own['definitions'] as Json) }
  for (const other of others) {
    const names = newNames(other['definitions'] as Json, definitions)
    const renamed = names.size > 0 ? (rename(other, names) as Json) : other
    for (const [name, definition] of Object.entries(renamed['definitions'] as Json)) definitions[names.get(name) ?? name] = definition
    for (const [path, item] of Object.entries(renamed['paths'] as Json)) paths[path] ??= item
  }
  return { ...own, paths: sorted(paths), definitions: sorted(definitions) }
}

/** The names that are taken by something else, each with a free one. */
function newNames(theirs: Json, taken: Json): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const [name, definition] of Object.entries(theirs)) {
    if (!Object.hasOwn(taken, name) || deepEqual(taken[name], definition)) continue
    let number = 2
    while (Object.hasOwn(taken, `${name}_v${number}`) && !deepEqual(taken[`${name}_v${number}`], definition)) number++
    names.set(name, `${name}_v${number}`)
  }
  return names
}

function rename(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((inner) => rename(inner, names))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => {
    if (key !== '$ref' || typeof inner !== 'string') return [key, rename(inner, names)]
    const name = inner.replace('#/definitions/', '')
    return [key, `#/definitions/${names.get(name) ?? name}`]
  }))
}

const sorted = (object: Json): Json => Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1)))
