/** Ingress classes. */
import type { networking } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, pathSegmentName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, ifThere, named, unchanged } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

type Parameters = networking.IngressClassParametersReference

const parametersText = (p: Parameters | undefined): string => (p ? `${p.kind}${p.apiGroup ? `.${p.apiGroup}` : ''}/${p.name}` : '<none>')

const restOfName = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const restForm = new RegExp(`^${restOfName}$`)

function validate({ spec }: networking.IngressClass, root: Place): void {
  const at = root.at('spec')
  const name = spec.controller ?? ''
  const slash = name.indexOf('/')
  const rest = name.slice(slash + 1)
  if (!name) at.at('controller').required()
  else if (slash < 1 || rest === '') at.at('controller').invalid(name, 'must be a domain-prefixed path (such as "acme.io/foo")')
  else {
    if (Buffer.byteLength(name) > 250) at.at('controller').tooLong(250)
    follows(at.at('controller'), name.slice(0, slash), dns1123Subdomain)
    if (!restForm.test(rest)) at.at('controller').invalid(name, `Invalid path (regex used for validation is '${restOfName}')`)
  }
  if (spec.parameters) parameters(spec.parameters, root)
}

function parameters(value: Parameters, root: Place): void {
  const at = root.at('spec').at('parameters')
  if (value.apiGroup !== undefined) follows(at.at('apiGroup'), value.apiGroup, dns1123Subdomain)
  named(at.at('kind'), value.kind, pathSegmentName)
  named(at.at('name'), value.name, pathSegmentName)
  ifThere(at.at('scope'), value.scope, ['Cluster', 'Namespace'])
  if (value.scope === 'Namespace') {
    if (value.namespace === undefined) at.at('namespace').required("`parameters.scope` is set to 'Namespace'")
    else follows(at.at('namespace'), value.namespace, dns1123Label)
  } else if (value.scope === 'Cluster' && value.namespace !== undefined) at.at('namespace').forbidden("`parameters.scope` is set to 'Cluster'")
}

export const ingressclasses: Strategy<networking.IngressClass> = {
  default: (object) => within(object, 'spec', (spec) => within(spec, 'parameters', (p) => orDefault(p, { scope: 'Cluster' }))),
  validate,
  validateUpdate: (next, current, root) => {
    validate(next, root)
    unchanged(root.at('spec').at('controller'), next.spec.controller, current.spec.controller)
  },
  printer: printer<networking.IngressClass>(
    nameColumn,
    text('Controller', 'The controller that serves ingresses of the class.', (o) => o.spec.controller ?? ''),
    text('Parameters', 'An object with more about the class.', (o) => parametersText(o.spec.parameters)),
    ageColumn,
  ),
}
