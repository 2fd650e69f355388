/** Leases. */
import type { coordination } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, ifThere, notNegative } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

function validate({ spec }: coordination.Lease, root: Place): void {
  const at = root.at('spec')
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) at.at('leaseDurationSeconds').invalid(spec.leaseDurationSeconds, 'must be greater than 0')
  notNegative(at.at('leaseTransitions'), spec.leaseTransitions)
  const { strategy } = spec
  // Of the fields that clients are told, this one has its own name in it twice.
  const place = at.at('strategy').at('strategy')
  if (strategy?.includes('/')) follows(place, strategy, qualifiedName)
  else ifThere(place, strategy, ['OldestEmulationVersion'])
  if (spec.preferredHolder && !spec.strategy) at.at('preferredHolder').forbidden('may only be specified if `strategy` is defined')
}

/** Coordinated leader election is behind a gate that is closed: what is only for it is not taken, and stays where it is already. */
function withoutElection(lease: coordination.Lease, current?: coordination.Lease): coordination.Lease {
  const { strategy, preferredHolder, ...spec } = lease.spec
  if (strategy === undefined && preferredHolder === undefined) return lease
  return { ...lease, spec: { ...spec, ...(current?.spec.strategy !== undefined && { strategy }), ...(current?.spec.preferredHolder !== undefined && { preferredHolder }) } }
}

export const leases: Strategy<coordination.Lease> = {
  anyFinalizers: true,
  createOnUpdate: true,
  unconditionalUpdate: false,
  counted: false,
  prepareForCreate: (lease) => withoutElection(lease),
  prepareForUpdate: withoutElection,
  validate,
  printer: printer<coordination.Lease>(nameColumn, text('Holder', 'Who has it.', (o) => o.spec.holderIdentity ?? ''), ageColumn),
}
