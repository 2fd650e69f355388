/** Validating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { celReady } from '../../admission/policies/cel.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, ifThere, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'
import { policyExpressions } from './expressions.ts'
import { failurePolicies, matchConditions, matchDefaults, matchResources, paramKind, paramKindText } from './webhook-rules.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']

/** An expression of several lines does not serve as a message. */
function* message({ expression, message: text, messageExpression }: admissionregistration.Validation, at: Path): Check {
  if (text !== undefined && text !== '' && !text.trim()) yield at.at('message').invalid(text, 'message must be non-empty if specified')
  else if (text?.includes('\n')) yield at.at('message').invalid(text, 'message must not contain line breaks')
  else if (expression.includes('\n') && !text) yield at.at('message').required('message must be specified if expression contains line breaks')
  if (messageExpression !== undefined && messageExpression !== '' && !messageExpression.trim()) yield at.at('messageExpression').invalid(messageExpression, 'must be non-empty if specified')
}

const mostAnnotations = 20
const longestExpression = 5 * 1024

function* auditAnnotations({ metadata, spec }: Policy, at: Path): Check {
  const list = spec.auditAnnotations
  if (list && list.length > mostAnnotations) yield at.invalid(list, `must not have more than ${mostAnnotations} auditAnnotations`)
  yield* forEach(at, list, function* ({ key, valueExpression }, place) {
    if (!key) yield place.at('key').required()
    else for (const wrong of qualifiedName(metadata.name ? `${metadata.name}/${key}` : key)) yield place.at('key').invalid(key, wrong)
    if (!valueExpression.trim()) yield place.at('valueExpression').required('valueExpression is not specified')
    else if (Buffer.byteLength(valueExpression) > longestExpression) yield place.at('valueExpression').tooLong(longestExpression)
  })
  yield* distinct(at, list, ({ key }) => key, 'key')
}

function* validate(policy: Policy): Check {
  const { spec } = policy
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
    yield at.at('validations').required('validations or auditAnnotations must contain at least one item')
    yield at.at('auditAnnotations').required('validations or auditAnnotations must contain at least one item')
  }
  yield* forEach(at.at('validations'), spec.validations, function* (validation, place) {
    if (!validation.expression.trim()) yield place.at('expression').required('expression is not specified')
    yield* message(validation, place)
    yield* ifThere(place.at('reason'), validation.reason, reasons)
  })
  yield* auditAnnotations(policy, at.at('auditAnnotations'))
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
