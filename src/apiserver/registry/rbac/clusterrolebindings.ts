/** Cluster role bindings. */
import type { rbac } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { bindingErrors, bindingPrinter, sameRole, validateName, withGroups } from './rules.ts'

export const clusterrolebindings: Strategy<rbac.ClusterRoleBinding> = {
  default: withGroups,
  createOnUpdate: true,
  validateName,
  validate: (binding, root) => bindingErrors(binding, false, root),
  validateUpdate: (next, current, root) => {
    bindingErrors(next, false, root)
    sameRole(next, current, root)
  },
  printer: bindingPrinter,
}
