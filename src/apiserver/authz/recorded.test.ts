/** What k8s.io/apiserver v0.36.4 makes of the conditions of authorization webhooks, recorded: `ERR` is one that cannot be told. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compileConditions } from './conditions.ts'

interface Recorded { readonly specs: readonly object[]; readonly conditions: readonly (readonly [expression: string, outcomes: string])[] }
const { specs, conditions } = JSON.parse(readFileSync(new URL('recorded/conditions.json', import.meta.url), 'utf8')) as Recorded

function outcomesOf(expression: string): string {
  let holds: ReturnType<typeof compileConditions>
  try {
    holds = compileConditions([expression])
  } catch {
    return 'refused'
  }
  return specs.map((spec) => {
    try {
      return String(holds(spec))
    } catch {
      return 'ERR'
    }
  }).join(' ')
}

it.each(conditions)('%s', (expression, outcomes) => expect(outcomesOf(expression)).toBe(outcomes))
