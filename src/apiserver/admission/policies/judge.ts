/** What a validating policy says of one request with one set of parameters. */
import type { CelValue } from '../../../machinery/cel/index.ts'
import { conditionsHold } from './conditions.ts'
import { conditionsBudget, createEvaluation, ExpressionFailure, OutOfBudget, policyBudget, type Evaluation } from './evaluate.ts'
import type { PolicyError } from '../metrics.ts'
import type { CompiledPolicy } from './validating.ts'

export interface Denial {
  readonly message: string
  readonly reason?: string | undefined
  readonly index: number
  /** What the metrics say of it. */
  readonly error: PolicyError
  readonly seconds: number
}

export interface Verdict {
  readonly denials: readonly Denial[]
  /** What failed and was let pass by the policy's failure policy. */
  readonly ignored: readonly Denial[]
  readonly annotations: readonly { readonly key: string; readonly value: string }[]
  /** Audit annotations that could not be made: always a refusal where failures count. */
  readonly failures: readonly Denial[]
}

const nothing: Verdict = { denials: [], ignored: [], annotations: [], failures: [] }
const longestMessage = 5 * 1024

/** `strict`: what fails denies. Throws `Pending` when an answer is to be waited for. */
export function judge(compiled: CompiledPolicy, values: Readonly<Record<string, unknown>>, strict: boolean): Verdict {
  const { cel, variables, annotations } = compiled
  const denials: Denial[] = []
  const ignored: Denial[] = []
  const fails = (failure: ExpressionFailure, index: number, seconds: number): void =>
    void (strict ? denials : ignored).push({ message: failure.message, index, error: errorOf(failure), seconds })
  const evaluation = createEvaluation(cel, values, variables, policyBudget)
  for (const [index, { validation, expression, message }] of compiled.validations.entries()) {
    const begun = performance.now()
    const outcome = attempt(() => evaluation.run(expression))
    const seconds = (performance.now() - begun) / 1000
    if (outcome instanceof OutOfBudget) return failedWhole(outcome, strict)
    if (outcome instanceof ExpressionFailure) fails(outcome, index, seconds)
    else if (outcome !== true) {
      const text = message && evaluatedMessage(() => evaluation.run(message))
      if (text instanceof OutOfBudget) fails(new ExpressionFailure(`failed messageExpression: ${text.message}`), index, seconds)
      else denials.push({ message: text || validation.message?.trim() || `failed expression: ${validation.expression.trim()}`, reason: validation.reason, index, error: 'invalid_error', seconds })
    }
  }
  const noted = annotate(createEvaluation(cel, values, variables, policyBudget), annotations, strict)
  return noted instanceof OutOfBudget ? failedWhole(noted, strict) : { denials, ignored, ...noted }
}

/** How the metrics call what an expression failed of. */
export const errorOf = (failure: { readonly message: string }): PolicyError =>
  failure instanceof OutOfBudget ? 'out_of_budget' : failure.message.startsWith('compilation') ? 'compile_error' : 'invalid_error'

/** Whether the policy's conditions let it judge at all. Throws `ExpressionFailure`, and `Pending`. */
export function conditionsOf({ cel, conditions }: CompiledPolicy, values: Readonly<Record<string, unknown>>, failures: string[]): boolean {
  return conditionsHold(createEvaluation(cel, values, [], conditionsBudget), conditions, failures)
}

/** The verdict where a failure is all there is to say: of the conditions, or of a budget that is spent. */
export function failedWhole(failure: ExpressionFailure, strict: boolean): Verdict {
  const only = [{ message: failure.message, index: 0, error: errorOf(failure), seconds: 0 }]
  return strict ? { ...nothing, denials: only } : { ...nothing, ignored: only }
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
function evaluatedMessage(run: () => CelValue): string | OutOfBudget {
  const outcome = attempt(run)
  if (outcome instanceof OutOfBudget) return outcome
  const text = typeof outcome === 'string' ? outcome.trim() : ''
  return Buffer.byteLength(text) > longestMessage || text.includes('\n') ? '' : text
}

function annotate(evaluation: Evaluation, list: CompiledPolicy['annotations'], strict: boolean): Pick<Verdict, 'annotations' | 'failures'> | OutOfBudget {
  const annotations: { key: string; value: string }[] = []
  const failures: Denial[] = []
  for (const [index, { key, value }] of list.entries()) {
    const begun = performance.now()
    const outcome = attempt(() => evaluation.run(value))
    const fails = (message: string, error: PolicyError) => void failures.push({ message, index, error, seconds: (performance.now() - begun) / 1000 })
    if (outcome instanceof OutOfBudget) return outcome
    if (outcome instanceof ExpressionFailure) {
      if (strict) fails(outcome.message, errorOf(outcome))
    } else if (typeof outcome === 'string') {
      if (outcome.trim()) annotations.push({ key, value: outcome.trim() })
    } else if (outcome !== null) {
      fails(`valueExpression '${value.source}' resulted in unsupported return type: ${typeof outcome}. Return type must be either string or null.`, 'invalid_error')
    }
  }
  return { annotations, failures }
}
