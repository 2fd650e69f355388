/** The expressions of policies and webhooks, as they are defined: what does not compile is refused with its place and CEL's words. */
import type { admissionregistration } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { cel } from '../../admission/policies/cel.ts'
import { compileConditions, type Compiled, type NamedExpression } from '../../admission/policies/compile.ts'
import { compileMutations } from '../../admission/policies/mutating.ts'
import { compilePolicy } from '../../admission/policies/validating.ts'
import type { Check } from '../checks.ts'

const spec = path('spec')

function* compiles(at: Path, compiled: Compiled | undefined): Check {
  if (compiled && 'error' in compiled && compiled.source.trim()) yield at.invalid(compiled.source, compiled.error)
}

function* named(at: Path, list: readonly NamedExpression[]): Check {
  for (const [i, { compiled }] of list.entries()) yield* compiles(at.index(i).at('expression'), compiled)
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/

/** The names of variables are names of fields in expressions. */
function* variableNames(list: readonly admissionregistration.Variable[] | undefined): Check {
  for (const [i, { name }] of (list ?? []).entries()) {
    if (name && !identifier.test(name)) yield spec.at('variables').index(i).at('name').invalid(name, 'name is not a valid CEL identifier')
  }
}

/** Match conditions of a webhook at `at`. CEL has to be loaded where there are any. */
export function* conditionExpressions(at: Path, list: readonly admissionregistration.MatchCondition[] | undefined): Check {
  if (list?.length) yield* named(at, compileConditions(cel(), list, false))
}

/** Everything in a validating policy. CEL has to be loaded. */
export function* policyExpressions(policy: admissionregistration.ValidatingAdmissionPolicy): Check {
  const { conditions, variables, validations, annotations } = compilePolicy(cel(), policy)
  yield* variableNames(policy.spec.variables)
  yield* named(spec.at('matchConditions'), conditions)
  yield* named(spec.at('variables'), variables)
  for (const [i, { expression, message }] of validations.entries()) {
    yield* compiles(spec.at('validations').index(i).at('expression'), expression)
    yield* compiles(spec.at('validations').index(i).at('messageExpression'), message)
  }
  for (const [i, { value }] of annotations.entries()) yield* compiles(spec.at('auditAnnotations').index(i).at('valueExpression'), value)
}

/** Everything in a mutating policy. CEL has to be loaded. */
export function* mutationExpressions(policy: admissionregistration.MutatingAdmissionPolicy): Check {
  const { conditions, variables, mutations } = compileMutations(cel(), policy)
  yield* variableNames(policy.spec.variables)
  yield* named(spec.at('matchConditions'), conditions)
  yield* named(spec.at('variables'), variables)
  for (const [i, { patchType, expression }] of mutations.entries()) {
    yield* compiles(spec.at('mutations').index(i).at(patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration').at('expression'), expression)
  }
}
