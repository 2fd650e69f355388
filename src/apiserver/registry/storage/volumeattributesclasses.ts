/** Volume attributes classes. */
import type { storage } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import type { Check } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { parameters, qualifiedDriver } from './parameters.ts'

const isDefault = 'volumeattributesclass.alpha.kubernetes.io/is-default-class'

function* validate(value: storage.VolumeAttributesClass): Check {
  yield* qualifiedDriver(path('driverName'), value.driverName)
  yield* parameters(path('parameters'), value.parameters)
  if (Object.keys(value.parameters ?? {}).length === 0) yield path('parameters').required('must contain at least one key/value pair')
}

function* validateUpdate(next: storage.VolumeAttributesClass, current: storage.VolumeAttributesClass): Check {
  if (next.driverName !== current.driverName) yield path('driverName').forbidden('updates to driverName are forbidden.')
  if (!deepEqual(next.parameters, current.parameters)) yield path('parameters').forbidden('updates to parameters are forbidden.')
}

export const volumeattributesclasses: Strategy<storage.VolumeAttributesClass> = {
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validateUpdate(next, current), ...validate(next)],
  printer: printer<storage.VolumeAttributesClass>(
    { ...nameColumn, cell: (o) => `${o.metadata.name ?? ''}${o.metadata.annotations?.[isDefault] === 'true' ? ' (default)' : ''}` },
    text('DriverName', 'The driver whose volumes it is for.', (o) => o.driverName),
    ageColumn,
  ),
}
