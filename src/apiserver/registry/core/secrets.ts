/** Secrets. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const secretPrinter = printer<core.Secret>(
  nameColumn,
  text('Type', 'What the secret is for.', (o) => o.type ?? ''),
  text('Data', 'How many entries it holds.', (o) => Object.keys(o.data ?? {}).length),
  ageColumn,
)

export const secrets: Strategy<core.Secret> = { printer: secretPrinter }
