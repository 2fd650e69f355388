/** Match conditions: whether a webhook, or a policy, is meant at all. */
import { ExpressionFailure, OutOfBudget, type Evaluation } from './evaluate.ts'
import type { NamedExpression } from './compile.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { AdmissionMetrics, ConditionPlace } from '../metrics.ts'

/**
 * Whether all conditions hold. One that is false decides, whatever fails; otherwise failures are thrown together as `ExpressionFailure`. Who
 * runs out of budget is not asked further. What failed is in `failures`, too.
 */
export function conditionsHold(evaluation: Evaluation, conditions: readonly NamedExpression[], failures: string[] = []): boolean {
  failures.length = 0
  for (const { compiled } of conditions) {
    try {
      if (evaluation.run(compiled) === false) return false
    } catch (error) {
      if (!(error instanceof ExpressionFailure) || error instanceof OutOfBudget) throw error
      failures.push(error.message)
    }
  }
  const different = [...new Set(failures)]
  if (different.length > 0) throw new ExpressionFailure(different.length === 1 ? different[0] : `[${different.join(', ')}]`)
  return true
}

/** The same, counted. Policies count no exclusions, as Kubernetes does not. */
export async function timedConditions(metrics: AdmissionMetrics, place: ConditionPlace, operation: AdmissionAttributes['operation'], evaluate: (failures: string[]) => Promise<boolean>): Promise<boolean> {
  const begun = performance.now()
  const failures: string[] = []
  const count = (failed: number, excluded: boolean) => metrics.conditions(place, operation, (performance.now() - begun) / 1000, failed, excluded && place.kind === 'webhook')
  try {
    const hold = await evaluate(failures)
    count(failures.length, !hold)
    return hold
  } catch (error) {
    if (error instanceof ExpressionFailure) count(failures.length, false)
    throw error
  }
}
