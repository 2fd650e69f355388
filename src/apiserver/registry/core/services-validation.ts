/** What can be wrong with a service. */
import type { core } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { path } from '../../../machinery/field.ts'
import { cidr, dns1123Label, dns1123Subdomain, ipAddress, portName, qualifiedName, validateLabels } from '../../../machinery/names.ts'
import { ordinaryAddress } from '../addresses.ts'
import { follows, forEach, ifThere, oneOfThese, port, within, type Check } from '../checks.ts'
import { hasClusterIP, hasHealthCheckPort, isHeadless } from './services-allocation.ts'
import { familyOf, familyUpdateErrors } from './services-families.ts'

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const balancerOnly = 'may only be used when `type` is \'LoadBalancer\''

export const isExternal = (spec: core.ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)

export function* serviceSpec(spec: core.ServiceSpec): Check {
  const at = path('spec')
  yield* oneOfThese(at.at('type'), spec.type, types)
  if ((spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') yield at.at('ports').required()
  yield* externalName(at, spec)
  yield* ports(at.at('ports'), spec)
  yield* validateLabels(spec.selector, at.at('selector'))
  yield* sessionAffinity(at, spec)
  yield* clusterAddresses(at, spec)
  yield* forEach(at.at('externalIPs'), spec.externalIPs, outsideAddress)
  yield* traffic(at, spec)
  yield* balancer(at, spec)
}

function* externalName(at: Path, spec: core.ServiceSpec): Check {
  if (spec.type !== 'ExternalName') {
    if (isHeadless(spec) && (spec.type === 'NodePort' || spec.type === 'LoadBalancer')) {
      yield at.at('clusterIPs').index(0).invalid('None', `may not be set to 'None' for ${spec.type} services`)
    }
    return
  }
  for (const name of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    if (spec[name]?.length) yield at.at(name).forbidden('may not be set for ExternalName services')
  }
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  if (!name) yield at.at('externalName').required()
  else yield* follows(at.at('externalName'), name, dns1123Subdomain)
}

function* ports(at: Path, spec: core.ServiceSpec): Check {
  const list = spec.ports ?? []
  const names = new Set<string>()
  const used = new Set<string>()
  const onNodes = new Set<string>()
  for (const [i, p] of list.entries()) {
    const here = at.index(i)
    if (!p.name) {
      if (list.length > 1) yield here.at('name').required()
    } else {
      yield* follows(here.at('name'), p.name, dns1123Label)
      if (names.has(p.name)) yield here.at('name').duplicate(p.name)
      names.add(p.name)
    }
    yield* port(here.at('port'), p.port)
    yield* oneOfThese(here.at('protocol'), p.protocol, ['SCTP', 'TCP', 'UDP'])
    if (typeof p.targetPort === 'number') yield* port(here.at('targetPort'), p.targetPort)
    else yield* follows(here.at('targetPort'), p.targetPort, portName)
    if (p.appProtocol !== undefined) yield* follows(here.at('appProtocol'), p.appProtocol, qualifiedName)
    if (p.nodePort && spec.type === 'ClusterIP') yield here.at('nodePort').forbidden("may not be used when `type` is 'ClusterIP'")
    const key = `${p.protocol}/${p.port}`
    if (used.has(key)) yield here.duplicate({ Name: '', Protocol: p.protocol, AppProtocol: null, Port: p.port, TargetPort: 0, NodePort: 0 })
    used.add(key)
    if (!p.nodePort) continue
    const nodeKey = `${p.protocol}/${p.nodePort}`
    if (onNodes.has(nodeKey)) yield here.at('nodePort').duplicate(p.nodePort)
    onNodes.add(nodeKey)
  }
}

function* sessionAffinity(at: Path, spec: core.ServiceSpec): Check {
  yield* oneOfThese(at.at('sessionAffinity'), spec.sessionAffinity, ['ClientIP', 'None'])
  const place = at.at('sessionAffinityConfig')
  const config = spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'None' && config) yield place.forbidden('must not be set when session affinity is None')
  if (spec.sessionAffinity !== 'ClientIP') return
  const seconds = config?.clientIP?.timeoutSeconds
  if (seconds === undefined) return yield place.required('when session affinity type is ClientIP')
  if (seconds <= 0 || seconds > 86400) yield place.at('clientIP').at('timeoutSeconds').invalid(seconds, 'must be greater than 0 and less than 86400')
}

function* clusterAddresses(at: Path, spec: core.ServiceSpec): Check {
  if (!hasClusterIP(spec)) return
  const list = spec.clusterIPs ?? []
  if (list.length > 0 && !spec.clusterIP) yield at.at('clusterIPs').invalid(list, 'must be empty when `clusterIP` is not specified')
  else if (list.length > 0 && spec.clusterIP !== list[0]) yield at.at('clusterIPs').invalid(list, 'first value must match `clusterIP`')
  if (spec.clusterIP && list.length === 0) yield at.at('clusterIPs').required()
  if (isHeadless(spec) && list.length > 1) yield at.at('clusterIPs').invalid(list, "'None' must be the first and only value")
  let wrong = isHeadless(spec)
  for (const [i, address] of list.entries()) {
    if (i === 0 && address === 'None') continue
    for (const why of ipAddress(address)) {
      wrong = true
      yield at.at('clusterIPs').index(i).invalid(address, why)
    }
  }
  if (list.length > 2) yield at.at('clusterIPs').invalid(list, 'may only hold up to 2 values')
  else if (!wrong) yield* addressFamilies(at, spec, list)
  yield* forEach(at.at('ipFamilies'), spec.ipFamilies, (family, place) => ifThere(place, family, ['IPv4', 'IPv6']))
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) if ((spec.ipFamilies ?? []).indexOf(family) < i) yield at.at('ipFamilies').index(i).duplicate(family)
  yield* ifThere(at.at('ipFamilyPolicy'), spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'])
}

/** Addresses must be of different families, and of those that are said. */
function* addressFamilies(at: Path, spec: core.ServiceSpec, list: readonly string[]): Check {
  if (list.length === 2 && familyOf(list[0] as string) === familyOf(list[1] as string)) yield at.at('clusterIPs').invalid(list, 'may specify no more than one IP for each IP family')
  for (const [i, address] of list.entries()) {
    const family = spec.ipFamilies?.[i]
    if (family && family !== familyOf(address)) yield at.at('clusterIPs').index(i).invalid(address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)
  }
}

function* outsideAddress(address: string, at: Path): Check {
  const problems = ipAddress(address)
  for (const why of problems) yield at.invalid(address, why)
  if (problems.length === 0) yield* ordinaryAddress(at, address)
}

function* traffic(at: Path, spec: core.ServiceSpec): Check {
  const external = spec.externalTrafficPolicy
  if (!isExternal(spec)) {
    if (external) yield at.at('externalTrafficPolicy').invalid(external, 'may only be set for externally-accessible services')
  } else yield* oneOfThese(at.at('externalTrafficPolicy'), external, ['Cluster', 'Local'])
  if (spec.healthCheckNodePort) {
    if (!hasHealthCheckPort(spec)) {
      yield at.at('healthCheckNodePort').invalid(spec.healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")
    } else yield* port(at.at('healthCheckNodePort'), spec.healthCheckNodePort)
  }
  if (spec.type !== 'ExternalName' || spec.internalTrafficPolicy !== undefined) {
    yield* ifThere(at.at('internalTrafficPolicy'), spec.internalTrafficPolicy, ['Cluster', 'Local'])
  }
  yield* ifThere(at.at('trafficDistribution'), spec.trafficDistribution, ['PreferClose', 'PreferSameNode', 'PreferSameZone'])
}

function* balancer(at: Path, spec: core.ServiceSpec): Check {
  const is = spec.type === 'LoadBalancer'
  const ranges = spec.loadBalancerSourceRanges ?? []
  // The capital is Kubernetes's.
  if (ranges.length > 0 && !is) yield at.at('LoadBalancerSourceRanges').forbidden(balancerOnly)
  yield* forEach(at.at('LoadBalancerSourceRanges'), ranges, (block, place) => follows(place, block.trim(), cidr))
  if (spec.allocateLoadBalancerNodePorts !== undefined && !is) yield at.at('allocateLoadBalancerNodePorts').forbidden(balancerOnly)
  if (is && spec.allocateLoadBalancerNodePorts === undefined) yield at.at('allocateLoadBalancerNodePorts').required('field is required when `type` is \'LoadBalancer\'')
  if (spec.loadBalancerClass === undefined) return
  if (!is) yield at.at('loadBalancerClass').forbidden(balancerOnly)
  else yield* follows(at.at('loadBalancerClass'), spec.loadBalancerClass, qualifiedName)
}

/** Addresses stay once they are given; the class of a load balancer stays while it is one. */
export function* serviceUpdate(next: core.Service, current: core.Service): Check {
  const at = path('spec')
  yield* serviceSpec(next.spec)
  yield* familyUpdateErrors(next.spec, current.spec)
  const checked = hasHealthCheckPort(next.spec) && hasHealthCheckPort(current.spec)
  if (checked && next.spec.healthCheckNodePort !== current.spec.healthCheckNodePort) yield at.at('healthCheckNodePort').forbidden('field is immutable')
  if (current.spec.type === 'LoadBalancer' && next.spec.type === 'LoadBalancer' && current.spec.loadBalancerClass !== next.spec.loadBalancerClass) {
    yield at.at('loadBalancerClass').invalid(next.spec.loadBalancerClass ?? null, 'may not change once set')
  }
}

/** The status of a load balancer: addresses or names. */
export function* balancerStatus(next: core.Service): Check {
  const at = path('status').at('loadBalancer').at('ingress')
  const ingress = next.status.loadBalancer.ingress ?? []
  if (next.spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return yield at.forbidden("may only be used when `spec.type` is 'LoadBalancer'")
  }
  yield* forEach(at, ingress, function* (point, place) {
    if (point.ip) {
      yield* follows(place.at('ip'), point.ip, ipAddress)
      yield* ifThere(place.at('ipMode'), point.ipMode, ['Proxy', 'VIP'])
    } else if (point.ipMode !== undefined) yield place.at('ipMode').forbidden('may not be specified when `ip` is not set')
    if (point.hostname) {
      yield* follows(place.at('hostname'), point.hostname, dns1123Subdomain)
      if (ipAddress(point.hostname).length === 0) yield place.at('hostname').invalid(point.hostname, 'must be a DNS name, not an IP address')
    }
    yield* forEach(place.at('ports'), point.ports, (p, here) => within(here.at('port'), p.port, 1, 65535))
  })
}
