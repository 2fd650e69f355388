/** Expressions of policies and webhooks, compiled: which variables they have, and what they must come to. */
import type { admissionregistration } from '../../../api/index.ts'
import type { CelEnvironment, CelObjectType, CelProgram, CelType } from '../../../machinery/cel/index.ts'
import type { Cel } from './cel.ts'
import { requestTypes } from './request.ts'

/** Which variables an expression has besides `object`, `oldObject`, `request` and `namespaceObject`. */
export interface Scope {
  readonly params: boolean
  readonly authorizer: boolean
  /** The types of the policy's own variables; left out where there are none, as in match conditions. */
  readonly variables?: CelObjectType | undefined
  /** `Object{…}` and `JSONPatch{…}` can be made. */
  readonly mutation?: boolean
  /** The types of `object` and `params` where they are known: for finding mistakes, not for evaluating. */
  readonly object?: CelType | undefined
  readonly paramsType?: CelType | undefined
}

export function environmentOf(cel: Cel, scope: Scope): CelEnvironment {
  const { request, namespace } = requestTypes(cel)
  const object = scope.object ?? cel.DYN
  return cel.celEnvironment({
    variables: {
      object, oldObject: object, request, namespaceObject: namespace,
      ...(scope.params ? { params: scope.paramsType ?? cel.DYN } : {}),
      ...(scope.authorizer ? { authorizer: cel.AUTHORIZER, 'authorizer.requestResource': cel.RESOURCE_CHECK } : {}),
      ...(scope.variables ? { variables: scope.variables } : {}),
    },
    ...(scope.mutation ? { functions: cel.mutation, types: [cel.JSON_PATCH], typeOf: (name: string) => nestedType(cel, name) } : {}),
  })
}

/** `Object`, `Object.spec`, …: what a mutating policy builds; it fits any field, and is checked when it is applied. */
const nestedType = (cel: Cel, name: string): CelObjectType | undefined =>
  (name === 'Object' || name.startsWith('Object.') ? cel.objectOf(name, {}, { open: true, nested: true }) : undefined)

/** What an expression must come to, exactly: what is only known to be anything is not let pass. */
export interface Returns { readonly name: string; accepts(type: CelType): boolean }
const kindIs = (kind: CelType['kind']) => (type: CelType) => type.kind === kind
const isObject = (type: CelType, name: string) => type.kind === 'object' && type.name === name
export const returnsBool: Returns = { name: 'bool', accepts: kindIs('bool') }
export const returnsString: Returns = { name: 'string', accepts: kindIs('string') }
export const returnsText: Returns = { name: 'one of [string null_type]', accepts: (type) => kindIs('string')(type) || type.kind === 'null' }
export const returnsAnything: Returns = { name: 'any', accepts: () => true }
export const returnsObject: Returns = { name: 'Object', accepts: (type) => isObject(type, 'Object') }
export const returnsPatch: Returns = { name: 'list(JSONPatch)', accepts: (type) => type.kind === 'list' && isObject(type.element, 'JSONPatch') }

/** A program, or why there is none. */
export type Compiled = { readonly source: string; readonly program: CelProgram } | { readonly source: string; readonly error: string }

/** Compiles one expression. What is wrong with it is said, not thrown. */
export function compileExpression(cel: Cel, source: string, env: CelEnvironment, returns: Returns): Compiled {
  try {
    const program = cel.compileCel(source, env)
    if (returns.accepts(program.type)) return { source, program }
    return { source, error: `must evaluate to ${returns.name} but got ${outputName(cel, program.type)}` }
  } catch (error) {
    if (error instanceof cel.CelError) return { source, error: `${error instanceof cel.CelProgramError ? 'program instantiation' : 'compilation'} failed: ${error.message}` }
    throw error
  }
}

/** How cel-go names the type of a whole expression: some have longer names there than in its other messages. */
const outputName = (cel: Cel, type: CelType): string =>
  cel.typeName(type).replaceAll(/(?<![\w.])(timestamp|duration|null)(?![\w.])/g, (name) => longNames[name] as string)
const longNames: Readonly<Record<string, string>> = { timestamp: 'google.protobuf.Timestamp', duration: 'google.protobuf.Duration', null: 'null_type' }

export interface NamedExpression { readonly name: string; readonly compiled: Compiled }

/** A policy's variables one after the other: each sees those before it. Their types together are the type of `variables`. */
export function compileVariables(cel: Cel, list: readonly admissionregistration.Variable[] | undefined, scope: Scope): { readonly variables: readonly NamedExpression[]; readonly type: CelObjectType } {
  const types: Record<string, CelType> = {}
  const variables: NamedExpression[] = []
  const typeOf = () => cel.objectOf('kubernetes.variables', types)
  for (const { name, expression } of list ?? []) {
    const compiled = compileExpression(cel, expression, environmentOf(cel, { ...scope, variables: typeOf() }), returnsAnything)
    types[name] = 'program' in compiled ? compiled.program.type : cel.DYN
    variables.push({ name, compiled })
  }
  return { variables, type: typeOf() }
}

/** Match conditions, of webhooks (`params` false) and policies. */
export function compileConditions(cel: Cel, list: readonly admissionregistration.MatchCondition[] | undefined, params: boolean): readonly NamedExpression[] {
  if (!list?.length) return []
  const env = environmentOf(cel, { params, authorizer: true })
  return list.map(({ name, expression }) => ({ name, compiled: compileExpression(cel, expression, env, returnsBool) }))
}
