/** A priority queue ordered by `before`. Items can be removed by identity. */
export interface Heap<T> {
  readonly size: number
  push(item: T): void
  peek(): T | undefined
  pop(): T | undefined
  remove(item: T): boolean
}

export function createHeap<T extends object>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = []
  const places = new Map<T, number>()

  const put = (item: T, i: number) => {
    items[i] = item
    places.set(item, i)
  }
  const up = (item: T, from: number) => {
    let i = from
    for (let parent = (i - 1) >> 1; i > 0 && before(item, items[parent]!); parent = (i - 1) >> 1) {
      put(items[parent]!, i)
      i = parent
    }
    put(item, i)
  }
  const down = (item: T, from: number) => {
    let i = from
    for (;;) {
      let child = 2 * i + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++
      if (!before(items[child]!, item)) break
      put(items[child]!, i)
      i = child
    }
    put(item, i)
  }
  const removeAt = (i: number): T => {
    const item = items[i]!
    const last = items.pop()!
    places.delete(item)
    if (last !== item) {
      down(last, i)
      up(last, places.get(last)!)
    }
    return item
  }

  return {
    get size() { return items.length },
    push(item) {
      items.push(item)
      up(item, items.length - 1)
    },
    peek: () => items[0],
    pop: () => (items.length ? removeAt(0) : undefined),
    remove(item) {
      const i = places.get(item)
      if (i === undefined) return false
      removeAt(i)
      return true
    },
  }
}
