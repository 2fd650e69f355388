/** Volume attributes classes. */
import type { storage } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { parameters, qualifiedDriver } from './parameters.ts'

const isDefault = 'volumeattributesclass.alpha.kubernetes.io/is-default-class'

function validate(value: storage.VolumeAttributesClass, root: Place): void {
  qualifiedDriver(root.at('driverName'), value.driverName)
  parameters(root.at('parameters'), value.parameters)
  if (Object.keys(value.parameters ?? {}).length === 0) root.at('parameters').required('must contain at least one key/value pair')
}

function validateUpdate(next: storage.VolumeAttributesClass, current: storage.VolumeAttributesClass, root: Place): void {
  if (next.driverName !== current.driverName) root.at('driverName').forbidden('updates to driverName are forbidden.')
  if (!deepEqual(next.parameters, current.parameters)) root.at('parameters').forbidden('updates to parameters are forbidden.')
}

export const volumeattributesclasses: Strategy<storage.VolumeAttributesClass> = {
  validate,
  validateUpdate: (next, current, root) => {
    validateUpdate(next, current, root)
    validate(next, root)
  },
  printer: printer<storage.VolumeAttributesClass>(
    { ...nameColumn, cell: (o) => `${o.metadata.name ?? ''}${o.metadata.annotations?.[isDefault] === 'true' ? ' (default)' : ''}` },
    text('DriverName', 'The driver whose volumes it is for.', (o) => o.driverName),
    ageColumn,
  ),
}
