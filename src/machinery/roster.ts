/**
 * A set for members that come and go thousands of times a second, such as requests under way. V8's own sets move to a new table every few hundred
 * additions, and the old table, which still names all who were members then, is kept with them until the whole heap is collected once it has
 * itself grown old: requests that were over and done with filled the heap that way, and had to be found there by full collections.
 */

/** What may be on one roster at a time. */
export interface Member {
  /** Where it is on its roster; the roster's own. */
  place: number
}

export class Roster<T extends Member> implements Iterable<T> {
  #members: T[] = []

  get size(): number { return this.#members.length }

  add(member: T): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Takes a member out; one that is not on it makes no difference. The last member takes its place, so the order is not that of coming. */
  delete(member: T): void {
    if (this.#members[member.place] !== member) return
    const last = this.#members.pop() as T
    if (last === member) return
    this.#members[member.place] = last
    last.place = member.place
  }

  /** Those who are on it now: who comes or goes meanwhile makes no difference. */
  [Symbol.iterator](): Iterator<T> { return [...this.#members][Symbol.iterator]() }
}
