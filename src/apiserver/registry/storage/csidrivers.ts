/** CSI drivers. */
import type { storage } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, ifThere, unchanged } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, boolean, nameColumn, printer, text } from '../printing.ts'

const withDefaults = (driver: storage.CSIDriver): storage.CSIDriver => within(driver, 'spec', (spec) => orDefault(spec, {
  attachRequired: true, podInfoOnMount: false, storageCapacity: false, fsGroupPolicy: 'ReadWriteOnceWithFSType', volumeLifecycleModes: ['Persistent'], requiresRepublish: false, seLinuxMount: false,
}))

function spec(at: Place, value: storage.CSIDriverSpec): void {
  ifThere(at.at('fsGroupPolicy'), value.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'])
  forEach(at.at('tokenRequests'), value.tokenRequests, (request, place) => {
    // No audience is one like others: that of the server.
    if (value.tokenRequests?.find(({ audience }) => audience === request.audience) !== request) return place.at('audience').duplicate(request.audience)
    const seconds = request.expirationSeconds
    if (seconds !== undefined && seconds < 600) place.at('expirationSeconds').invalid(seconds, 'may not specify a duration less than 10 minutes')
    if (seconds !== undefined && seconds > 2 ** 32) place.at('expirationSeconds').invalid(seconds, 'may not specify a duration larger than 2^32 seconds')
  })
  for (const mode of value.volumeLifecycleModes ?? []) ifThere(at.at('volumeLifecycleModes'), mode, ['Persistent', 'Ephemeral'])
  const period = value.nodeAllocatableUpdatePeriodSeconds
  if (period !== undefined && period < 10) at.at('nodeAllocatableUpdatePeriodSeconds').invalid(period, 'must be greater than or equal to 10 seconds')
  const handed = value.serviceAccountTokenInSecrets
  if (handed !== undefined && !value.tokenRequests?.length) at.at('serviceAccountTokenInSecrets').invalid(handed, 'serviceAccountTokenInSecrets is set but no tokenRequests are specified')
}

function validateUpdate(next: storage.CSIDriver, current: storage.CSIDriver, root: Place): void {
  spec(root.at('spec'), next.spec)
  // Clients know the first by this name.
  unchanged(root.at('spec').at('attachedRequired'), next.spec.attachRequired, current.spec.attachRequired)
  unchanged(root.at('spec').at('volumeLifecycleModes'), next.spec.volumeLifecycleModes, current.spec.volumeLifecycleModes)
}

const shown = (value: boolean | undefined): boolean => value ?? false

export const csidrivers: Strategy<storage.CSIDriver> = {
  default: withDefaults,
  unconditionalUpdate: false,
  validate: (driver, root) => spec(root.at('spec'), driver.spec),
  validateUpdate,
  printer: printer<storage.CSIDriver>(
    nameColumn,
    boolean('AttachRequired', 'Whether its volumes must be attached to a node first.', (o) => shown(o.spec.attachRequired)),
    boolean('PodInfoOnMount', 'Whether it is told which pod mounts a volume.', (o) => shown(o.spec.podInfoOnMount)),
    boolean('StorageCapacity', 'Whether it says how much room it has.', (o) => shown(o.spec.storageCapacity)),
    text('TokenRequests', 'Audiences of the tokens it is given.', (o) => (o.spec.tokenRequests?.length ? o.spec.tokenRequests.map((r) => r.audience).join(',') : '<unset>')),
    boolean('RequiresRepublish', 'Whether mounts are refreshed.', (o) => shown(o.spec.requiresRepublish)),
    text('Modes', 'How long its volumes live.', (o) => (o.spec.volumeLifecycleModes ?? []).join(',') || '<none>'),
    ageColumn,
  ),
}
