/**
 * A level's usage over time. Kubernetes counts the nanoseconds that a ratio spent in each bucket. Here time is summed up by absolute amounts, which
 * costs a request a few additions, and turned into ratios when the limits change or the metrics are read.
 */
import type { Level } from './level.ts'

/** Time by ratio: nanoseconds in each bucket (the last is +Inf), and the sum of ratio × nanoseconds. */
export interface RatioTime { readonly bounds: readonly number[]; readonly buckets: number[]; sum: number }

export interface Meters {
  /** Seats in use, of the level's current limit. */
  readonly seats: RatioTime
  /** Requests in progress, of the same. */
  readonly executing: RatioTime
  /** Waiting requests, of the capacity of its queues. */
  readonly waiting: RatioTime
  /** Seat demand, of its nominal share. */
  readonly demand: RatioTime
}

/** Milliseconds, average and standard deviation of the seats that were wanted, since it was last asked. */
export interface Demand { readonly average: number; readonly deviation: number }

const seatBounds = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]
const requestBounds = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1]
const demandBounds = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6]
const nanoseconds = 1e6

const ratioTime = (bounds: readonly number[]): RatioTime => ({ bounds, buckets: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 })

type Amounts = Pick<Level, 'seats' | 'executing' | 'waiting' | 'waitingSeats'>
/** What the ratios are of. */
export type Whole = Pick<Level, 'current' | 'limits' | 'places'>

export class Meter {
  readonly #time: Readonly<Record<keyof Meters, number[]>> = { seats: [], executing: [], waiting: [], demand: [] }
  readonly #ratios: Meters = { seats: ratioTime(seatBounds), executing: ratioTime(requestBounds), waiting: ratioTime(requestBounds), demand: ratioTime(demandBounds) }
  #last: number | undefined
  #since = 0
  #area = 0
  #squares = 0

  /** Call before any of the amounts changes: they held until `now`, in milliseconds. */
  pass({ seats, executing, waiting, waitingSeats }: Amounts, now: number): void {
    const ms = now - (this.#last ?? now)
    if (this.#last !== undefined && ms <= 0) return
    this.#last = now
    if (ms === 0) return
    const demand = seats + waitingSeats
    const { seats: bySeats, executing: byExecuting, waiting: byWaiting, demand: byDemand } = this.#time
    add(bySeats, seats, ms)
    add(byExecuting, executing, ms)
    add(byWaiting, waiting, ms)
    add(byDemand, demand, ms)
    this.#since += ms
    this.#area += demand * ms
    this.#squares += demand * demand * ms
  }

  /** Turns the sums into ratios of the level's limits. Call before those change. */
  ratios({ current, limits, places }: Whole): Meters {
    const wholes = { seats: current, executing: current, waiting: places, demand: limits.nominal }
    for (const name of Object.keys(wholes) as (keyof Meters)[]) {
      fold(this.#time[name], Math.max(1, wholes[name]), this.#ratios[name])
      this.#time[name].length = 0
    }
    return this.#ratios
  }

  /** Of the time since it was last asked. */
  demand(): Demand {
    const average = this.#since === 0 ? 0 : this.#area / this.#since
    const deviation = this.#since === 0 ? 0 : Math.sqrt(Math.max(0, this.#squares / this.#since - average * average))
    this.#since = this.#area = this.#squares = 0
    return { average, deviation }
  }
}

function add(to: number[], amount: number, ms: number): void {
  while (to.length <= amount) to.push(0)
  to[amount]! += ms
}

function fold(time: readonly number[], whole: number, into: RatioTime): void {
  for (const [amount, ms] of time.entries()) {
    if (ms === 0) continue
    const ratio = amount / whole
    const held = Math.round(ms * nanoseconds)
    const at = into.bounds.findIndex((bound) => ratio <= bound)
    into.buckets[at < 0 ? into.bounds.length : at]! += held
    into.sum += ratio * held
  }
}
