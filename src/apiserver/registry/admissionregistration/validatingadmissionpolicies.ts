/** Validating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { celReady } from '../../admission/policies/cel.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, ifThere } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'
import { policyExpressions } from './expressions.ts'
import { failurePolicies, matchConditions, matchDefaults, matchResources, paramKind, paramKindText } from './webhook-rules.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']

/** An expression of several lines does not serve as a message. */
function message({ expression, message: text, messageExpression }: admissionregistration.Validation, at: Place): void {
  if (text !== undefined && text !== '' && !text.trim()) at.at('message').invalid(text, 'message must be non-empty if specified')
  else if (text?.includes('\n')) at.at('message').invalid(text, 'message must not contain line breaks')
  else if (expression.includes('\n') && !text) at.at('message').required('message must be specified if expression contains line breaks')
  if (messageExpression !== undefined && messageExpression !== '' && !messageExpression.trim()) at.at('messageExpression').invalid(messageExpression, 'must be non-empty if specified')
}

const mostAnnotations = 20
const longestExpression = 5 * 1024

function auditAnnotations({ metadata, spec }: Policy, at: Place): void {
  const list = spec.auditAnnotations
  if (list && list.length > mostAnnotations) at.invalid(list, `must not have more than ${mostAnnotations} auditAnnotations`)
  forEach(at, list, ({ key, valueExpression }, place) => {
    if (!key) place.at('key').required()
    else for (const wrong of qualifiedName(metadata.name ? `${metadata.name}/${key}` : key)) place.at('key').invalid(key, wrong)
    if (!valueExpression.trim()) place.at('valueExpression').required('valueExpression is not specified')
    else if (Buffer.byteLength(valueExpression) > longestExpression) place.at('valueExpression').tooLong(longestExpression)
  })
  distinct(at, list, ({ key }) => key, 'key')
}

function validate(policy: Policy, root: Place): void {
  const { spec } = policy
  const at = root.at('spec')
  paramKind(at.at('paramKind'), spec.paramKind)
  ifThere(at.at('failurePolicy'), spec.failurePolicy, failurePolicies)
  if (!spec.matchConstraints) at.at('matchConstraints').required()
  else {
    if (!spec.matchConstraints.resourceRules?.length) at.at('matchConstraints').at('resourceRules').required()
    matchResources(at.at('matchConstraints'), spec.matchConstraints)
  }
  matchConditions(at.at('matchConditions'), spec.matchConditions)
  if (!spec.validations?.length && !spec.auditAnnotations?.length) {
    at.at('validations').required('validations or auditAnnotations must contain at least one item')
    at.at('auditAnnotations').required('validations or auditAnnotations must contain at least one item')
  }
  forEach(at.at('validations'), spec.validations, (validation, place) => {
    if (!validation.expression.trim()) place.at('expression').required('expression is not specified')
    message(validation, place)
    ifThere(place.at('reason'), validation.reason, reasons)
  })
  auditAnnotations(policy, at.at('auditAnnotations'))
  forEach(at.at('variables'), spec.variables, (variable, place) => {
    if (!variable.name) place.at('name').required('name is not specified')
    if (!variable.expression.trim()) place.at('expression').required('expression is not specified')
  })
  distinct(at.at('variables'), spec.variables, (variable) => variable.name, 'name')
}

export const validatingadmissionpolicies: Strategy<Policy> = {
  anyFinalizers: true,
  unconditionalUpdate: false,
  default: (policy) => within(policy, 'spec', (spec) => within(orDefault(spec, { failurePolicy: 'Fail' }), 'matchConstraints', matchDefaults)),
  ready: () => celReady(true),
  validate: (policy, root) => {
    validate(policy, root)
    policyExpressions(policy, root)
  },
  printer: printer<Policy>(
    nameColumn,
    integer('Validations', 'How many expressions it checks.', (o) => (o.spec.validations ?? []).length),
    text('ParamKind', 'The kind of its parameters.', (o) => paramKindText(o.spec.paramKind)),
    ageColumn,
  ),
}
