/**
 * Items in the order of their keys. They stand in pieces, so that one that comes or goes moves the few of its piece, however many
 * there are in all. New ones are put in their places when somebody looks, or when they are many: those that are neighbours then find
 * theirs with what is already at hand, where each alone would look through keys from all over the memory.
 */
export interface Keyed { readonly key: string }

/** A piece that grows beyond this is cut in two. */
const most = 512
/** At most this many new items wait. Placing them takes a fraction of a millisecond. */
const mostNew = 32
const inOrder = (a: Keyed, b: Keyed): number => (a.key < b.key ? -1 : 1)

/** Which of `count` places, in order, is the first that `isBefore` does not hold for. */
function firstNot(count: number, isBefore: (at: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

export class Sorted<T extends Keyed> {
  /** None is empty. */
  #pieces: T[][] = []
  /** Of the items in their places. */
  #size = 0
  readonly #new = new Map<string, T>()

  get size(): number { return this.#size + this.#new.size }

  clear(): void {
    this.#pieces = []
    this.#size = 0
    this.#new.clear()
  }

  /** Puts in an item whose key nobody has. */
  add(item: T): void {
    this.#new.set(item.key, item)
    if (this.#new.size >= mostNew) this.#settle()
  }

  /** Puts the item in the place of the one with its key. */
  replace(item: T): void {
    if (this.#new.has(item.key)) this.#new.set(item.key, item)
    else this.#put(item)
  }

  #settle(): void {
    if (this.#new.size === 0) return
    const items = [...this.#new.values()].sort(inOrder)
    this.#new.clear()
    for (const item of items) this.#put(item)
  }

  /** The piece in which the key is or would be: the first that ends at or after it; the number of pieces when it is after all. */
  #pieceOf(key: string): number {
    const pieces = this.#pieces
    return firstNot(pieces.length, (at) => pieces[at]!.at(-1)!.key < key)
  }

  /** Puts the item in the place of the one with its key, or between its neighbours. */
  #put(item: T): void {
    const { key } = item
    const pieces = this.#pieces
    const p = this.#pieceOf(key)
    if (p === pieces.length) return this.#append(item)
    const piece = pieces[p]!
    const at = firstNot(piece.length, (i) => piece[i]!.key < key)
    if (piece[at]!.key === key) {
      piece[at] = item
      return
    }
    piece.splice(at, 0, item)
    this.#size++
    if (piece.length > most) pieces.splice(p, 1, piece.slice(0, most / 2), piece.slice(most / 2))
  }

  #append(item: T): void {
    const last = this.#pieces.at(-1)
    if (last && last.length < most) last.push(item)
    else this.#pieces.push([item])
    this.#size++
  }

  delete(key: string): void {
    if (this.#new.delete(key)) return
    const pieces = this.#pieces
    const p = this.#pieceOf(key)
    const piece = pieces[p]
    if (!piece) return
    const at = firstNot(piece.length, (i) => piece[i]!.key < key)
    if (piece[at]?.key !== key) return
    piece.splice(at, 1)
    this.#size--
    if (piece.length === 0) pieces.splice(p, 1)
  }

  all(): T[] {
    this.#settle()
    return this.#pieces.flat()
  }

  /** Those from the key `from` on (`beyond`: after it), up to the key `to`, which is left out; without it to the end. */
  range(from: string, beyond: boolean, to?: string): T[] {
    this.#settle()
    const found: T[] = []
    for (let p = this.#pieceOf(from); p < this.#pieces.length; p++) {
      const piece = this.#pieces[p]!
      const begin = piece[0]!.key >= from && !beyond ? 0 : firstNot(piece.length, (i) => piece[i]!.key < from || (beyond && piece[i]!.key === from))
      const end = to === undefined || piece.at(-1)!.key < to ? piece.length : firstNot(piece.length, (i) => piece[i]!.key < to)
      for (let i = begin; i < end; i++) found.push(piece[i]!)
      if (end < piece.length) break
    }
    return found
  }
}
