/** Match conditions: whether a webhook, or a policy, is meant at all. */
import { ExpressionFailure, OutOfBudget, type Evaluation } from './evaluate.ts'
import type { NamedExpression } from './compile.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { AdmissionMetrics, ConditionPlace } from '../metrics.ts'

/** Conditions that failed: all of them, with the words for all. */
class ConditionsFailure extends ExpressionFailure {
  readonly failures: number
  constructor(messages: readonly string[]) {
    const different = [...new Set(messages)]
    super(different.length === 1 ? different[0] : `[${different.join(', ')}]`)
    this.failures = messages.length
  }
}

/**
 * Whether all conditions hold. One that is false decides, whatever fails; otherwise failures are thrown together as `ExpressionFailure`. Who
 * runs out of budget is not asked further.
 */
export function conditionsHold(evaluation: Evaluation, conditions: readonly NamedExpression[]): boolean {
  const failures: string[] = []
  for (const { compiled } of conditions) {
    try {
      if (evaluation.run(compiled) === false) return false
    } catch (error) {
      if (!(error instanceof ExpressionFailure) || error instanceof OutOfBudget) throw error
      failures.push(error.message)
    }
  }
  if (failures.length > 0) throw new ConditionsFailure(failures)
  return true
}

/** The same, counted. Policies count no exclusions, as Kubernetes does not. */
export async function timedConditions(metrics: AdmissionMetrics, place: ConditionPlace, operation: AdmissionAttributes['operation'], evaluate: () => Promise<boolean>): Promise<boolean> {
  const begun = performance.now()
  const count = (failed: number, excluded: boolean) => metrics.conditions(place, operation, (performance.now() - begun) / 1000, failed, excluded && place.kind === 'webhook')
  try {
    const hold = await evaluate()
    count(0, !hold)
    return hold
  } catch (error) {
    if (error instanceof ExpressionFailure) count(error instanceof ConditionsFailure ? error.failures : 0, false)
    throw error
  }
}
