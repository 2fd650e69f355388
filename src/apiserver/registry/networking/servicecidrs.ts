/** Service CIDRs: the ranges of service addresses. */
import type { networking } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { parseCIDR } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { strictBlock } from '../addresses.ts'
import { follows, forEach, unchanged } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

function validate({ spec }: networking.ServiceCIDR, root: Place): void {
  const at = root.at('spec').at('cidrs')
  const cidrs = spec.cidrs ?? []
  if (cidrs.length === 0) return at.required('at least one CIDR required')
  if (cidrs.length > 2) at.invalid(cidrs, 'may only hold up to 2 values')
  forEach(at, cidrs, (value, place) => follows(place, value, strictBlock))
  const families = cidrs.map((value) => parseCIDR(value)?.family)
  if (cidrs.length === 2 && families[0] !== undefined && families[0] === families[1]) at.invalid(cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64')
}

/** Ranges stay as they are; one of a single family may get a second, of the other. */
function validateUpdate(next: networking.ServiceCIDR, current: networking.ServiceCIDR, root: Place): void {
  const at = root.at('spec').at('cidrs')
  const is = next.spec.cidrs ?? []
  const was = current.spec.cidrs ?? []
  if (is.length === was.length) {
    for (const [i, value] of is.entries()) unchanged(at.index(i), value, was[i])
    return
  }
  if (was.length !== 1 || is.length !== 2) return at.invalid(is, 'field is immutable')
  unchanged(at.index(0), is[0], was[0])
  validate(next, root)
}

export const servicecidrs: Strategy<networking.ServiceCIDR> = {
  counted: false,
  validate,
  validateUpdate,
  printer: printer<networking.ServiceCIDR>(nameColumn, text('CIDRs', 'The ranges, in CIDR notation.', (o) => (o.spec.cidrs ?? []).join(',')), ageColumn),
}
