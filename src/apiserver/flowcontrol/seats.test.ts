import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { flowcontrol } from '../../api/index.ts'
import { dealHand } from './hand.ts'
import { mandatoryLevels, suggestedLevels } from './objects.ts'
import { distribute, fairFraction, limitsOf } from './seats.ts'

const specs = [...mandatoryLevels, ...suggestedLevels].map(({ spec }) => spec as unknown as flowcontrol.PriorityLevelConfigurationSpec)
const names = [...mandatoryLevels, ...suggestedLevels].map(({ name }) => name)

it('gives each level its share of the seats, and lends what it may', () => {
  const limits = Object.fromEntries(limitsOf(specs, 600).map((limit, i) => [names[i], limit]))
  expect(limits).toMatchObject({
    'exempt': { nominal: 0, min: 0 },
    'catch-all': { nominal: 13, min: 13 },
    'system': { nominal: 74, min: 50 },
    'node-high': { nominal: 98, min: 73 },
    'leader-election': { nominal: 25, min: 25 },
    'workload-high': { nominal: 98, min: 49 },
    'workload-low': { nominal: 245, min: 24 },
    'global-default': { nominal: 49, min: 24 },
  })
})

it('lets nobody borrow more than the level says', () => {
  const spec = { type: 'Limited', limited: { nominalConcurrencyShares: 10, lendablePercent: 0, borrowingLimitPercent: 50, limitResponse: { type: 'Reject' } } } as flowcontrol.PriorityLevelConfigurationSpec
  expect(limitsOf([spec], 100)[0]).toEqual({ nominal: 100, min: 100, max: 150 })
})

it('takes from the idle and gives to the busy, within their limits', () => {
  const claims = limitsOf(specs, 600).map((limits, i) => ({ ...limits, demand: names[i] === 'global-default' ? 500 : 0 }))
  const current = distribute(claims, fairFraction(claims, 600))
  expect(current[names.indexOf('global-default')]).toBeGreaterThan(300)
  expect(current[names.indexOf('workload-low')]).toBe(24)
})

it('never gives a level less than its minimum or more than its maximum', () => {
  const claim = fc.record({ nominal: fc.nat(300), lend: fc.nat(100), borrow: fc.nat(300), demand: fc.nat(1000) })
    .map(({ nominal, lend, borrow, demand }) => ({ nominal, min: Math.max(0, nominal - lend), max: nominal + borrow, demand }))
  fc.assert(fc.property(fc.array(claim, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 2000 }), (claims, total) => {
    distribute(claims, fairFraction(claims, total)).forEach((seats, i) => {
      const { min, max } = claims[i]!
      expect(seats).toBeGreaterThanOrEqual(Math.max(1, Math.min(min, max)))
      expect(seats).toBeLessThanOrEqual(Math.max(1, max))
    })
  }))
})

it('deals a flow the same few queues each time, and different flows different ones', () => {
  const hands = Array.from({ length: 200 }, (_, i) => dealHand(`global-default/user-${i}`, 128, 6))
  for (const hand of hands) {
    expect(new Set(hand).size).toBe(6)
    expect(hand.every((queue) => queue >= 0 && queue < 128)).toBe(true)
  }
  expect(dealHand('global-default/user-3', 128, 6)).toEqual(hands[3])
  expect(new Set(hands.map((hand) => hand.toSorted().join())).size).toBe(200)
  const used = new Set(hands.flat())
  expect(used.size).toBeGreaterThan(120)
  expect(dealHand('x', 4, 4).toSorted()).toEqual([0, 1, 2, 3])
})
