/** The tables of the families in use: owners declare their parts, and one loop writes them to the kernel. */
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import { run as runCommand } from '../host/run.ts'
import type { Family } from './family.ts'
import { createLedger, type Fragment, type Transaction } from './ledger.ts'

export interface TablesOptions {
  readonly name: string
  readonly families: readonly Family[]
  readonly clock: Clock
  readonly log: Logger
  /** Runs `nft -f -` with the script; replaced in tests. */
  readonly apply?: (script: string) => Promise<void>
}

/** Computes an owner's part when the loop gets to it, so that a burst of changes costs one computation. */
export type PartOf = (family: Family) => Fragment | undefined

export interface Tables {
  /** The owner's part may have changed. `part` is called before the next write. */
  touch(owner: string, part: PartOf): void
  /** Nothing is written before this is called: at a restart, the old rules stay until all parts are known. */
  begin(): void
  /** Resolves when everything touched so far is in the kernel. Rejects when the kernel refuses the whole table. */
  flush(): Promise<void>
  /** Called after each write, with the owners whose parts were in it. */
  onWritten(listener: (owners: readonly string[]) => void): void
  stop(): Promise<void>
}

/** How long to wait for more changes before writing: a rollout comes as a burst. */
const gatherMs = 10
const retryMs = (failures: number) => Math.min(30_000, 500 * 2 ** failures)

const nft = async (script: string): Promise<void> => void (await runCommand('nft', ['-f', '-'], { input: `${script}\n` }))

export function createTables(options: TablesOptions): Tables {
  const { clock, log, families, name, apply = nft } = options
  const ledgers = new Map(families.map((family) => [family, createLedger(family.table, name)]))
  const pending = new Map<string, PartOf>()
  const listeners: ((owners: readonly string[]) => void)[] = []
  let begun = false
  let whole = true
  let failures = 0
  let stopped = false
  let timer: { cancel(): void } | undefined
  let writing: Promise<void> = Promise.resolve()

  function schedule(ms: number): void {
    if (!begun || stopped || timer) return
    timer = clock.after(ms, () => {
      timer = undefined
      write().catch(() => {}) // logged in `write`, which has also scheduled the next attempt
    })
  }

  /** One write at a time, in the order of the calls. */
  function write(): Promise<void> {
    const mine = writing.then(once)
    writing = mine.catch(() => {}) // the caller gets the error; the next write goes on
    return mine
  }

  async function once(): Promise<void> {
    if (stopped || (pending.size === 0 && !whole)) return
    const owners = [...pending.keys()]
    for (const [owner, part] of pending) for (const [family, ledger] of ledgers) ledger.stage(owner, part(family))
    pending.clear()
    if (!whole && (await attempt([...ledgers.values()].map((ledger) => ledger.take())))) return done(owners)
    // At the start, and after a refused difference (somebody changed the table), the whole table is written.
    whole = true
    if (!(await attempt([...ledgers.values()].map((ledger) => ledger.rebuild())))) {
      schedule(retryMs(failures++))
      throw new Error('the kernel refused the nftables rules; the reason is in the log')
    }
    whole = false
    done(owners)
  }

  async function attempt(transactions: readonly (Transaction | undefined)[]): Promise<boolean> {
    const some = transactions.filter((t) => t !== undefined)
    if (some.length === 0) return true
    const started = clock.now()
    try {
      await apply(some.map((t) => t.script).join('\n'))
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.message.slice(0, 2000) : String(error) }, 'nftables refused a change')
      return false
    }
    for (const t of some) t.commit()
    log.debug({ ms: clock.now() - started, lines: some.reduce((n, t) => n + t.script.split('\n').length, 0) }, 'nftables written')
    return true
  }

  function done(owners: readonly string[]): void {
    failures = 0
    for (const listener of listeners) listener(owners)
    if (pending.size > 0) schedule(gatherMs)
  }

  return {
    touch(owner, part) {
      pending.set(owner, part)
      schedule(gatherMs)
    },
    begin() {
      begun = true
      schedule(0)
    },
    flush: write,
    onWritten: (listener) => void listeners.push(listener),
    async stop() {
      stopped = true
      timer?.cancel()
      await writing
    },
  }
}
