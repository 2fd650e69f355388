/** The expressions of policies and webhooks, as they are defined: what does not compile is refused with its place and CEL's words. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { cel } from '../../admission/policies/cel.ts'
import { compileConditions, type Compiled, type NamedExpression } from '../../admission/policies/compile.ts'
import { compileMutations } from '../../admission/policies/mutating.ts'
import { compilePolicy } from '../../admission/policies/validating.ts'

function compiles(at: Place, compiled: Compiled | undefined): void {
  if (compiled && 'error' in compiled && compiled.source.trim()) at.invalid(compiled.source, compiled.error)
}

function named(at: Place, list: readonly NamedExpression[]): void {
  for (const [i, { compiled }] of list.entries()) compiles(at.index(i).at('expression'), compiled)
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/

/** The names of variables are names of fields in expressions. */
function variableNames(spec: Place, list: readonly admissionregistration.Variable[] | undefined): void {
  for (const [i, { name }] of (list ?? []).entries()) {
    if (name && !identifier.test(name)) spec.at('variables').index(i).at('name').invalid(name, 'name is not a valid CEL identifier')
  }
}

/** Match conditions of a webhook at `at`. CEL has to be loaded where there are any. */
export function conditionExpressions(at: Place, list: readonly admissionregistration.MatchCondition[] | undefined): void {
  if (list?.length) named(at, compileConditions(cel(), list, false))
}

/** Everything in a validating policy. CEL has to be loaded. */
export function policyExpressions(policy: admissionregistration.ValidatingAdmissionPolicy, root: Place): void {
  const spec = root.at('spec')
  const { conditions, variables, validations, annotations } = compilePolicy(cel(), policy)
  variableNames(spec, policy.spec.variables)
  named(spec.at('matchConditions'), conditions)
  named(spec.at('variables'), variables)
  for (const [i, { expression, message }] of validations.entries()) {
    compiles(spec.at('validations').index(i).at('expression'), expression)
    compiles(spec.at('validations').index(i).at('messageExpression'), message)
  }
  for (const [i, { value }] of annotations.entries()) compiles(spec.at('auditAnnotations').index(i).at('valueExpression'), value)
}

/** Everything in a mutating policy. CEL has to be loaded. */
export function mutationExpressions(policy: admissionregistration.MutatingAdmissionPolicy, root: Place): void {
  const spec = root.at('spec')
  const { conditions, variables, mutations } = compileMutations(cel(), policy)
  variableNames(spec, policy.spec.variables)
  named(spec.at('matchConditions'), conditions)
  named(spec.at('variables'), variables)
  for (const [i, { patchType, expression }] of mutations.entries()) {
    compiles(spec.at('mutations').index(i).at(patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration').at('expression'), expression)
  }
}
