/** Network policies. */
import type { networking } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { cidr, inCIDR, parseCIDR } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, ifThere, port, selector } from '../checks.ts'
import { portOrName } from '../core/validation/probes.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, selectorText, text } from '../printing.ts'

type Rule = { readonly ports?: readonly networking.NetworkPolicyPort[] | undefined }

/** Every policy is about what comes in, and about what goes out if it says anything of it; ports are TCP. */
function withDefaults(policy: networking.NetworkPolicy): networking.NetworkPolicy {
  const ports = <R extends Rule>(rule: R): R => within(rule, 'ports', (list) => (list as readonly networking.NetworkPolicyPort[]).map((p) => orDefault(p, { protocol: 'TCP' })) as never)
  return within(policy, 'spec', (spec) => {
    const types: networking.PolicyType[] = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
    const next = orDefault(spec, { policyTypes: types })
    return within(within(next, 'ingress', (rules) => rules.map(ports)), 'egress', (rules) => rules.map(ports))
  })
}

function policyPort(value: networking.NetworkPolicyPort, at: Place): void {
  ifThere(at.at('protocol'), value.protocol, ['TCP', 'UDP', 'SCTP'])
  if (value.port !== undefined) portOrName(at.at('port'), value.port)
  if (value.endPort === undefined) return
  if (typeof value.port === 'string') at.at('endPort').invalid(value.endPort, 'may not be specified when `port` is non-numeric')
  else if (value.port === undefined) at.at('endPort').invalid(value.endPort, 'may not be specified when `port` is not specified')
  else {
    if (value.endPort < value.port) at.at('endPort').invalid(value.endPort, 'must be greater than or equal to `port`')
    port(at.at('endPort'), value.endPort)
  }
}

function peer(value: networking.NetworkPolicyPeer, at: Place): void {
  const { podSelector, namespaceSelector, ipBlock } = value
  selector(at.at('podSelector'), podSelector)
  selector(at.at('namespaceSelector'), namespaceSelector)
  if (ipBlock) {
    block(at.at('ipBlock'), ipBlock)
    if (podSelector || namespaceSelector) at.forbidden('may not specify both ipBlock and another peer')
  } else if (!podSelector && !namespaceSelector) at.required('must specify a peer')
}

function block(at: Place, value: networking.IPBlock): void {
  if (!value.cidr) return at.at('cidr').required()
  const problems = cidr(value.cidr)
  for (const why of problems) at.at('cidr').invalid(value.cidr, why)
  if (problems.length > 0) return
  forEach(at.at('except'), value.except, (hole, place) => {
    const parsed = parseCIDR(hole)
    if (!parsed) return place.invalid(hole, cidr(hole)[0] ?? '')
    const inside = inCIDR(value.cidr, parsed.address) && parsed.bits > (parseCIDR(value.cidr)?.bits ?? 0)
    if (!inside) place.invalid(hole, 'must be a strict subset of `cidr`')
  })
}

function spec(at: Place, value: networking.NetworkPolicySpec): void {
  selector(at.at('podSelector'), value.podSelector)
  forEach(at.at('ingress'), value.ingress, (rule, place) => {
    forEach(place.at('ports'), rule.ports, policyPort)
    forEach(place.at('from'), rule.from, peer)
  })
  forEach(at.at('egress'), value.egress, (rule, place) => {
    forEach(place.at('ports'), rule.ports, policyPort)
    forEach(place.at('to'), rule.to, peer)
  })
  const types = value.policyTypes ?? []
  if (types.length > 2) return at.at('policyTypes').invalid(types, 'may not specify more than two policyTypes')
  forEach(at.at('policyTypes'), types, (type, place) => ifThere(place, type, ['Ingress', 'Egress']))
}

export const networkpolicies: Strategy<networking.NetworkPolicy> = {
  default: withDefaults,
  validate: (policy, root) => spec(root.at('spec'), policy.spec),
  printer: printer<networking.NetworkPolicy>(
    nameColumn,
    text('Pod-Selector', 'Which pods it is about.', (o) => selectorText(o.spec.podSelector)),
    ageColumn,
  ),
}
