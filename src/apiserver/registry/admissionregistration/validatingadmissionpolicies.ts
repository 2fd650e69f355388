/** Validating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { compileJsonPath } from '../../../machinery/jsonpath.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { celReady } from '../../admission/policies/cel.ts'
import type { Strategy } from '../../strategy.ts'
import { conditions, distinct, follows, forEach, ifThere } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'
import { longestValue, policyExpressions, sameConditions, variables } from './expressions.ts'
import { failurePolicies, matchConditions, matchConstraints, matchDefaults, nameWarnings, paramKind, paramKindText } from './webhook-rules.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']

/** A message is one line; what is around it does not count. */
function message({ message: text = '', messageExpression = '' }: admissionregistration.Validation, at: Place): void {
  if (messageExpression && !messageExpression.trim()) at.at('messageExpression').invalid(messageExpression, 'must be non-empty if specified')
  if (text && !text.trim()) at.at('message').invalid(text, 'must be non-empty if specified')
  else if (/[\n\r]/.test(text.trim())) at.at('message').invalid(text, 'must not contain line breaks')
}

const mostAnnotations = 20

function auditAnnotations({ metadata, spec }: Policy, at: Place): void {
  const list = spec.auditAnnotations
  if (list && list.length > mostAnnotations) at.invalid(list, `must not have more than ${mostAnnotations} auditAnnotations`)
  forEach(at, list, ({ key, valueExpression }, place) => {
    if (metadata.name) follows(place.at('key'), `${metadata.name}/${key}`, qualifiedName)
    else place.at('key').invalid(key, 'requires metadata.name be non-empty')
    if (!valueExpression.trim()) place.at('valueExpression').required('valueExpression is not specified')
    else if (Buffer.byteLength(valueExpression.trim()) > longestValue) place.at('valueExpression').required(`must not exceed ${longestValue} bytes in length`)
  })
  distinct(at, list, ({ key }) => key, 'key')
}

function validate(policy: Policy, root: Place, known: boolean): void {
  const { spec } = policy
  const at = root.at('spec')
  paramKind(at.at('paramKind'), spec.paramKind)
  ifThere(at.at('failurePolicy'), spec.failurePolicy, failurePolicies)
  matchConstraints(at.at('matchConstraints'), spec.matchConstraints)
  if (!known) matchConditions(at.at('matchConditions'), spec.matchConditions)
  variables(at.at('variables'), spec.variables)
  // Kubernetes would take the last of a name; but the name twice can only be a mistake.
  distinct(at.at('variables'), spec.variables, (variable) => variable.name, 'name')
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
}

/** Warnings say where they are about, as a path. */
function status({ typeChecking, conditions: list }: admissionregistration.ValidatingAdmissionPolicyStatus, at: Place): void {
  forEach(at.at('typeChecking').at('expressionWarnings'), typeChecking?.expressionWarnings, ({ warning, fieldRef }, place) => {
    if (!warning) place.at('warning').required()
    const ref = fieldRef.trim()
    if (!ref) return place.at('fieldRef').required()
    const wrong = pathProblem(ref)
    if (wrong) place.at('fieldRef').invalid(ref, `invalid JSONPath: ${wrong}`)
  })
  conditions(at.at('conditions'), list)
}

/** A path may begin with a name, without a dot before it. */
function pathProblem(path: string): string | undefined {
  try {
    compileJsonPath(/^\w/.test(path) ? `.${path}` : path)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

export const validatingadmissionpolicies: Strategy<Policy> = {
  anyFinalizers: true,
  unconditionalUpdate: false,
  statusOnly: true,
  default: (policy) => within(policy, 'spec', (spec) => within(orDefault(spec, { failurePolicy: 'Fail' }), 'matchConstraints', matchDefaults)),
  ready: () => celReady(true),
  validate: (policy, root) => {
    validate(policy, root, false)
    policyExpressions(policy, root, false)
  },
  validateUpdate: (next, current, root) => {
    const known = sameConditions(next, current)
    validate(next, root, known)
    policyExpressions(next, root, known)
  },
  validateStatusUpdate: (next, _current, root) => status(next.status, root.at('status')),
  warnings: nameWarnings,
  printer: printer<Policy>(
    nameColumn,
    integer('Validations', 'How many expressions it checks.', (o) => (o.spec.validations ?? []).length),
    text('ParamKind', 'The kind of its parameters.', (o) => paramKindText(o.spec.paramKind)),
    ageColumn,
  ),
}
