/**
 * How many seats a priority level has: its share, what it lends, and what it borrows.
 * The rules are those of https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#request-management.
 */
import type { flowcontrol } from '../../api/index.ts'

export interface Limits {
  /** Its share of all seats (nominal concurrency limit). */
  readonly nominal: number
  /** What it never lends. */
  readonly min: number
  /** The maximum, with borrowed seats. */
  readonly max: number
}

export interface Claim extends Limits {
  /** Its recent seat demand. */
  readonly demand: number
}

const percent = (of: number, share: number): number => Math.round((of * share) / 100)

const sharesOf = ({ exempt, limited }: flowcontrol.PriorityLevelConfigurationSpec): number =>
  limited ? (limited.nominalConcurrencyShares ?? 30) : (exempt?.nominalConcurrencyShares ?? 0)

/** The limits of each level when `total` seats are shared, in the order of `specs`. */
export function limitsOf(specs: readonly flowcontrol.PriorityLevelConfigurationSpec[], total: number): readonly Limits[] {
  const sum = specs.reduce((all, spec) => all + sharesOf(spec), 0)
  return specs.map((spec) => {
    const nominal = sum === 0 ? 0 : Math.ceil((total * sharesOf(spec)) / sum)
    const lendable = percent(nominal, (spec.limited ?? spec.exempt)?.lendablePercent ?? 0)
    const borrowed = spec.limited?.borrowingLimitPercent
    return { nominal, min: nominal - lendable, max: borrowed === undefined ? Math.max(total, nominal) : nominal + percent(nominal, borrowed) }
  })
}

const within = ({ min, max }: Claim, wanted: number): number => Math.min(max, Math.max(min, wanted))
const targetOf = ({ min, demand }: Claim): number => Math.max(min, demand, 1)

/** The fraction of its target that every level gets, so that the sum is about `total`. */
export function fairFraction(claims: readonly Claim[], total: number): number {
  const given = (fraction: number) => claims.reduce((all, claim) => all + within(claim, fraction * targetOf(claim)), 0)
  let low = 0
  let high = Math.max(1, total)
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (given(middle) < total) low = middle
    else high = middle
  }
  return high
}

/**
 * Each level's current limit: the same fraction of its target for all, within its minimum and maximum. Seats that are not in demand
 * are spread the same way, so that there is room for a sudden need.
 */
export const distribute = (claims: readonly Claim[], fraction: number): readonly number[] => claims.map((claim) => Math.max(1, Math.round(within(claim, fraction * targetOf(claim)))))
