/** Bindings of mutating admission policies. */
import type { admissionregistration } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { named, type Check } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { matchDefaults, matchResources, paramRef, paramRefText } from './webhook-rules.ts'

type Binding = admissionregistration.MutatingAdmissionPolicyBinding

function* validate({ spec }: Binding): Check {
  const at = path('spec')
  yield* named(at.at('policyName'), spec.policyName, dns1123Subdomain)
  yield* paramRef(at.at('paramRef'), spec.paramRef)
  yield* matchResources(at.at('matchResources'), spec.matchResources)
}

export const mutatingadmissionpolicybindings: Strategy<Binding> = {
  unconditionalUpdate: false,
  default: (binding) => within(binding, 'spec', (spec) => within(spec, 'matchResources', matchDefaults)),
  validate: (binding) => [...validate(binding)],
  printer: printer<Binding>(
    nameColumn,
    text('PolicyName', 'The policy it puts in force.', (o) => o.spec.policyName ?? ''),
    text('ParamRef', 'The parameters it gives.', (o) => paramRefText(o.spec.paramRef)),
    ageColumn,
  ),
}
