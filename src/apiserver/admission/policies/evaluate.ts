/** Evaluating the expressions of one policy about one request: the values of its variables, and one budget for all of them. */
import type { CelProgram, CelValue } from '../../../machinery/cel/index.ts'
import type { Cel } from './cel.ts'
import type { Compiled, NamedExpression } from './compile.ts'

/** What all expressions of a policy may cost together, and all match conditions of a policy or webhook. */
export const policyBudget = 10_000_000
export const conditionsBudget = 2_500_000

/** An expression that failed: the message says which, and how. */
export class ExpressionFailure extends Error {}
/** The budget is spent: no further expression is evaluated. */
export class OutOfBudget extends ExpressionFailure {
  constructor() { super('validation failed due to running out of cost budget, no further validation rules will be run') }
}

/** Thrown through an evaluation that needs an answer which somebody else has to give; it is begun again when the answer is there. */
export class Pending {
  readonly answer: Promise<unknown>
  constructor(answer: Promise<unknown>) { this.answer = answer }
}

export interface Evaluation {
  /** The value of an expression. Throws `ExpressionFailure`, and `Pending`. */
  run(compiled: Compiled): CelValue
}

/** `values` are the variables that all expressions share; `variables` the policy's own, evaluated when they are first asked for. */
export function createEvaluation(cel: Cel, values: Readonly<Record<string, unknown>>, variables: readonly NamedExpression[], budget: number): Evaluation {
  let left = budget
  /** What an evaluation cost is taken off, whatever became of it. */
  const spend = (program: CelProgram): CelValue => {
    if (left < 0) throw new cel.CelCostExceeded()
    try {
      const { value, cost } = program.evaluate(all, { budget: Math.max(left, 0) })
      left -= cost
      return value
    } catch (error) {
      if (error instanceof cel.CelError && 'cost' in error) left -= error.cost as number
      throw error
    }
  }
  const compute = new Map(variables.map(({ name, compiled }) => [name, (): CelValue => {
    if ('error' in compiled) return cel.fail(`composited variable ${JSON.stringify(name)} fails to compile: ${compiled.error}`)
    try {
      return spend(compiled.program)
    } catch (error) {
      if (error instanceof cel.CelCostExceeded || !(error instanceof cel.CelError)) throw error
      return cel.fail(`composited variable ${JSON.stringify(name)} fails to evaluate: ${error.message}`)
    }
  }] as const))
  const all: Readonly<Record<string, unknown>> = variables.length > 0 ? { ...values, variables: new cel.LazyObject('kubernetes.variables', compute) } : { ...values, variables: {} }

  return {
    run(compiled) {
      if ('error' in compiled) throw new ExpressionFailure(`compilation error: ${compiled.error}`)
      if (left <= 0) throw new OutOfBudget()
      try {
        return spend(compiled.program)
      } catch (error) {
        if (error instanceof cel.CelCostExceeded && left <= 0) throw new OutOfBudget()
        if (error instanceof cel.CelError) throw new ExpressionFailure(`expression '${compiled.source}' resulted in error: ${error.message}`)
        throw error
      }
    },
  }
}

/** Runs what may have to wait for answers, from its start again with each of them. */
export async function withAnswers<T>(run: () => T): Promise<T> {
  for (;;) {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof Pending)) throw error
      await error.answer
    }
  }
}
