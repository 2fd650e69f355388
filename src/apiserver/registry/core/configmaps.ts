/** Config maps. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const configMapPrinter = printer<core.ConfigMap>(
  nameColumn,
  text('Data', 'How many entries it holds.', (o) => Object.keys(o.data ?? {}).length + Object.keys(o.binaryData ?? {}).length),
  ageColumn,
)

export const configmaps: Strategy<core.ConfigMap> = { printer: configMapPrinter }
