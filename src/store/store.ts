/**
 * The key space: everything the cluster remembers. It has the semantics of etcd: one counter (the revision)
 * goes up by one with each committed transaction; each key remembers the revision that created it and the one
 * that last changed it.
 */

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  /** The revision that created the key. */
  readonly createRevision: number
  /** The revision that wrote this value: the object's resourceVersion. */
  readonly modRevision: number
  /** Why the value cannot be decrypted; then `value` is empty. */
  readonly problem?: string
}

/** Holds when the key's last revision is `modRevision`; 0 means that the key must not exist. */
export interface Condition { readonly key: string; readonly modRevision: number }

export type Write =
  | { readonly op: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: number }
  | { readonly op: 'delete'; readonly key: string }

export interface Transaction {
  readonly conditions?: readonly Condition[]
  readonly writes: readonly Write[]
}

export type Commit =
  /** Every condition held; the writes are on disk. */
  | { readonly committed: true; readonly revision: number }
  /** A condition failed and nothing was written. `current` has the present entry for each condition, in order. */
  | { readonly committed: false; readonly revision: number; readonly current: readonly (Entry | undefined)[] }

export interface RangeOptions {
  /** Read as of this revision; default the newest. Throws `CompactedError` when history that old is gone, `FutureRevisionError` when it has not been reached. */
  readonly revision?: number
  readonly limit?: number
  /** Start with the first key after this one. */
  readonly after?: string
  readonly keysOnly?: boolean
  /** Skip counting: `count` is then the number of `entries`. */
  readonly uncounted?: boolean
}

export interface Range {
  readonly entries: readonly Entry[]
  /** The revision the range was read at. */
  readonly revision: number
  readonly more: boolean
  /** How many keys have the prefix (at the read revision), whatever the limit. */
  readonly count: number
}

export interface Change {
  readonly type: 'put' | 'delete'
  readonly key: string
  /** The new entry of a put; of a delete, the key with the revision of the deletion and an empty value. */
  readonly entry: Entry
  /** The entry before, if the store still knows. */
  readonly previous?: Entry | undefined
}

/** The changes of one or more transactions, in order; `revision` is the last one covered, even when `changes` is empty (progress). */
export interface ChangeBatch { readonly revision: number; readonly changes: readonly Change[] }

export interface WatchOptions {
  /** The first revision wanted; default everything after now. Throws `CompactedError` when it is gone. */
  readonly from?: number
  readonly signal?: AbortSignal
}

export interface Store {
  /** The newest committed (durable) revision. */
  revision(): Promise<number>
  get(key: string, options?: { readonly revision?: number }): Promise<Entry | undefined>
  /** Keys with the prefix, in the order of their UTF-8 bytes. */
  range(prefix: string, options?: RangeOptions): Promise<Range>
  /** All or nothing. Resolves only when the result is durable. */
  commit(transaction: Transaction): Promise<Commit>
  /** Changes under the prefix, in order, without gaps, once they are durable. Ends when the signal aborts. */
  watch(prefix: string, options?: WatchOptions): AsyncIterable<ChangeBatch>
  /** Forgets history before this revision; live keys stay. */
  compact(revision: number): Promise<void>
  /** The oldest revision that can still be read or watched from. */
  compacted(): Promise<number>
  /** A lease expires after `seconds` unless renewed; keys put with it are deleted with it. */
  grantLease(seconds: number): Promise<number>
  renewLease(lease: number): Promise<void>
  revokeLease(lease: number): Promise<void>
  /** Whether the key's value is stored in an old form, so that writing the same value again makes sense. Left out: never. */
  stale?(key: string): Promise<boolean>
  /** Bytes on disk (0 for memory). */
  size(): Promise<number>
  close(): Promise<void>
}

/** The revision asked for is older than the history that is kept: the client lists again (HTTP 410). */
export class CompactedError extends Error {
  readonly compacted: number
  constructor(compacted: number) {
    super(`history before revision ${compacted} has been compacted`)
    this.name = 'CompactedError'
    this.compacted = compacted
  }
}

/** The revision asked for has not been reached. */
export class FutureRevisionError extends Error {
  readonly current: number
  constructor(revision: number, current: number) {
    super(`revision ${revision} is in the future; the current one is ${current}`)
    this.name = 'FutureRevisionError'
    this.current = current
  }
}
