/** Claims for devices. */
import type { dra } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { unchanged } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { claimDefaults, claimSpec } from './claims.ts'

function state({ metadata, status }: dra.ResourceClaim): string {
  const words = [
    ...(metadata.deletionTimestamp ? ['deleted'] : []),
    ...(status.allocation ? ['allocated'] : []),
    ...(status.reservedFor?.length ? ['reserved'] : []),
  ]
  return status.allocation || metadata.deletionTimestamp ? words.join(',') : 'pending'
}

export const resourceclaims: Strategy<dra.ResourceClaim> = {
  counted: false,
  default: (claim) => within(claim, 'spec', claimDefaults),
  validate: (claim) => [...claimSpec(path('spec'), claim.spec)],
  validateUpdate: (next, current) => [...unchanged(path('spec'), next.spec, current.spec)],
  printer: printer<dra.ResourceClaim>(nameColumn, text('State', 'Whether it has its devices.', state), ageColumn),
}
