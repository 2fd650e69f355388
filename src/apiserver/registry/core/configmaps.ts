/** Config maps. */
import type { core } from '../../../api/index.ts'
import { path, type FieldError } from '../../../machinery/field.ts'
import { configMapKey } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, type Check } from '../checks.ts'
import { frozen, maxDataBytes, sizeOf, wholeObject } from './data.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const configMapPrinter = printer<core.ConfigMap>(
  nameColumn,
  text('Data', 'How many entries it holds.', (o) => Object.keys(o.data ?? {}).length + Object.keys(o.binaryData ?? {}).length),
  ageColumn,
)

function* validate(map: core.ConfigMap): Check {
  const { data = {}, binaryData = {} } = map
  for (const key of Object.keys(data)) {
    yield* follows(path('data').key(key), key, configMapKey)
    if (Object.hasOwn(binaryData, key)) yield path('data').key(key).invalid(key, 'duplicate of key present in binaryData')
  }
  for (const key of Object.keys(binaryData)) yield* follows(path('binaryData').key(key), key, configMapKey)
  if (sizeOf(data, binaryData) > maxDataBytes) yield wholeObject.tooLong(maxDataBytes)
}

const validateUpdate = (next: core.ConfigMap, current: core.ConfigMap): FieldError[] => [
  ...frozen(next, current, ['data', 'binaryData']),
  ...validate(next),
]

export const configmaps: Strategy<core.ConfigMap> = {
  validate: (map) => [...validate(map)],
  validateUpdate,
  printer: configMapPrinter,
}
