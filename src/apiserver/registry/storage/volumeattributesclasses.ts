/** Volume attributes classes. */
import type { storage } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { named, unchanged, type Check } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const isDefault = 'volumeattributesclass.alpha.kubernetes.io/is-default-class'

function* validate(value: storage.VolumeAttributesClass): Check {
  yield* named(path('driverName'), value.driverName)
  if (Object.keys(value.parameters ?? {}).length === 0) yield path('parameters').required('must contain at least one key/value pair')
}

function* validateUpdate(next: storage.VolumeAttributesClass, current: storage.VolumeAttributesClass): Check {
  yield* unchanged(path('driverName'), next.driverName, current.driverName)
  if (!deepEqual(next.parameters, current.parameters)) yield path('parameters').forbidden('updates to parameters are forbidden.')
}

export const volumeattributesclasses: Strategy<storage.VolumeAttributesClass> = {
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validate(next), ...validateUpdate(next, current)],
  printer: printer<storage.VolumeAttributesClass>(
    { ...nameColumn, cell: (o) => `${o.metadata.name ?? ''}${o.metadata.annotations?.[isDefault] === 'true' ? ' (default)' : ''}` },
    text('DriverName', 'The driver whose volumes it is for.', (o) => o.driverName),
    ageColumn,
  ),
}
