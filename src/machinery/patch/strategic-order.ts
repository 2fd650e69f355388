/** The order of lists that a strategic merge patch has merged. */

type Obj = Readonly<Record<string, unknown>>
type List = readonly unknown[]

const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)
const identity = (item: unknown, key: string | undefined): unknown => (key !== undefined && isObject(item) ? item[key] : item)

/** The first place of each element in a list, by its merge key or by itself. */
export function places(list: List, key: string | undefined): Map<unknown, number> {
  const out = new Map<unknown, number>()
  list.forEach((item, i) => {
    const id = identity(item, key)
    if (!out.has(id)) out.set(id, i)
  })
  return out
}

/**
 * Puts a merged list in order: elements that the patch names stand as in `wanted`; the others keep their order among
 * themselves, and stand before the first named one that followed them in the list as it was.
 */
export function mergeOrder(all: List, wanted: List, before: List, key: string | undefined): List {
  const want = places(wanted, key)
  const was = places(before, key)
  const at = (item: unknown, map: Map<unknown, number>) => map.get(identity(item, key)) ?? -1
  const named = all.filter((item) => at(item, want) >= 0).sort((a, b) => at(a, want) - at(b, want))
  const others = all.filter((item) => at(item, want) < 0).sort((a, b) => at(a, was) - at(b, was))
  const out: unknown[] = []
  let i = 0
  for (const item of named) {
    const place = at(item, was)
    const stood = (other: unknown) => at(other, was) >= 0 && at(other, was) < place
    while (i < others.length && stood(others[i])) out.push(others[i++])
    out.push(item)
  }
  return [...out, ...others.slice(i)]
}
