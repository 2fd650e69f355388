/** CSI drivers. */
import type { storage } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, ifThere, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, boolean, nameColumn, orUnset, printer, text } from '../printing.ts'

const withDefaults = (driver: storage.CSIDriver): storage.CSIDriver => within(driver, 'spec', (spec) => orDefault(spec, {
  attachRequired: true, podInfoOnMount: false, storageCapacity: false, fsGroupPolicy: 'ReadWriteOnceWithFSType', volumeLifecycleModes: ['Persistent'], requiresRepublish: false, seLinuxMount: false,
}))

function* spec(at: Path, value: storage.CSIDriverSpec): Check {
  if (value.attachRequired === undefined) yield at.at('attachRequired').required()
  if (value.podInfoOnMount === undefined) yield at.at('podInfoOnMount').required()
  yield* forEach(at.at('volumeLifecycleModes'), value.volumeLifecycleModes, (mode, place) => ifThere(place, mode, ['Ephemeral', 'Persistent']))
  yield* ifThere(at.at('fsGroupPolicy'), value.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'])
  yield* forEach(at.at('tokenRequests'), value.tokenRequests, function* (request, place) {
    const seconds = request.expirationSeconds
    if (seconds !== undefined && seconds < 600) yield place.at('expirationSeconds').invalid(seconds, 'may not specify a duration less than 10 minutes')
  })
  yield* distinct(at.at('tokenRequests'), value.tokenRequests, (request) => request.audience, 'audience')
  const period = value.nodeAllocatableUpdatePeriodSeconds
  if (period !== undefined && period < 10) yield at.at('nodeAllocatableUpdatePeriodSeconds').invalid(period, 'must be greater than or equal to 10 seconds')
}

const fixed = ['attachRequired', 'volumeLifecycleModes'] as const

function* validateUpdate(next: storage.CSIDriver, current: storage.CSIDriver): Check {
  yield* spec(path('spec'), next.spec)
  for (const name of fixed) {
    if (!deepEqual(next.spec[name], current.spec[name])) yield path('spec').at(name).invalid(next.spec[name] ?? null, 'field is immutable')
  }
}

const shown = (value: boolean | undefined): boolean => value ?? false

export const csidrivers: Strategy<storage.CSIDriver> = {
  default: withDefaults,
  unconditionalUpdate: false,
  validateName: (name) => (name.length > 63 ? ['must be no more than 63 bytes'] : /^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$/.test(name) ? []
    : ["a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"]),
  validate: (driver) => [...spec(path('spec'), driver.spec)],
  validateUpdate: (next, current) => [...validateUpdate(next, current)],
  printer: printer<storage.CSIDriver>(
    nameColumn,
    boolean('AttachRequired', 'Whether its volumes must be attached to a node first.', (o) => shown(o.spec.attachRequired)),
    boolean('PodInfoOnMount', 'Whether it is told which pod mounts a volume.', (o) => shown(o.spec.podInfoOnMount)),
    boolean('StorageCapacity', 'Whether it says how much room it has.', (o) => shown(o.spec.storageCapacity)),
    text('TokenRequests', 'Audiences of the tokens it is given.', (o) => orUnset((o.spec.tokenRequests ?? []).map((r) => r.audience).join(','))),
    boolean('RequiresRepublish', 'Whether mounts are refreshed.', (o) => shown(o.spec.requiresRepublish)),
    text('Modes', 'How long its volumes live.', (o) => (o.spec.volumeLifecycleModes ?? []).join(',') || '<none>'),
    ageColumn,
  ),
}
