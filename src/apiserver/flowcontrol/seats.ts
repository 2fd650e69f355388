/**
 * How many seats a priority level has: its share of all, what of it others may use meanwhile, and what it may use of theirs.
 * The rules are those of https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#request-management.
 */
import type { flowcontrol } from '../../api/index.ts'

export interface Limits {
  /** Its share of all seats. */
  readonly nominal: number
  /** What it keeps however busy the others are. */
  readonly min: number
  /** What it has at most, with what others lend. */
  readonly max: number
}

export interface Claim extends Limits {
  /** How many seats its requests would have taken lately. */
  readonly demand: number
}

const percent = (of: number, share: number): number => Math.round((of * share) / 100)

const sharesOf = ({ exempt, limited }: flowcontrol.PriorityLevelConfigurationSpec): number =>
  limited ? (limited.nominalConcurrencyShares ?? 30) : (exempt?.nominalConcurrencyShares ?? 0)

/** The limits of each level when `total` seats are to be shared, in the order of `specs`. */
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

/** The fraction of what it asked for that every level gets, so that all together get about `total`. */
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
 * What each level may use now: everybody gets the same fraction of what it asked for, but never less than its minimum nor more than its
 * maximum. What nobody asks for is spread the same way, so that a sudden need finds room.
 */
export const distribute = (claims: readonly Claim[], fraction: number): readonly number[] => claims.map((claim) => Math.max(1, Math.round(within(claim, fraction * targetOf(claim)))))
