/** Leases: keys that vanish unless somebody renews. This is the book-keeping both stores share; they write the deletions themselves. */
import type { Clock, Timer } from '../machinery/clock.ts'

/** The lease named was never granted, or has ended. */
export class LeaseNotFoundError extends Error {
  readonly lease: number
  constructor(lease: number) {
    super(`lease ${lease} does not exist`)
    this.name = 'LeaseNotFoundError'
    this.lease = lease
  }
}

export interface Lease {
  readonly seconds: number
  /** Milliseconds since the epoch. */
  readonly expires: number
}

export interface Leases {
  has(lease: number): boolean
  get(lease: number): Lease | undefined
  set(lease: number, value: Lease): void
  drop(lease: number): void
  /** Ties a key to a lease (0: to none) and unties it from the one it had. */
  attach(key: string, lease: number): void
  keysOf(lease: number): readonly string[]
  stop(): void
}

/** Leases ending close together are ended together: the timer's grain, in milliseconds. */
const grain = 200

/** Calls `expired` with the leases whose time is up; the store then removes their keys and drops them. */
export function createLeases(clock: Clock, expired: (leases: readonly number[]) => void): Leases {
  const leases = new Map<number, Lease>()
  const keys = new Map<number, Set<string>>()
  const leaseOf = new Map<string, number>()
  let timer: Timer | undefined
  let due = Infinity

  const check = () => {
    timer = undefined
    due = Infinity
    const now = clock.now()
    const over = [...leases].filter(([, l]) => l.expires <= now).map(([id]) => id)
    const next = [...leases.values()].reduce((min, l) => (l.expires > now ? Math.min(min, l.expires) : min), Infinity)
    if (next < Infinity) schedule(next)
    if (over.length) expired(over)
  }
  const schedule = (at: number) => {
    if (at >= due) return
    timer?.cancel()
    due = at
    timer = clock.after(Math.max(grain, at - clock.now()), check)
  }

  return {
    has: (lease) => leases.has(lease),
    get: (lease) => leases.get(lease),
    set(lease, value) {
      leases.set(lease, value)
      schedule(value.expires)
    },
    drop(lease) {
      leases.delete(lease)
      for (const key of keys.get(lease) ?? []) leaseOf.delete(key)
      keys.delete(lease)
    },
    attach(key, lease) {
      const before = leaseOf.get(key) ?? 0
      if (before === lease) return
      if (before) keys.get(before)?.delete(key)
      if (!lease) return void leaseOf.delete(key)
      leaseOf.set(key, lease)
      const set = keys.get(lease) ?? new Set()
      keys.set(lease, set.add(key))
    },
    keysOf: (lease) => [...(keys.get(lease) ?? [])],
    stop: () => timer?.cancel(),
  }
}
