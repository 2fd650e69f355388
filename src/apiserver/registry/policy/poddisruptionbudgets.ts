/** Pod disruption budgets. */
import type { policy } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { pathSegmentName } from '../../../machinery/names.ts'
import { countOrPercent } from '../apps/template.ts'
import type { Strategy } from '../../strategy.ts'
import { conditions, ifThere, notNegative, selector, type Check } from '../checks.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'

const orNA = (value: number | string | undefined): string => (value === undefined ? 'N/A' : String(value))

function* spec(at: Path, value: policy.PodDisruptionBudgetSpec): Check {
  if (value.minAvailable !== undefined && value.maxUnavailable !== undefined) yield at.invalid(value, 'minAvailable and maxUnavailable cannot be both set')
  yield* countOrPercent(at.at('minAvailable'), value.minAvailable)
  yield* countOrPercent(at.at('maxUnavailable'), value.maxUnavailable)
  yield* selector(at.at('selector'), value.selector)
  yield* ifThere(at.at('unhealthyPodEvictionPolicy'), value.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget'])
}

function* status(at: Path, value: policy.PodDisruptionBudgetStatus): Check {
  yield* conditions(at.at('conditions'), value.conditions)
  for (const name of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) yield* notNegative(at.at(name), value[name])
}

export const poddisruptionbudgets: Strategy<policy.PodDisruptionBudget> = {
  unconditionalUpdate: false,
  validateName: pathSegmentName,
  validateStatusUpdate: (next) => [...status(path('status'), next.status)],
  validate: (budget) => [...spec(path('spec'), budget.spec)],
  printer: printer<policy.PodDisruptionBudget>(
    nameColumn,
    text('Min Available', 'Pods that must stay.', (o) => orNA(o.spec.minAvailable)),
    text('Max Unavailable', 'Pods that may be away at a time.', (o) => orNA(o.spec.maxUnavailable)),
    integer('Allowed Disruptions', 'Pods that may be evicted now.', (o) => o.status.disruptionsAllowed),
    ageColumn,
  ),
}
