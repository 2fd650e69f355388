/** Service accounts. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

export const serviceaccounts: Strategy<core.ServiceAccount> = {
  printer: printer<core.ServiceAccount>(
    nameColumn,
    text('Secrets', 'How many secrets it names.', (o) => (o.secrets ?? []).length),
    ageColumn,
  ),
}
