/** The key space in memory: for tests, and for clusters that are to forget. Same rules as on disk, held to them by the same tests. */
import { systemClock } from '../machinery/clock.ts'
import type { Clock } from '../machinery/clock.ts'
import { createNews, follow } from './follow.ts'
import type { History } from './follow.ts'
import { LeaseNotFoundError, createLeases } from './leases.ts'
import { StoreClosedError, checkReadable, checkTransaction, firstRevision } from './rules.ts'
import type { Change, ChangeBatch, Commit, Entry, Store, Transaction, Write } from './store.ts'
import { createVersions } from './versions.ts'

export interface MemoryStoreOptions {
  /** Decides when leases end. */
  readonly clock?: Clock
}

/** The state and what changes it; `createMemoryStore` puts the `Store` interface in front. */
function createSpace(clock: Clock) {
  const versions = createVersions()
  const news = createNews()
  const leases = createLeases(clock, (over) => over.forEach((lease) => end(lease)))
  let log: ChangeBatch[] = []
  let revision = firstRevision
  let compacted = firstRevision

  const write = (w: Write, to: number): Change | undefined => {
    const previous = versions.newest(w.key)
    if (w.op === 'delete' && !previous) return undefined
    const value = w.op === 'put' ? w.value : new Uint8Array(0)
    const entry: Entry = { key: w.key, value, createRevision: previous?.createRevision ?? to, modRevision: to }
    versions.add(entry, w.op === 'delete')
    leases.attach(w.key, w.op === 'put' ? (w.lease ?? 0) : 0)
    return { type: w.op, key: w.key, entry, previous }
  }
  const apply = (writes: readonly Write[]) => {
    const changes = writes.map((w) => write(w, revision + 1)).filter((c) => c !== undefined)
    if (!changes.length) return
    revision++
    log.push({ revision, changes })
    news.publish()
  }
  const end = (lease: number) => {
    const held = leases.keysOf(lease)
    leases.drop(lease)
    apply(held.map((key) => ({ op: 'delete', key })))
  }
  const read = (from: number, limit: number): ChangeBatch => {
    const changes: Change[] = []
    let last = from
    for (let i = from - (log[0]?.revision ?? Infinity); i >= 0 && i < log.length && changes.length < limit; i++) {
      changes.push(...log[i]!.changes)
      last = log[i]!.revision
    }
    return { revision: last, changes }
  }
  const compact = (to: number) => {
    compacted = to
    log = log.filter((b) => b.revision >= to)
    versions.forget(to)
  }
  const history: History = { revision: () => revision, compacted: () => compacted, read, news }
  return { versions, leases, history, apply, end, compact }
}

/** A key space that lives and dies with the process. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const clock = options.clock ?? systemClock
  const { versions, leases, history, apply, end, compact } = createSpace(clock)
  let lastLease = 0

  const open = () => {
    if (history.news.closed) throw new StoreClosedError()
  }
  const readable = (wanted: number | undefined) => {
    open()
    return checkReadable(wanted, history.revision(), history.compacted())
  }
  const leaseOf = (lease: number) => {
    open()
    const found = leases.get(lease)
    if (!found) throw new LeaseNotFoundError(lease)
    return found
  }
  const commit = async (transaction: Transaction): Promise<Commit> => {
    open()
    checkTransaction(transaction)
    const conditions = transaction.conditions ?? []
    const current = conditions.map((c) => versions.newest(c.key))
    if (conditions.some((c, i) => (current[i]?.modRevision ?? 0) !== c.modRevision)) return { committed: false, revision: history.revision(), current }
    for (const w of transaction.writes) if (w.op === 'put' && w.lease) leaseOf(w.lease)
    apply(transaction.writes)
    return { committed: true, revision: history.revision() }
  }

  return {
    commit,
    revision: async () => history.revision(),
    get: async (key, o) => versions.at(key, readable(o?.revision)),
    range: async (prefix, o = {}) => versions.range(prefix, readable(o.revision), o),
    watch(prefix, o) {
      open()
      return follow(history, prefix, o)
    },
    compact: async (to) => compact(readable(to)),
    compacted: async () => history.compacted(),
    async grantLease(seconds) {
      open()
      leases.set(++lastLease, { seconds, expires: clock.now() + seconds * 1000 })
      return lastLease
    },
    async renewLease(lease) {
      const { seconds } = leaseOf(lease)
      leases.set(lease, { seconds, expires: clock.now() + seconds * 1000 })
    },
    async revokeLease(lease) {
      leaseOf(lease)
      end(lease)
    },
    size: async () => 0,
    async close() {
      leases.stop()
      history.news.close()
    },
  }
}
