import { fill, int32, microTime, opt, root, string, struct, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const LeaseSpec = struct('LeaseSpec', {
  holderIdentity: opt(1, string, 'Who has it.'),
  leaseDurationSeconds: opt(2, int32, 'How long it is good after it was renewed.'),
  acquireTime: opt(3, microTime, 'Since when.'),
  renewTime: opt(4, microTime, 'When it was last renewed.'),
  leaseTransitions: opt(5, int32, 'How often it changed hands.'),
  strategy: opt(6, string, { doc: 'How the holder is chosen.', gate: 'CoordinatedLeaderElection' }),
  preferredHolder: opt(7, string, { doc: 'Who should take over.', gate: 'CoordinatedLeaderElection' }),
}, 'Who has a lease.')
export interface LeaseSpec extends Of<typeof LeaseSpec> {}

export const Lease = root('Lease', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, LeaseSpec, 'Who has it.'),
}, 'Who is in charge of something, and until when.')
export interface Lease extends Of<typeof Lease> {}

const gv = groupVersion('coordination.k8s.io', 'v1')

export const leases = gv.resource(Lease, { plural: 'leases', namespaced: true })
