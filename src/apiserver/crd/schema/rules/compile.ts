/** The rules of one place in a schema, compiled. */
import type { apiextensions } from '../../../../api/index.ts'
import { CelError, CelProgramError, celEnvironment, compileCel, optionalOf, type CelEnvironment, type CelProgram } from '../../../../machinery/cel/index.ts'
import { schemaAtPath } from '../definition/paths.ts'
import type { Schema } from '../props.ts'
import type { View } from './types.ts'

export type ValidationRule = apiextensions.ValidationRule

export interface CompiledRule {
  readonly rule: ValidationRule
  readonly program?: CelProgram
  /** Why the rule cannot be run. */
  readonly error?: string
  readonly message?: CelProgram
  readonly messageError?: string
  /** It compares with what was there before. */
  readonly usesOldSelf: boolean
  /** Where its error stands, below the place of the rule. */
  readonly fieldPath?: string
}

type Outcome = { readonly program: CelProgram } | { readonly error: string }

/** The rules of a schema; `view` is what they see as `self`. */
export function compileRules(schema: Schema, view: View): readonly CompiledRule[] {
  let plain: CelEnvironment | undefined
  let optional: CelEnvironment | undefined
  const environment = (rule: ValidationRule): CelEnvironment => (rule.optionalOldSelf
    ? (optional ??= celEnvironment({ variables: { self: view.type, oldSelf: optionalOf(view.type) }, measured: view.type }))
    : (plain ??= celEnvironment({ variables: { self: view.type, oldSelf: view.type }, measured: view.type })))
  return (schema['x-kubernetes-validations'] ?? []).map((rule) => compileRule(rule, schema, environment(rule)))
}

function compileRule(rule: ValidationRule, schema: Schema, environment: CelEnvironment): CompiledRule {
  if (rule.rule.trim() === '') return { rule, usesOldSelf: false }
  const main = compiled(rule.rule, environment, 'bool', '', 'cel expression must evaluate to a bool')
  if ('error' in main) return { rule, error: main.error, usesOldSelf: false }
  const told = rule.messageExpression ? compiled(rule.messageExpression, environment, 'string', 'messageExpression ', 'messageExpression must evaluate to a string') : undefined
  const found = rule.fieldPath ? schemaAtPath(schema, rule.fieldPath) : undefined
  return {
    rule,
    program: main.program,
    usesOldSelf: main.program.references.has('oldSelf'),
    ...(told && 'program' in told ? { message: told.program } : {}),
    ...(told && 'error' in told ? { messageError: told.error } : {}),
    ...(found && 'name' in found ? { fieldPath: found.name } : {}),
  }
}

function compiled(source: string, environment: CelEnvironment, type: 'bool' | 'string', what: '' | 'messageExpression ', wrongType: string): Outcome {
  try {
    const program = compileCel(source, environment)
    return program.type.kind === type ? { program } : { error: wrongType }
  } catch (error) {
    if (error instanceof CelProgramError) return { error: `${what || 'program '}instantiation failed: ${error.message}` }
    if (error instanceof CelError) return { error: `${what}compilation failed: ${error.message}` }
    throw error
  }
}
