/** Pod disruption budgets. */
import type { policy } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { pathSegmentName } from '../../../machinery/names.ts'
import { countOrPercent } from '../apps/template.ts'
import type { Strategy } from '../../strategy.ts'
import { conditions, ifThere, notNegative, selector } from '../checks.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'

const orNA = (value: number | string | undefined): string => (value === undefined ? 'N/A' : String(value))

function spec(at: Place, value: policy.PodDisruptionBudgetSpec): void {
  if (value.minAvailable !== undefined && value.maxUnavailable !== undefined) at.invalid(value, 'minAvailable and maxUnavailable cannot be both set')
  countOrPercent(at.at('minAvailable'), value.minAvailable)
  countOrPercent(at.at('maxUnavailable'), value.maxUnavailable)
  selector(at.at('selector'), value.selector)
  ifThere(at.at('unhealthyPodEvictionPolicy'), value.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget'])
}

function status(at: Place, value: policy.PodDisruptionBudgetStatus): void {
  conditions(at.at('conditions'), value.conditions)
  for (const name of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) notNegative(at.at(name), value[name])
}

export const poddisruptionbudgets: Strategy<policy.PodDisruptionBudget> = {
  anyFinalizers: true,
  unconditionalUpdate: false,
  validateName: pathSegmentName,
  validateStatusUpdate: (next, _current, root) => status(root.at('status'), next.status),
  validate: (budget, root) => spec(root.at('spec'), budget.spec),
  printer: printer<policy.PodDisruptionBudget>(
    nameColumn,
    text('Min Available', 'Pods that must stay.', (o) => orNA(o.spec.minAvailable)),
    text('Max Unavailable', 'Pods that may be away at a time.', (o) => orNA(o.spec.maxUnavailable)),
    integer('Allowed Disruptions', 'Pods that may be evicted now.', (o) => o.status.disruptionsAllowed),
    ageColumn,
  ),
}
