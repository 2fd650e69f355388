/** Bindings of mutating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import { bindingStrategy } from './policy-bindings.ts'
import { nothingDeleted } from './webhook-rules.ts'

export const mutatingadmissionpolicybindings = bindingStrategy<admissionregistration.MutatingAdmissionPolicyBinding>((at, { matchResources }) => {
  if (matchResources) nothingDeleted(at.at('matchResources'), matchResources)
})
