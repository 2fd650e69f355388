/** Cluster roles. */
import type { rbac } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, selector } from '../checks.ts'
import { ruleErrors, validateName } from './rules.ts'

function validate(role: rbac.ClusterRole) {
  const selectors = role.aggregationRule?.clusterRoleSelectors
  const at = path('aggregationRule').at('clusterRoleSelectors')
  const errors = role.aggregationRule && !selectors?.length ? [at.required('at least one clusterRoleSelector required if aggregationRule is non-nil')] : [...forEach(at, selectors, (value, place) => selector(place, value))]
  return [...ruleErrors(role.rules, false), ...errors]
}

export const clusterroles: Strategy<rbac.ClusterRole> = { createOnUpdate: true, validateName, validate, validateUpdate: validate, printer: printer<rbac.ClusterRole>(nameColumn, createdAtColumn) }
