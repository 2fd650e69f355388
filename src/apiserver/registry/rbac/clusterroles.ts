/** Cluster roles. */
import type { rbac } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, selector } from '../checks.ts'
import { ruleErrors, validateName } from './rules.ts'

function validate(role: rbac.ClusterRole, root: Place): void {
  ruleErrors(role.rules, false, root)
  const selectors = role.aggregationRule?.clusterRoleSelectors
  const at = root.at('aggregationRule').at('clusterRoleSelectors')
  if (role.aggregationRule && !selectors?.length) at.required('at least one clusterRoleSelector required if aggregationRule is non-nil')
  forEach(at, selectors, (value, place) => {
    const before = place.said
    selector(place, value)
    if (place.said > before) place.invalid(null, 'invalid label selector.')
  })
}

export const clusterroles: Strategy<rbac.ClusterRole> = { createOnUpdate: true, validateName, validate, validateUpdate: (next, _current, root) => validate(next, root), printer: printer<rbac.ClusterRole>(nameColumn, createdAtColumn) }
