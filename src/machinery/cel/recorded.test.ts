/** What Kubernetes's expressions give (k8s.io/apiserver v0.36.4, the environment of new expressions), recorded: results, errors and, where they are known to be the same, costs, of the evaluation and ahead of it. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CelError, DYN, celEnvironment, compileCel } from './index.ts'
import { shown } from './testing.ts'

interface Outcome { readonly refused?: string; readonly error?: string; readonly value?: unknown; readonly cost?: number; readonly static?: readonly [min: number, max: number] }

const self = { a: 'x', n: 5, l: [1, 2, 3], m: { k: 'v' } }
const env = celEnvironment({ variables: { self: DYN } })
const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Record<string, Outcome>

const messageOf = (error: unknown): string => {
  if (error instanceof CelError) return error.message
  throw error
}

function outcome(expression: string): Outcome {
  let program
  try {
    program = compileCel(expression, env)
  } catch (error) {
    return { refused: messageOf(error) }
  }
  try {
    const { value, cost } = program.evaluate({ self })
    return { value: shown(value), cost, static: [program.cost.min, program.cost.max] }
  } catch (error) {
    return { error: messageOf(error) }
  }
}

it.each(Object.entries(recorded))('%s', (expression, expected) => {
  expect(outcome(expression)).toMatchObject(expected)
})
