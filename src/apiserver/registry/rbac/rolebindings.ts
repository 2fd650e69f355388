/** Role bindings. */
import type { rbac } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { bindingErrors, bindingPrinter, sameRole, validateName, withGroups } from './rules.ts'

export const rolebindings: Strategy<rbac.RoleBinding> = {
  default: withGroups,
  createOnUpdate: true,
  validateName,
  validate: (binding, root) => bindingErrors(binding, true, root),
  validateUpdate: (next, current, root) => {
    bindingErrors(next, true, root)
    sameRole(next, current, root)
  },
  printer: bindingPrinter,
}
