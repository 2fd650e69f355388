/** Bindings of validating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import { distinct, forEach, ifThere } from '../checks.ts'
import { bindingStrategy } from './policy-bindings.ts'

export const validatingadmissionpolicybindings = bindingStrategy<admissionregistration.ValidatingAdmissionPolicyBinding>((at, spec) => {
  const actions = spec.validationActions ?? []
  if (actions.length === 0) at.at('validationActions').required('at least one validation action is required')
  forEach(at.at('validationActions'), actions, (action, place) => ifThere(place, action, ['Audit', 'Deny', 'Warn']))
  distinct(at.at('validationActions'), actions, (action) => action)
  if (actions.includes('Deny') && actions.includes('Warn')) at.at('validationActions').invalid(actions, 'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)')
})
