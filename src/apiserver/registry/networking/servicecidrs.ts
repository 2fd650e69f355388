/** Service CIDRs: the ranges of service addresses. */
import type { networking } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { parseCIDR } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { strictBlock } from '../addresses.ts'
import { follows, forEach, unchanged, type Check } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

function* validate({ spec }: networking.ServiceCIDR): Check {
  const at = path('spec').at('cidrs')
  const cidrs = spec.cidrs ?? []
  if (cidrs.length === 0) return yield at.required('at least one CIDR required')
  if (cidrs.length > 2) yield at.invalid(cidrs, 'may only hold up to 2 values')
  yield* forEach(at, cidrs, (value, place) => follows(place, value, strictBlock))
  const families = cidrs.map((value) => parseCIDR(value)?.family)
  if (cidrs.length === 2 && families[0] !== undefined && families[0] === families[1]) yield at.invalid(cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64')
}

/** Ranges stay as they are; one of a single family may get a second, of the other. */
function* validateUpdate(next: networking.ServiceCIDR, current: networking.ServiceCIDR): Check {
  const at = path('spec').at('cidrs')
  const is = next.spec.cidrs ?? []
  const was = current.spec.cidrs ?? []
  if (is.length === was.length) {
    for (const [i, value] of is.entries()) yield* unchanged(at.index(i), value, was[i])
    return
  }
  if (was.length !== 1 || is.length !== 2) return yield at.invalid(is, 'field is immutable')
  yield* unchanged(at.index(0), is[0], was[0])
  yield* validate(next)
}

export const servicecidrs: Strategy<networking.ServiceCIDR> = {
  counted: false,
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validateUpdate(next, current)],
  printer: printer<networking.ServiceCIDR>(nameColumn, text('CIDRs', 'The ranges, in CIDR notation.', (o) => (o.spec.cidrs ?? []).join(',')), ageColumn),
}
