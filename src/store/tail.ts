/** The newest changes, kept in memory: watchers that keep up are served from here, those that fall behind read the disk. */
import type { Change, ChangeBatch } from './store.ts'

const most = { changes: 10_000, bytes: 8 * 2 ** 20 }

export interface Tail {
  /** Adds transactions, in order; each revision has exactly one. */
  add(batches: readonly ChangeBatch[]): void
  /** The changes from a revision on, about `limit` of them; undefined when that revision is not held any more. */
  read(from: number, limit: number): ChangeBatch | undefined
  /** Lets go of what is older than a revision. */
  forget(before: number): void
}

const weight = (batch: ChangeBatch) => batch.changes.reduce((sum, c) => sum + c.entry.value.length, 0)

export function createTail(): Tail {
  let batches: ChangeBatch[] = []
  let start = 0
  let changes = 0
  let bytes = 0

  const drop = () => {
    const oldest = batches[start++]!
    changes -= oldest.changes.length
    bytes -= weight(oldest)
    if (start > 1024 && start * 2 > batches.length) {
      batches = batches.slice(start)
      start = 0
    }
  }

  return {
    add(added) {
      for (const batch of added) {
        batches.push(batch)
        changes += batch.changes.length
        bytes += weight(batch)
      }
      while (start < batches.length && (changes > most.changes || bytes > most.bytes)) drop()
    },
    read(from, limit) {
      const first = batches[start]?.revision
      if (first === undefined || from < first) return undefined
      const found: Change[] = []
      let revision = from
      for (let i = start + from - first; i < batches.length && found.length < limit; i++) {
        for (const change of batches[i]!.changes) found.push(change)
        revision = batches[i]!.revision
      }
      return { revision, changes: found }
    },
    forget(before) {
      while (start < batches.length && batches[start]!.revision < before) drop()
    },
  }
}
