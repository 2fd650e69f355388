import { fill, int32, microTime, opt, root, string, struct, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const LeaseSpec = struct('LeaseSpec', {
  holderIdentity: opt(1, string),
  leaseDurationSeconds: opt(2, int32),
  acquireTime: opt(3, microTime),
  renewTime: opt(4, microTime),
  leaseTransitions: opt(5, int32),
  strategy: opt(6, string, { gate: 'CoordinatedLeaderElection' }),
  preferredHolder: opt(7, string, { gate: 'CoordinatedLeaderElection' }),
})
export interface LeaseSpec extends Of<typeof LeaseSpec> {}

export const Lease = root('Lease', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, LeaseSpec),
})
export interface Lease extends Of<typeof Lease> {}

const gv = groupVersion('coordination.k8s.io', 'v1')

export const leases = gv.resource(Lease, { plural: 'leases', namespaced: true })
