/** Service accounts. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

/** Of the secrets it names, an account keeps the names. */
const onlyNames = (account: core.ServiceAccount): core.ServiceAccount =>
  (account.secrets ? { ...account, secrets: account.secrets.map(({ name }) => (name === undefined ? {} : { name })) } : account)

const enforced = 'kubernetes.io/enforce-mountable-secrets'
const enforces = ({ metadata }: core.ServiceAccount): boolean => Object.hasOwn(metadata.annotations ?? {}, enforced)

/** Said when the annotation comes, and not again as long as it stays. */
const warnings = (account: core.ServiceAccount, current?: core.ServiceAccount): readonly string[] =>
  (enforces(account) && !(current && enforces(current)) ? [`metadata.annotations[${enforced}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`] : [])

export const serviceaccounts: Strategy<core.ServiceAccount> = {
  prepareForCreate: onlyNames,
  prepareForUpdate: onlyNames,
  warnings,
  printer: printer<core.ServiceAccount>(
    nameColumn,
    text('Secrets', 'How many secrets it names.', (o) => (o.secrets ?? []).length),
    ageColumn,
  ),
}
