/** Cluster role bindings. */
import type { rbac } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { bindingErrors, bindingPrinter, sameRole, validateName, withGroups } from './rules.ts'

export const clusterrolebindings: Strategy<rbac.ClusterRoleBinding> = {
  default: withGroups,
  createOnUpdate: true,
  validateName,
  validate: (binding) => bindingErrors(binding, false),
  validateUpdate: (next, current) => [...bindingErrors(next, false), ...sameRole(next, current)],
  printer: bindingPrinter,
}
