/** Config maps. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { configMapKey } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows } from '../checks.ts'
import { frozen, maxDataBytes, sizeOf, wholeObject } from './data.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const configMapPrinter = printer<core.ConfigMap>(
  nameColumn,
  text('Data', 'How many entries it holds.', (o) => Object.keys(o.data ?? {}).length + Object.keys(o.binaryData ?? {}).length),
  ageColumn,
)

function validate(map: core.ConfigMap, root: Place): void {
  const { data = {}, binaryData = {} } = map
  for (const key of Object.keys(data)) {
    follows(root.at('data').key(key), key, configMapKey)
    if (Object.hasOwn(binaryData, key)) root.at('data').key(key).invalid(key, 'duplicate of key present in binaryData')
  }
  for (const key of Object.keys(binaryData)) follows(root.at('binaryData').key(key), key, configMapKey)
  if (sizeOf(data, binaryData) > maxDataBytes) wholeObject(root).tooLong(maxDataBytes)
}

function validateUpdate(next: core.ConfigMap, current: core.ConfigMap, root: Place): void {
  frozen(next, current, ['data', 'binaryData'], root)
  validate(next, root)
}

export const configmaps: Strategy<core.ConfigMap> = {
  validate,
  validateUpdate,
  printer: configMapPrinter,
}
