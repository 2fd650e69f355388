/** Bindings of mutating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import { bindingStrategy } from './policy-bindings.ts'

export const mutatingadmissionpolicybindings = bindingStrategy<admissionregistration.MutatingAdmissionPolicyBinding>(() => undefined)
