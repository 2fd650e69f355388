/** Ingress classes. */
import type { networking } from '../../../api/index.ts'
import { path, type FieldError } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, ifThere, unchanged, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

type Parameters = networking.IngressClassParametersReference

const parametersText = (p: Parameters | undefined): string => (p ? `${p.kind}${p.apiGroup ? `.${p.apiGroup}` : ''}/${p.name}` : '<none>')

function* validate({ spec }: networking.IngressClass): Check {
  const at = path('spec')
  const name = spec.controller ?? ''
  const [domain = '', ...rest] = name.split('/')
  if (!name) yield at.at('controller').required()
  else if (rest.length === 0 || rest.join('/') === '') yield at.at('controller').invalid(name, 'must be a domain-prefixed path (such as "acme.io/foo")')
  else yield* follows(at.at('controller'), domain, dns1123Subdomain)
  if (name.length > 250) yield at.at('controller').tooLong(250)
  if (spec.parameters) yield* parameters(spec.parameters)
}

function* parameters(value: Parameters): Check {
  const at = path('spec').at('parameters')
  if (!value.kind) yield at.at('kind').required('kind is required')
  if (!value.name) yield at.at('name').required('name is required')
  yield* ifThere(at.at('scope'), value.scope, ['Cluster', 'Namespace'])
  if (value.scope === 'Namespace') {
    if (!value.namespace) yield at.at('namespace').required("`parameters.scope` is set to 'Namespace'")
    else yield* follows(at.at('namespace'), value.namespace, dns1123Label)
  } else if (value.namespace !== undefined) yield at.at('namespace').forbidden("`parameters.scope` is set to 'Cluster'")
}

export const ingressclasses: Strategy<networking.IngressClass> = {
  default: (object) => within(object, 'spec', (spec) => within(spec, 'parameters', (p) => orDefault(p, { scope: 'Cluster' }))),
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current): FieldError[] => [...validate(next), ...unchanged(path('spec').at('controller'), next.spec.controller, current.spec.controller)],
  printer: printer<networking.IngressClass>(
    nameColumn,
    text('Controller', 'The controller that serves ingresses of the class.', (o) => o.spec.controller ?? ''),
    text('Parameters', 'An object with more about the class.', (o) => parametersText(o.spec.parameters)),
    ageColumn,
  ),
}
