/** The expressions of policies and webhooks, as they are defined: what does not compile is refused with its place and CEL's words. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { cel } from '../../admission/policies/cel.ts'
import { compileConditions, type Compiled, type NamedExpression } from '../../admission/policies/compile.ts'
import { compileMutations } from '../../admission/policies/mutating.ts'
import { compilePolicy } from '../../admission/policies/validating.ts'
import { forEach } from '../checks.ts'

function compiles(at: Place, compiled: Compiled | undefined): void {
  if (compiled && 'error' in compiled && compiled.source.trim()) at.invalid(compiled.source, compiled.error)
}

function each(at: Place, list: readonly NamedExpression[]): void {
  for (const [i, { compiled }] of list.entries()) compiles(at.index(i).at('expression'), compiled)
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
/** Words that CEL keeps for itself. */
const reserved = new Set(['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'])

/** A policy's variables, except that they compile: their names are names of fields in expressions. */
export function variables(at: Place, list: readonly admissionregistration.Variable[] | undefined): void {
  forEach(at, list, ({ name, expression }, place) => {
    if (!name.trim()) place.at('name').required('name is not specified')
    else if (!identifier.test(name) || reserved.has(name)) place.at('name').invalid(name, 'must be a valid CEL identifier')
    if (!expression.trim()) place.at('expression').required('expression is not specified')
  })
}

/** Match conditions of a webhook at `at`. CEL has to be loaded where there are any. */
export function conditionExpressions(at: Place, list: readonly admissionregistration.MatchCondition[] | undefined): void {
  if (list?.length) each(at, compileConditions(cel(), list, false))
}

/** Whether the match conditions of a policy are those it had before, and mean the same. */
export const sameConditions = ({ spec: next }: { readonly spec: Conditional }, { spec: current }: { readonly spec: Conditional }): boolean =>
  deepEqual([next.paramKind, next.matchConditions], [current.paramKind, current.matchConditions])

type Conditional = Pick<admissionregistration.ValidatingAdmissionPolicySpec, 'paramKind' | 'matchConditions'>

/** How many bytes the expression of an audit annotation may have. */
export const longestValue = 5 * 1024
const fits = (expression = '') => Buffer.byteLength(expression.trim()) <= longestValue

/** Everything in a validating policy, except for match conditions that are `known`. CEL has to be loaded. */
export function policyExpressions(policy: admissionregistration.ValidatingAdmissionPolicy, root: Place, known: boolean): void {
  const spec = root.at('spec')
  const { conditions, variables: own, validations, annotations } = compilePolicy(cel(), policy)
  if (!known) each(spec.at('matchConditions'), conditions)
  each(spec.at('variables'), own)
  for (const [i, { expression, message }] of validations.entries()) {
    compiles(spec.at('validations').index(i).at('expression'), expression)
    compiles(spec.at('validations').index(i).at('messageExpression'), message)
  }
  for (const [i, { value }] of annotations.entries()) if (fits(policy.spec.auditAnnotations?.[i]?.valueExpression)) compiles(spec.at('auditAnnotations').index(i).at('valueExpression'), value)
}

/** Everything in a mutating policy, except for match conditions that are `known`. CEL has to be loaded. */
export function mutationExpressions(policy: admissionregistration.MutatingAdmissionPolicy, root: Place, known: boolean): void {
  const spec = root.at('spec')
  const { conditions, variables: own, mutations } = compileMutations(cel(), policy)
  if (!known) each(spec.at('matchConditions'), conditions)
  each(spec.at('variables'), own)
  for (const [i, { patchType, expression }] of mutations.entries()) {
    compiles(spec.at('mutations').index(i).at(patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration').at('expression'), expression)
  }
}
