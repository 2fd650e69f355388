/** Service accounts. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

/** Of the secrets it names, an account keeps the names. */
const onlyNames = (account: core.ServiceAccount): core.ServiceAccount =>
  (account.secrets ? { ...account, secrets: account.secrets.map(({ name }) => (name === undefined ? {} : { name })) } : account)

export const serviceaccounts: Strategy<core.ServiceAccount> = {
  prepareForCreate: onlyNames,
  prepareForUpdate: onlyNames,
  printer: printer<core.ServiceAccount>(
    nameColumn,
    text('Secrets', 'How many secrets it names.', (o) => (o.secrets ?? []).length),
    ageColumn,
  ),
}
