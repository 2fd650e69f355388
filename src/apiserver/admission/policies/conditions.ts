/** Match conditions: whether a webhook, or a policy, is meant at all. */
import { ExpressionFailure, type Evaluation } from './evaluate.ts'
import type { NamedExpression } from './compile.ts'

/**
 * Whether all conditions hold. One that is false decides, whatever fails; otherwise failures are thrown together as `ExpressionFailure`.
 */
export function conditionsHold(evaluation: Evaluation, conditions: readonly NamedExpression[]): boolean {
  const failures: string[] = []
  for (const { compiled } of conditions) {
    try {
      if (evaluation.run(compiled) === false) return false
    } catch (error) {
      if (!(error instanceof ExpressionFailure)) throw error
      failures.push(error.message)
    }
  }
  if (failures.length > 0) throw new ExpressionFailure(failures.length === 1 ? failures[0] : `[${failures.join(', ')}]`)
  return true
}
