/** Namespaces. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const namespacePrinter = printer<core.Namespace>(
  nameColumn,
  text('Status', 'Active, or Terminating while its contents are being deleted.', (o) => o.status.phase ?? ''),
  ageColumn,
)

export const namespaces: Strategy<core.Namespace> = { printer: namespacePrinter }
