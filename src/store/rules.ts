/** What every store holds to, whatever it keeps its bytes in. */
import { CompactedError, FutureRevisionError } from './store.ts'
import type { Transaction } from './store.ts'

/** An empty store is at this revision (0 has a meaning of its own in Kubernetes: "any"). */
export const firstRevision = 1

/** Writes in one transaction: far beyond what a request can hold. */
export const maxWrites = 65_535
/** Bytes of a key: what lmdb can hold with room to spare; Kubernetes's longest has less than half. */
const maxKeyBytes = 1900

/** The store was closed under the caller's feet. */
export class StoreClosedError extends Error {
  constructor() {
    super('the store is closed')
    this.name = 'StoreClosedError'
  }
}

/** Throws a `TypeError` for transactions that mean nothing: a key written twice, an empty key, too many writes. */
export function checkTransaction({ writes }: Transaction): void {
  if (writes.length > maxWrites) throw new TypeError(`a transaction may hold at most ${maxWrites} writes, not ${writes.length}`)
  if (writes.some((w) => w.key === '' || w.key.includes('\0'))) throw new TypeError('a key must not be empty or contain a null character')
  if (writes.some((w) => w.key.length * 3 > maxKeyBytes && Buffer.byteLength(w.key) > maxKeyBytes)) throw new TypeError(`a key may have at most ${maxKeyBytes} bytes`)
  if (writes.length > 1 && new Set(writes.map((w) => w.key)).size < writes.length) throw new TypeError('a transaction may write each key only once')
}

/** The revision to read at, when `wanted` was asked for: the newest when nothing was. Throws `CompactedError`, `FutureRevisionError`. */
export function checkReadable(wanted: number | undefined, newest: number, compacted: number): number {
  if (wanted === undefined) return newest
  if (wanted < compacted) throw new CompactedError(compacted)
  if (wanted > newest) throw new FutureRevisionError(wanted, newest)
  return wanted
}
