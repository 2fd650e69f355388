/** What can be wrong with a service. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, portName, qualifiedName, validateLabels, type NameRule } from '../../../machinery/names.ts'
import { looksLikeAddress, ordinaryAddress, plainAddress, plainBlock, unless } from '../addresses.ts'
import { follows, forEach, ifThere, oneOfThese, port, within } from '../checks.ts'
import { hasClusterIP, hasHealthCheckPort, isHeadless } from './services-allocation.ts'
import { familyOf, familyUpdateErrors } from './services-families.ts'

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const balancerOnly = 'may only be used when `type` is \'LoadBalancer\''

/** Whether the service can be reached from outside the cluster. */
export const isExternal = (spec: core.ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)

/** Validates the spec of a service; addresses that it had before may stay as they were written. */
export function serviceSpec(spec: core.ServiceSpec, root: Place, was?: core.ServiceSpec): void {
  const at = root.at('spec')
  if ((spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') at.at('ports').required()
  externalName(at, spec)
  ports(at.at('ports'), spec)
  validateLabels(spec.selector, at.at('selector'))
  sessionAffinity(at, spec)
  oneOfThese(at.at('type'), spec.type, types)
  clusterAddresses(at, spec, unless(was?.clusterIPs, plainAddress))
  const outside = unless(was?.externalIPs, plainAddress)
  forEach(at.at('externalIPs'), spec.externalIPs, (address, place) => outsideAddress(address, place, outside))
  traffic(at, spec)
  balancer(at, spec, unless(was?.loadBalancerSourceRanges?.map((block) => block.trim()), plainBlock))
}

function externalName(at: Place, spec: core.ServiceSpec): void {
  if (spec.type !== 'ExternalName') {
    if (isHeadless(spec) && (spec.type === 'NodePort' || spec.type === 'LoadBalancer')) {
      at.at('clusterIPs').index(0).invalid('None', `may not be set to 'None' for ${spec.type} services`)
    }
    return
  }
  for (const name of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    if (spec[name]?.length) at.at(name).forbidden('may not be set for ExternalName services')
  }
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  if (!name) at.at('externalName').required()
  else follows(at.at('externalName'), name, dns1123Subdomain)
}

function ports(at: Place, spec: core.ServiceSpec): void {
  const list = spec.ports ?? []
  const names = new Set<string>()
  const used = new Set<string>()
  const onNodes = new Set<string>()
  for (const [i, p] of list.entries()) {
    const here = at.index(i)
    if (!p.name) {
      if (list.length > 1) here.at('name').required()
    } else {
      follows(here.at('name'), p.name, dns1123Label)
      if (names.has(p.name)) here.at('name').duplicate(p.name)
      names.add(p.name)
    }
    port(here.at('port'), p.port)
    oneOfThese(here.at('protocol'), p.protocol, ['SCTP', 'TCP', 'UDP'])
    if (typeof p.targetPort === 'number') port(here.at('targetPort'), p.targetPort)
    else follows(here.at('targetPort'), p.targetPort, portName)
    if (p.appProtocol !== undefined) follows(here.at('appProtocol'), p.appProtocol, qualifiedName)
    if (p.nodePort && spec.type === 'ClusterIP') here.at('nodePort').forbidden("may not be used when `type` is 'ClusterIP'")
    const key = `${p.protocol}/${p.port}`
    if (used.has(key)) here.duplicate({ Name: '', Protocol: p.protocol, AppProtocol: null, Port: p.port, TargetPort: 0, NodePort: 0 })
    used.add(key)
    if (!p.nodePort) continue
    const nodeKey = `${p.protocol}/${p.nodePort}`
    if (onNodes.has(nodeKey)) here.at('nodePort').duplicate(p.nodePort)
    onNodes.add(nodeKey)
  }
}

function sessionAffinity(at: Place, spec: core.ServiceSpec): void {
  oneOfThese(at.at('sessionAffinity'), spec.sessionAffinity, ['ClientIP', 'None'])
  const place = at.at('sessionAffinityConfig')
  const config = spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'None' && config) place.forbidden('must not be set when session affinity is None')
  if (spec.sessionAffinity !== 'ClientIP') return
  const seconds = config?.clientIP?.timeoutSeconds
  if (seconds === undefined) return place.required('when session affinity type is ClientIP')
  if (seconds <= 0 || seconds > 86400) place.at('clientIP').at('timeoutSeconds').invalid(seconds, 'must be greater than 0 and less than 86400')
}

function clusterAddresses(at: Place, spec: core.ServiceSpec, rule: NameRule): void {
  if (!hasClusterIP(spec)) return
  const list = spec.clusterIPs ?? []
  if (list.length > 0 && !spec.clusterIP) at.at('clusterIPs').invalid(list, 'must be empty when `clusterIP` is not specified')
  else if (list.length > 0 && spec.clusterIP !== list[0]) at.at('clusterIPs').invalid(list, 'first value must match `clusterIP`')
  if (spec.clusterIP && list.length === 0) at.at('clusterIPs').required()
  if (isHeadless(spec) && list.length > 1) at.at('clusterIPs').invalid(list, "'None' must be the first and only value")
  let wrong = isHeadless(spec)
  for (const [i, address] of list.entries()) {
    if (i === 0 && address === 'None') continue
    for (const why of rule(address)) {
      wrong = true
      at.at('clusterIPs').index(i).invalid(address, why)
    }
  }
  if (list.length > 2) at.at('clusterIPs').invalid(list, 'may only hold up to 2 values')
  else if (!wrong) addressFamilies(at, spec, list)
  forEach(at.at('ipFamilies'), spec.ipFamilies, (family, place) => ifThere(place, family, ['IPv4', 'IPv6']))
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) if ((spec.ipFamilies ?? []).indexOf(family) < i) at.at('ipFamilies').index(i).duplicate(family)
  ifThere(at.at('ipFamilyPolicy'), spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'])
}

/** Addresses must be of different families, and of those that are said. */
function addressFamilies(at: Place, spec: core.ServiceSpec, list: readonly string[]): void {
  if (list.length === 2 && familyOf(list[0] as string) === familyOf(list[1] as string)) at.at('clusterIPs').invalid(list, 'may specify no more than one IP for each IP family')
  for (const [i, address] of list.entries()) {
    const family = spec.ipFamilies?.[i]
    if (family && family !== familyOf(address)) at.at('clusterIPs').index(i).invalid(address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)
  }
}

function outsideAddress(address: string, at: Place, rule: NameRule): void {
  const problems = rule(address)
  for (const why of problems) at.invalid(address, why)
  if (problems.length === 0) ordinaryAddress(at, address)
}

function traffic(at: Place, spec: core.ServiceSpec): void {
  const external = spec.externalTrafficPolicy
  if (!isExternal(spec)) {
    if (external) at.at('externalTrafficPolicy').invalid(external, 'may only be set for externally-accessible services')
  } else oneOfThese(at.at('externalTrafficPolicy'), external, ['Cluster', 'Local'])
  if (spec.healthCheckNodePort) {
    if (!hasHealthCheckPort(spec)) {
      at.at('healthCheckNodePort').invalid(spec.healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")
    } else port(at.at('healthCheckNodePort'), spec.healthCheckNodePort)
  }
  if (spec.type !== 'ExternalName' || spec.internalTrafficPolicy !== undefined) {
    ifThere(at.at('internalTrafficPolicy'), spec.internalTrafficPolicy, ['Cluster', 'Local'])
  }
  ifThere(at.at('trafficDistribution'), spec.trafficDistribution, ['PreferClose', 'PreferSameNode', 'PreferSameZone'])
}

function balancer(at: Place, spec: core.ServiceSpec, rule: NameRule): void {
  const is = spec.type === 'LoadBalancer'
  const ranges = spec.loadBalancerSourceRanges ?? []
  // The capital is Kubernetes's.
  if (ranges.length > 0 && !is) at.at('LoadBalancerSourceRanges').forbidden(balancerOnly)
  forEach(at.at('LoadBalancerSourceRanges'), ranges, (block, place) => follows(place, block.trim(), rule))
  if (spec.allocateLoadBalancerNodePorts !== undefined && !is) at.at('allocateLoadBalancerNodePorts').forbidden(balancerOnly)
  if (is && spec.allocateLoadBalancerNodePorts === undefined) at.at('allocateLoadBalancerNodePorts').required('field is required when `type` is \'LoadBalancer\'')
  if (spec.loadBalancerClass === undefined) return
  if (!is) at.at('loadBalancerClass').forbidden(balancerOnly)
  else follows(at.at('loadBalancerClass'), spec.loadBalancerClass, qualifiedName)
}

const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges'

/** The same ranges in an annotation, as they were written before there was a field; the field comes first. */
export function annotatedRanges({ metadata, spec }: core.Service, root: Place, current?: core.Service): void {
  const value = metadata.annotations?.[rangesAnnotation]
  if (value === undefined || spec.loadBalancerSourceRanges?.length) return
  const at = root.at('metadata').at('annotations').key(rangesAnnotation)
  if (spec.type !== 'LoadBalancer') at.forbidden(balancerOnly)
  if (value.trim() === '' || value === current?.metadata.annotations?.[rangesAnnotation]) return
  for (const block of value.trim().split(',')) follows(at, block.trim(), plainBlock)
}

/** Addresses stay once they are given; the class of a load balancer stays while it is one. */
export function serviceUpdate(next: core.Service, current: core.Service, root: Place): void {
  const at = root.at('spec')
  serviceSpec(next.spec, root, current.spec)
  annotatedRanges(next, root, current)
  familyUpdateErrors(next.spec, current.spec, root)
  const checked = hasHealthCheckPort(next.spec) && hasHealthCheckPort(current.spec)
  if (checked && next.spec.healthCheckNodePort !== current.spec.healthCheckNodePort) at.at('healthCheckNodePort').forbidden('field is immutable')
  if (current.spec.type === 'LoadBalancer' && next.spec.type === 'LoadBalancer' && current.spec.loadBalancerClass !== next.spec.loadBalancerClass) {
    at.at('loadBalancerClass').invalid(next.spec.loadBalancerClass ?? null, 'may not change once set')
  }
}

/** The status of a load balancer: addresses or names. */
export function balancerStatus(next: core.Service, current: core.Service, root: Place): void {
  const at = root.at('status').at('loadBalancer').at('ingress')
  const ingress = next.status.loadBalancer.ingress ?? []
  const before = current.status.loadBalancer.ingress?.map(({ ip = '' }) => ip)
  if (next.spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return at.forbidden("may only be used when `spec.type` is 'LoadBalancer'")
  }
  forEach(at, ingress, (point, place) => {
    if (point.ip) {
      follows(place.at('ip'), point.ip, unless(before, plainAddress))
      ifThere(place.at('ipMode'), point.ipMode, ['Proxy', 'VIP'])
    } else if (point.ipMode !== undefined) place.at('ipMode').forbidden('may not be specified when `ip` is not set')
    if (point.hostname) {
      follows(place.at('hostname'), point.hostname, dns1123Subdomain)
      if (looksLikeAddress(point.hostname)) place.at('hostname').invalid(point.hostname, 'must be a DNS name, not an IP address')
    }
    forEach(place.at('ports'), point.ports, (p, here) => within(here.at('port'), p.port, 1, 65535))
  })
}
