/** Claims for devices. */
import type { dra } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, named, unchanged, type Check } from '../checks.ts'
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
function* statusErrors(next: dra.ResourceClaim, current: dra.ResourceClaim): Check {
  const at = path('status')
  const { reservedFor, allocation } = next.status
  const place = at.at('reservedFor')
  yield* atMost(place, reservedFor, 256, function* (consumer, here) {
    for (const name of ['resource', 'name', 'uid'] as const) yield* named(here.at(name), consumer[name])
  })
  yield* distinct(place, reservedFor, ({ uid }) => uid)
  if (reservedFor?.length) {
    const isNew = reservedFor.some(({ uid }) => !current.status.reservedFor?.some((other) => other.uid === uid))
    if (!allocation) yield place.forbidden('may not be specified when `allocated` is not set')
    else if (next.metadata.deletionTimestamp && isNew) yield place.forbidden('new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set')
  }
  if (allocation && current.status.allocation) yield* unchanged(at.at('allocation'), allocation, current.status.allocation)
}

export const resourceclaims: Strategy<dra.ResourceClaim> = {
  counted: false,
  default: (claim) => within(claim, 'spec', claimDefaults),
  validate: (claim) => [...claimSpec(path('spec'), claim.spec)],
  validateUpdate: (next, current) => [...unchanged(path('spec'), next.spec, current.spec)],
  validateStatusUpdate: (next, current) => [...statusErrors(next, current)],
  printer: printer<dra.ResourceClaim>(nameColumn, text('State', 'Whether it has its devices.', state), ageColumn),
}
