/**
 * A set for members that come and go thousands of times a second, such as requests in flight. V8's own sets move to a new table every few hundred
 * additions. The old table still references all members of that time, and once it is in the old generation, it keeps them alive until the next
 * full collection: finished requests filled the heap that way.
 */

/** A member; it may be on one roster at a time. */
export interface Member {
  /** Its index on the roster, which maintains it. */
  place: number
}

export class Roster<T extends Member> implements Iterable<T> {
  #members: T[] = []

  get size(): number { return this.#members.length }

  add(member: T): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Removes a member, if it is there. The last member takes its place, so the order is not that of insertion. */
  delete(member: T): void {
    if (this.#members[member.place] !== member) return
    const last = this.#members.pop() as T
    if (last === member) return
    this.#members[member.place] = last
    last.place = member.place
  }

  /** Iterates over a snapshot of the members. */
  [Symbol.iterator](): Iterator<T> { return [...this.#members][Symbol.iterator]() }
}
