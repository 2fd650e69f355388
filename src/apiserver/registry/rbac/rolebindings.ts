/** Role bindings. */
import type { rbac } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { bindingErrors, bindingPrinter, sameRole, validateName, withGroups } from './rules.ts'

export const rolebindings: Strategy<rbac.RoleBinding> = {
  default: withGroups,
  createOnUpdate: true,
  validateName,
  validate: (binding) => bindingErrors(binding, true),
  validateUpdate: (next, current) => [...bindingErrors(next, true), ...sameRole(next, current)],
  printer: bindingPrinter,
}
