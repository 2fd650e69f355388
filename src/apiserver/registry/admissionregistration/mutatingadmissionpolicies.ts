/** Mutating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { celReady } from '../../admission/policies/cel.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, ifThere, oneOfThese } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'
import { mutationExpressions } from './expressions.ts'
import { failurePolicies, matchConditions, matchDefaults, matchResources, paramKind, paramKindText } from './webhook-rules.ts'

type Policy = admissionregistration.MutatingAdmissionPolicy

function validate({ spec }: Policy, root: Place): void {
  const at = root.at('spec')
  paramKind(at.at('paramKind'), spec.paramKind)
  ifThere(at.at('failurePolicy'), spec.failurePolicy, failurePolicies)
  if (!spec.matchConstraints) at.at('matchConstraints').required()
  matchResources(at.at('matchConstraints'), spec.matchConstraints)
  matchConditions(at.at('matchConditions'), spec.matchConditions)
  if (!spec.reinvocationPolicy) at.at('reinvocationPolicy').required()
  else ifThere(at.at('reinvocationPolicy'), spec.reinvocationPolicy, ['IfNeeded', 'Never'])
  if (!spec.mutations?.length) at.at('mutations').required('mutations must contain at least one item')
  forEach(at.at('mutations'), spec.mutations, (mutation, place) => {
    oneOfThese(place.at('patchType'), mutation.patchType, ['ApplyConfiguration', 'JSONPatch'])
    const wanted = mutation.patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration'
    if (!mutation[wanted]?.expression?.trim()) place.at(wanted).at('expression').required('expression is not specified')
  })
}

export const mutatingadmissionpolicies: Strategy<Policy> = {
  anyFinalizers: true,
  unconditionalUpdate: false,
  default: (policy) => within(policy, 'spec', (spec) => within(orDefault(spec, { failurePolicy: 'Fail' }), 'matchConstraints', matchDefaults)),
  ready: () => celReady(true),
  validate: (policy, root) => {
    validate(policy, root)
    mutationExpressions(policy, root)
  },
  printer: printer<Policy>(
    nameColumn,
    integer('Mutations', 'How many changes it makes.', (o) => (o.spec.mutations ?? []).length),
    text('ParamKind', 'The kind of its parameters.', (o) => paramKindText(o.spec.paramKind)),
    ageColumn,
  ),
}
