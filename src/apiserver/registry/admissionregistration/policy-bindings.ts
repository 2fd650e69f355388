/** What bindings of validating and of mutating admission policies have in common. */
import type { admissionregistration } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { named } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { matchDefaults, matchResources, nameWarnings, paramRef, paramRefText } from './webhook-rules.ts'

type Binding = admissionregistration.ValidatingAdmissionPolicyBinding | admissionregistration.MutatingAdmissionPolicyBinding

/** The strategy of a kind of bindings. `more` checks what only this kind has, in `spec`. */
export const bindingStrategy = <T extends Binding>(more: (at: Place, spec: T['spec']) => void): Strategy<T> => ({
  anyFinalizers: true,
  unconditionalUpdate: false,
  default: (binding) => within(binding, 'spec', (spec) => within(spec, 'matchResources', matchDefaults)),
  validate({ spec }, root) {
    const at = root.at('spec')
    named(at.at('policyName'), spec.policyName, dns1123Subdomain)
    paramRef(at.at('paramRef'), spec.paramRef)
    matchResources(at.at('matchResources'), spec.matchResources)
    more(at, spec)
  },
  warnings: nameWarnings,
  printer: printer<T>(
    nameColumn,
    text('PolicyName', 'The policy it puts in force.', (o) => o.spec.policyName ?? ''),
    text('ParamRef', 'The parameters it gives.', (o) => paramRefText(o.spec.paramRef)),
    ageColumn,
  ),
})
