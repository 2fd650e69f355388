/** Storage classes. */
import type { storage } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, oneOfThese, unchanged, type Check } from '../checks.ts'
import { orDefault } from '../defaulting.ts'
import { ageColumn, nameColumn, orUnset, printer, text } from '../printing.ts'

const isDefault = ({ metadata }: storage.StorageClass): boolean =>
  ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some((key) => metadata.annotations?.[key] === 'true')

function* validate(value: storage.StorageClass): Check {
  if (!value.provisioner) yield path('provisioner').required(value.provisioner)
  else yield* follows(path('provisioner'), value.provisioner.toLowerCase(), qualifiedName)
  for (const key of Object.keys(value.parameters ?? {})) if (key === '') yield path('parameters').invalid(key, 'field can not be empty.')
  yield* oneOfThese(path('reclaimPolicy'), value.reclaimPolicy, ['Delete', 'Retain'])
  yield* oneOfThese(path('volumeBindingMode'), value.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'])
}

/** What volumes were made by stays: a class says how those that exist came to be. */
function* validateUpdate(next: storage.StorageClass, current: storage.StorageClass): Check {
  yield* validate(next)
  for (const name of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
    if (!deepEqual(next[name] ?? {}, current[name] ?? {})) yield path(name).forbidden(`updates to ${name} are forbidden.`)
  }
  yield* unchanged(path('volumeBindingMode'), next.volumeBindingMode, current.volumeBindingMode)
}

export const storageclasses: Strategy<storage.StorageClass> = {
  default: (object) => orDefault(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validateUpdate(next, current)],
  printer: printer<storage.StorageClass>(
    { ...nameColumn, cell: (o) => `${o.metadata.name ?? ''}${isDefault(o as storage.StorageClass) ? ' (default)' : ''}` },
    text('Provisioner', 'Who makes its volumes.', (o) => o.provisioner),
    text('ReclaimPolicy', 'What becomes of its volumes when their claims are gone.', (o) => o.reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', 'When volumes are made and bound.', (o) => orUnset(o.volumeBindingMode)),
    text('AllowVolumeExpansion', 'Whether its volumes can grow.', (o) => String(o.allowVolumeExpansion ?? false)),
    ageColumn,
  ),
}
