/** Claims for devices. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, named, unchanged } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { atMost, claimDefaults, claimSpec } from './claims.ts'

function state({ metadata, status }: dra.ResourceClaim): string {
  const words = [
    ...(metadata.deletionTimestamp ? ['deleted'] : []),
    ...(status.allocation ? ['allocated'] : []),
    ...(status.reservedFor?.length ? ['reserved'] : []),
  ]
  return status.allocation || metadata.deletionTimestamp ? words.join(',') : 'pending'
}

/** Who may use the devices, once they are there; which ones they are does not change. */
function statusErrors(next: dra.ResourceClaim, current: dra.ResourceClaim, root: Place): void {
  const at = root.at('status')
  const { reservedFor, allocation } = next.status
  const place = at.at('reservedFor')
  atMost(place, reservedFor, 256, (consumer, here) => {
    for (const name of ['resource', 'name', 'uid'] as const) named(here.at(name), consumer[name])
  })
  distinct(place, reservedFor, ({ uid }) => uid)
  if (reservedFor?.length) {
    const isNew = reservedFor.some(({ uid }) => !current.status.reservedFor?.some((other) => other.uid === uid))
    if (!allocation) place.forbidden('may not be specified when `allocated` is not set')
    else if (next.metadata.deletionTimestamp && isNew) place.forbidden('new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set')
  }
  if (allocation && current.status.allocation) unchanged(at.at('allocation'), allocation, current.status.allocation)
}

export const resourceclaims: Strategy<dra.ResourceClaim> = {
  counted: false,
  default: (claim) => within(claim, 'spec', claimDefaults),
  validate: (claim, root) => claimSpec(root.at('spec'), claim.spec),
  validateUpdate: (next, current, root) => unchanged(root.at('spec'), next.spec, current.spec),
  validateStatusUpdate: statusErrors,
  printer: printer<dra.ResourceClaim>(nameColumn, text('State', 'Whether it has its devices.', state), ageColumn),
}
