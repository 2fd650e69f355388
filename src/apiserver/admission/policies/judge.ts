/** What a validating policy says of one request with one set of parameters. */
import type { CelValue } from '../../../machinery/cel/index.ts'
import { conditionsHold } from './conditions.ts'
import { conditionsBudget, createEvaluation, ExpressionFailure, OutOfBudget, policyBudget, type Evaluation } from './evaluate.ts'
import type { CompiledPolicy } from './validating.ts'

export interface Denial { readonly message: string; readonly reason?: string | undefined; readonly index: number }

export interface Verdict {
  readonly denials: readonly Denial[]
  readonly annotations: readonly { readonly key: string; readonly value: string }[]
  /** Audit annotations that could not be made: always a refusal where failures count. */
  readonly failures: readonly string[]
}

const nothing: Verdict = { denials: [], annotations: [], failures: [] }
const longestMessage = 5 * 1024

/** `strict`: what fails denies. Throws `Pending` when an answer is to be waited for. */
export function judge(compiled: CompiledPolicy, values: Readonly<Record<string, unknown>>, strict: boolean): Verdict {
  const { cel, conditions, variables, validations, annotations } = compiled
  if (conditions.length > 0) {
    const outcome = attempt(() => conditionsHold(createEvaluation(cel, values, [], conditionsBudget), conditions))
    if (outcome instanceof ExpressionFailure) return strict ? { ...nothing, denials: [{ message: outcome.message, index: 0 }] } : nothing
    if (!outcome) return nothing
  }
  const evaluation = createEvaluation(cel, values, variables, policyBudget)
  const denials: Denial[] = []
  for (const [index, { validation, expression, message }] of validations.entries()) {
    const outcome = attempt(() => evaluation.run(expression))
    if (outcome instanceof ExpressionFailure) {
      if (strict) denials.push({ message: outcome.message, index })
      if (outcome instanceof OutOfBudget) break
    } else if (outcome !== true) {
      const text = message && evaluatedMessage(() => evaluation.run(message))
      denials.push({ message: text || validation.message?.trim() || `failed expression: ${validation.expression.trim()}`, reason: validation.reason, index })
    }
  }
  return { denials, ...annotate(createEvaluation(cel, values, variables, policyBudget), annotations, strict) }
}

/** The value, or the failure; what is neither is thrown on. */
function attempt<T>(run: () => T): T | ExpressionFailure {
  try {
    return run()
  } catch (error) {
    if (error instanceof ExpressionFailure) return error
    throw error
  }
}

/** A message that was computed; empty when it is none that can be shown. */
function evaluatedMessage(run: () => CelValue): string {
  const outcome = attempt(run)
  const text = typeof outcome === 'string' ? outcome.trim() : ''
  return Buffer.byteLength(text) > longestMessage || text.includes('\n') ? '' : text
}

function annotate(evaluation: Evaluation, list: CompiledPolicy['annotations'], strict: boolean): Pick<Verdict, 'annotations' | 'failures'> {
  const annotations: { key: string; value: string }[] = []
  const failures: string[] = []
  for (const { key, value } of list) {
    const outcome = attempt(() => evaluation.run(value))
    if (outcome instanceof ExpressionFailure) {
      if (strict) failures.push(outcome.message)
    } else if (typeof outcome === 'string') {
      if (outcome.trim()) annotations.push({ key, value: outcome.trim() })
    } else if (outcome !== null) {
      failures.push(`valueExpression '${value.source}' resulted in unsupported return type: ${typeof outcome}. Return type must be either string or null.`)
    }
  }
  return { annotations, failures }
}
