/** Network policies. */
import type { networking } from '../../../api/index.ts'
import { path, type Path, type Place } from '../../../machinery/field.ts'
import { inCIDR, parseCIDR, type NameRule } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { blockWarnings, plainBlock, unless } from '../addresses.ts'
import { follows, forEach, ifThere, port, selector } from '../checks.ts'
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

function peer(value: networking.NetworkPolicyPeer, at: Place, rule: NameRule): void {
  const { podSelector, namespaceSelector, ipBlock } = value
  selector(at.at('podSelector'), podSelector)
  selector(at.at('namespaceSelector'), namespaceSelector)
  if (ipBlock) {
    block(at.at('ipBlock'), ipBlock, rule)
    if (podSelector || namespaceSelector) at.forbidden('may not specify both ipBlock and another peer')
  } else if (!podSelector && !namespaceSelector) at.required('must specify a peer')
}

function block(at: Place, value: networking.IPBlock, rule: NameRule): void {
  if (!value.cidr) return at.at('cidr').required()
  follows(at.at('cidr'), value.cidr, rule)
  const whole = parseCIDR(value.cidr)
  if (!whole) return
  forEach(at.at('except'), value.except, (hole, place) => {
    follows(place, hole, rule)
    const parsed = parseCIDR(hole)
    if (parsed && !(inCIDR(value.cidr, parsed.address) && parsed.bits > whole.bits)) place.invalid(hole, 'must be a strict subset of `cidr`')
  })
}

/** The blocks of a policy, with their places. */
function blocksOf({ spec: { ingress = [], egress = [] } }: networking.NetworkPolicy): readonly (readonly [Path, string])[] {
  const of = (at: Path, peers: readonly networking.NetworkPolicyPeer[] = []) => peers.flatMap(({ ipBlock }, i) => {
    const place = at.index(i).at('ipBlock')
    return ipBlock ? [[place.at('cidr'), ipBlock.cidr], ...(ipBlock.except ?? []).map((hole, j) => [place.at('except').index(j), hole] as const)] as const : []
  })
  const at = path('spec')
  return [...ingress.flatMap((rule, i) => of(at.at('ingress').index(i).at('from'), rule.from)), ...egress.flatMap((rule, i) => of(at.at('egress').index(i).at('to'), rule.to))]
}

function spec(at: Place, value: networking.NetworkPolicySpec, rule: NameRule = plainBlock): void {
  const other = (one: networking.NetworkPolicyPeer, place: Place) => peer(one, place, rule)
  selector(at.at('podSelector'), value.podSelector)
  forEach(at.at('ingress'), value.ingress, ({ ports, from }, place) => {
    forEach(place.at('ports'), ports, policyPort)
    forEach(place.at('from'), from, other)
  })
  forEach(at.at('egress'), value.egress, ({ ports, to }, place) => {
    forEach(place.at('ports'), ports, policyPort)
    forEach(place.at('to'), to, other)
  })
  const types = value.policyTypes ?? []
  if (types.length > 2) return at.at('policyTypes').invalid(types, 'may not specify more than two policyTypes')
  forEach(at.at('policyTypes'), types, (type, place) => ifThere(place, type, ['Ingress', 'Egress']))
}

export const networkpolicies: Strategy<networking.NetworkPolicy> = {
  default: withDefaults,
  validate: (policy, root) => spec(root.at('spec'), policy.spec),
  validateUpdate: (next, current, root) => spec(root.at('spec'), next.spec, unless(blocksOf(current).map(([, value]) => value), plainBlock)),
  warnings: (policy) => blocksOf(policy).flatMap(([at, value]) => blockWarnings(at, value)),
  printer: printer<networking.NetworkPolicy>(
    nameColumn,
    text('Pod-Selector', 'Which pods it is about.', (o) => selectorText(o.spec.podSelector)),
    ageColumn,
  ),
}
