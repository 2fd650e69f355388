/** Bindings of validating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, ifThere, named } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { matchDefaults, matchResources, paramRef, paramRefText } from './webhook-rules.ts'

type Binding = admissionregistration.ValidatingAdmissionPolicyBinding

function validate({ spec }: Binding, root: Place): void {
  const at = root.at('spec')
  named(at.at('policyName'), spec.policyName, dns1123Subdomain)
  paramRef(at.at('paramRef'), spec.paramRef)
  matchResources(at.at('matchResources'), spec.matchResources)
  const actions = spec.validationActions ?? []
  if (actions.length === 0) at.at('validationActions').required('at least one validation action is required')
  forEach(at.at('validationActions'), actions, (action, place) => ifThere(place, action, ['Audit', 'Deny', 'Warn']))
  distinct(at.at('validationActions'), actions, (action) => action)
  if (actions.includes('Deny') && actions.includes('Warn')) at.at('validationActions').invalid(actions, 'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)')
}

export const validatingadmissionpolicybindings: Strategy<Binding> = {
  unconditionalUpdate: false,
  default: (binding) => within(binding, 'spec', (spec) => within(spec, 'matchResources', matchDefaults)),
  validate,
  printer: printer<Binding>(
    nameColumn,
    text('PolicyName', 'The policy it puts in force.', (o) => o.spec.policyName ?? ''),
    text('ParamRef', 'The parameters it gives.', (o) => paramRefText(o.spec.paramRef)),
    ageColumn,
  ),
}
