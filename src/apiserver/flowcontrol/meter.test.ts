import { expect, it } from 'vitest'
import { Meter } from './meter.ts'

const nothing = { seats: 0, executing: 0, waiting: 0, waitingSeats: 0 }
const whole = { current: 10, limits: { nominal: 5, min: 5, max: 10 }, places: 100 }
const inBucket = ({ bounds, buckets }: { readonly bounds: readonly number[]; readonly buckets: readonly number[] }, le: number) => buckets[bounds.indexOf(le)]

it('counts the nanoseconds for which each ratio held', () => {
  const meter = new Meter()
  meter.pass(nothing, 1000)
  meter.pass(nothing, 1100)
  meter.pass({ seats: 5, executing: 2, waiting: 30, waitingSeats: 10 }, 1200)
  meter.pass(nothing, 1400)
  const { seats, executing, waiting, demand } = meter.ratios(whole)
  expect([inBucket(seats, 0), inBucket(seats, 0.5)]).toEqual([300e6, 100e6])
  expect([inBucket(executing, 0), inBucket(executing, 0.25)]).toEqual([300e6, 100e6])
  expect([inBucket(waiting, 0), inBucket(waiting, 0.5)]).toEqual([300e6, 100e6])
  expect([inBucket(demand, 0.2), inBucket(demand, 4)]).toEqual([300e6, 100e6])
  expect([seats.sum, demand.sum]).toEqual([0.5 * 100e6, 3 * 100e6])
})

it('counts whole nanoseconds, as readers of histograms expect', () => {
  const meter = new Meter()
  meter.pass(nothing, 0)
  for (let i = 1; i <= 7; i++) meter.pass({ ...nothing, seats: i % 3 }, i / 3)
  for (const { buckets } of Object.values(meter.ratios(whole))) for (const count of buckets) expect(Number.isInteger(count)).toBe(true)
})

it('measures each time by what there was then', () => {
  const meter = new Meter()
  meter.pass(nothing, 0)
  meter.pass({ ...nothing, seats: 5 }, 10)
  expect(inBucket(meter.ratios(whole).seats, 0.5)).toBe(10e6)
  meter.pass({ ...nothing, seats: 5 }, 20)
  const { seats } = meter.ratios({ ...whole, current: 5 })
  expect([inBucket(seats, 0.5), inBucket(seats, 1)]).toEqual([10e6, 10e6])
  meter.pass({ ...nothing, seats: 30 }, 30)
  expect(meter.ratios(whole).seats.buckets.at(-1)).toBe(10e6)
})

it('knows the average and the deviation of what was wanted since it was last asked', () => {
  const meter = new Meter()
  expect(meter.demand()).toEqual({ average: 0, deviation: 0 })
  meter.pass(nothing, 0)
  meter.pass({ ...nothing, seats: 2 }, 50)
  meter.pass({ ...nothing, seats: 2, waitingSeats: 2 }, 100)
  expect(meter.demand()).toEqual({ average: 3, deviation: 1 })
  // A clock that stands, or goes back, changes nothing.
  meter.pass({ ...nothing, seats: 9 }, 100)
  meter.pass({ ...nothing, seats: 9 }, 90)
  expect(meter.demand()).toEqual({ average: 0, deviation: 0 })
})
