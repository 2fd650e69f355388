/** Claims for devices. */
import type { dra } from '../../../api/index.ts'
import type { Strategy, StrategyEnvironment } from '../../strategy.ts'
import { unchanged } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { ofStatus, statusErrors, withoutFreed } from './claim-status.ts'
import { claimDefaults, claimSpec } from './claims.ts'
import { claimReady } from './expressions.ts'
import { adminRequests, statusPermissions } from './permissions.ts'

function state({ metadata, status }: dra.ResourceClaim): string {
  const words = [
    ...(metadata.deletionTimestamp ? ['deleted'] : []),
    ...(status.allocation ? ['allocated'] : []),
    ...(status.reservedFor?.length ? ['reserved'] : []),
  ]
  return status.allocation || metadata.deletionTimestamp ? words.join(',') : 'pending'
}

export const resourceclaims = ({ client }: StrategyEnvironment): Strategy<dra.ResourceClaim> => ({
  counted: false,
  default: (claim) => within(claim, 'spec', claimDefaults),
  ready: ({ spec }) => claimReady(spec),
  validate: (claim, root) => claimSpec(root.at('spec'), claim.spec),
  validateUpdate: (next, current, root) => unchanged(root.at('spec'), next.spec, current.spec),
  prepareForStatusUpdate: (next, current) => withoutFreed(ofStatus(next, current), current),
  validateStatusUpdate: statusErrors,
  consult: (next, current, ctx) => {
    if (!current) return adminRequests(client, next.spec.devices.requests, next.metadata.namespace ?? '')
    return ctx.subresource === 'status' ? statusPermissions(client, next, current, ctx) : undefined
  },
  printer: printer<dra.ResourceClaim>(nameColumn, text('State', 'Whether it has its devices.', state), ageColumn),
})
