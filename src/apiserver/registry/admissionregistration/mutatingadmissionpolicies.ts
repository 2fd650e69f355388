/** Mutating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { celReady } from '../../admission/policies/cel.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, ifThere, oneOfThese } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'
import { mutationExpressions, sameConditions, variables } from './expressions.ts'
import { failurePolicies, matchConditions, matchConstraints, matchDefaults, nameWarnings, nothingDeleted, paramKind, paramKindText } from './webhook-rules.ts'

type Policy = admissionregistration.MutatingAdmissionPolicy

function validate({ spec }: Policy, root: Place, known: boolean): void {
  const at = root.at('spec')
  paramKind(at.at('paramKind'), spec.paramKind)
  ifThere(at.at('failurePolicy'), spec.failurePolicy, failurePolicies)
  matchConstraints(at.at('matchConstraints'), spec.matchConstraints)
  if (spec.matchConstraints) nothingDeleted(at.at('matchConstraints'), spec.matchConstraints)
  if (!known) matchConditions(at.at('matchConditions'), spec.matchConditions)
  variables(at.at('variables'), spec.variables)
  if (!spec.mutations?.length) at.at('mutations').required('mutations must contain at least one item')
  forEach(at.at('mutations'), spec.mutations, mutation)
  oneOfThese(at.at('reinvocationPolicy'), spec.reinvocationPolicy, ['IfNeeded', 'Never'])
}

/** What a patch of each type is made of, and what then has no meaning. */
const parts = { ApplyConfiguration: ['applyConfiguration', 'jsonPatch'], JSONPatch: ['jsonPatch', 'applyConfiguration'] } as const

function mutation(value: admissionregistration.Mutation, at: Place): void {
  oneOfThese(at.at('patchType'), value.patchType, Object.keys(parts))
  const [own, other] = parts[value.patchType] ?? []
  if (!own) return
  if (!value[own]) at.at(own).required(`must be specified when patchType is ${value.patchType}`)
  else if (!value[own].expression?.trim()) at.at(own).at('expression').required()
  if (value[other]) at.at(other).invalid(`{${other}}`, `must not be specified when patchType is ${value.patchType}`)
}

export const mutatingadmissionpolicies: Strategy<Policy> = {
  anyFinalizers: true,
  unconditionalUpdate: false,
  default: (policy) => within(policy, 'spec', (spec) => within(orDefault(spec, { failurePolicy: 'Fail' }), 'matchConstraints', matchDefaults)),
  ready: () => celReady(true),
  validate: (policy, root) => {
    validate(policy, root, false)
    mutationExpressions(policy, root, false)
  },
  validateUpdate: (next, current, root) => {
    const known = sameConditions(next, current)
    validate(next, root, known)
    mutationExpressions(next, root, known)
  },
  warnings: nameWarnings,
  printer: printer<Policy>(
    nameColumn,
    integer('Mutations', 'How many changes it makes.', (o) => (o.spec.mutations ?? []).length),
    text('ParamKind', 'The kind of its parameters.', (o) => paramKindText(o.spec.paramKind)),
    ageColumn,
  ),
}
