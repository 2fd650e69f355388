/**
 * What Kubernetes's expressions make of an object that a schema describes (k8s.io/apiextensions-apiserver v0.36.4), recorded: refusals, results,
 * errors, and what they cost, in fact and ahead of it. A cost ahead of it that is null has no bound.
 */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CelError, CelProgramError, celEnvironment, compileCel } from '../../../../machinery/cel/index.ts'
import { shown } from '../../../../machinery/cel/testing.ts'
import type { Schema } from '../props.ts'
import { viewOf } from './types.ts'

interface Outcome { readonly refused?: string; readonly hopeless?: string; readonly error?: string; readonly value?: unknown; readonly cost?: number; readonly static?: readonly [min: number | null, max: number | null] }

const { schema, self, outcomes } = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as { readonly schema: Schema; readonly self: unknown; readonly outcomes: Record<string, Outcome> }
const type = viewOf(schema, false, 'selfType')?.type ?? expect.unreachable('the schema is one of an object')
const env = celEnvironment({ variables: { self: type }, measured: type })

const bounded = (cost: number): number | null => (cost >= 1e17 ? null : cost)

function outcome(expression: string): Outcome {
  let program
  try {
    program = compileCel(expression, env)
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return error instanceof CelProgramError ? { hopeless: error.message } : { refused: error.message }
  }
  const ahead = { static: [bounded(program.cost.min), bounded(program.cost.max)] } as const
  try {
    const { value, cost } = program.evaluate({ self })
    return { value: shown(value), cost, ...ahead }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return { error: error.message, ...ahead }
  }
}

it.each(Object.entries(outcomes))('%s', (expression, expected) => {
  expect(outcome(expression)).toEqual(expected)
})
