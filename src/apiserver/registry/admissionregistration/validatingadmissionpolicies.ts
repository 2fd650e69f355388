/** Validating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { celReady } from '../../admission/policies/cel.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, ifThere, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'
import { policyExpressions } from './expressions.ts'
import { failurePolicies, matchConditions, matchDefaults, matchResources, paramKind, paramKindText } from './webhook-rules.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']

function* validate({ spec }: Policy): Check {
  const at = path('spec')
  yield* paramKind(at.at('paramKind'), spec.paramKind)
  yield* ifThere(at.at('failurePolicy'), spec.failurePolicy, failurePolicies)
  if (!spec.matchConstraints) yield at.at('matchConstraints').required()
  else {
    if (!spec.matchConstraints.resourceRules?.length) yield at.at('matchConstraints').at('resourceRules').required()
    yield* matchResources(at.at('matchConstraints'), spec.matchConstraints)
  }
  yield* matchConditions(at.at('matchConditions'), spec.matchConditions)
  if (!spec.validations?.length && !spec.auditAnnotations?.length) {
    yield at.at('validations').required('validations or auditAnnotations must be specified')
    yield at.at('auditAnnotations').required('validations or auditAnnotations must be specified')
  }
  yield* forEach(at.at('validations'), spec.validations, function* (validation, place) {
    if (!validation.expression.trim()) yield place.at('expression').required('expression is not specified')
    if (validation.message?.includes('\n')) yield place.at('message').invalid(validation.message, 'message must not contain line breaks')
    yield* ifThere(place.at('reason'), validation.reason, reasons)
  })
  yield* forEach(at.at('auditAnnotations'), spec.auditAnnotations, function* (annotation, place) {
    if (!annotation.key) yield place.at('key').required()
    if (!annotation.valueExpression.trim()) yield place.at('valueExpression').required('valueExpression is not specified')
  })
  yield* forEach(at.at('variables'), spec.variables, function* (variable, place) {
    if (!variable.name) yield place.at('name').required('name is not specified')
    if (!variable.expression.trim()) yield place.at('expression').required('expression is not specified')
  })
  yield* distinct(at.at('variables'), spec.variables, (variable) => variable.name, 'name')
}

export const validatingadmissionpolicies: Strategy<Policy> = {
  unconditionalUpdate: false,
  default: (policy) => within(policy, 'spec', (spec) => within(orDefault(spec, { failurePolicy: 'Fail' }), 'matchConstraints', matchDefaults)),
  ready: () => celReady(true),
  validate: (policy) => [...validate(policy), ...policyExpressions(policy)],
  printer: printer<Policy>(
    nameColumn,
    integer('Validations', 'How many expressions it checks.', (o) => (o.spec.validations ?? []).length),
    text('ParamKind', 'The kind of its parameters.', (o) => paramKindText(o.spec.paramKind)),
    ageColumn,
  ),
}
