/** What can be wrong with a service. */
import type { core } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { path } from '../../../machinery/field.ts'
import { cidr, dns1123Label, dns1123Subdomain, ipAddress, portName, qualifiedName, validateLabels } from '../../../machinery/names.ts'
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
  for (const name of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
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
    if (p.appProtocol) yield* follows(here.at('appProtocol'), p.appProtocol, qualifiedName)
    if (p.nodePort && !onNodesAllowed(spec)) yield here.at('nodePort').forbidden(`may not be used when \`type\` is '${spec.type}'`)
    const key = `${p.protocol}/${p.port}`
    if (used.has(key)) yield here.duplicate({ protocol: p.protocol, port: p.port })
    used.add(key)
    if (!p.nodePort) continue
    const nodeKey = `${p.protocol}/${p.nodePort}`
    if (onNodes.has(nodeKey)) yield here.at('nodePort').duplicate({ protocol: p.protocol, nodePort: p.nodePort })
    onNodes.add(nodeKey)
  }
}

const onNodesAllowed = (spec: core.ServiceSpec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer'

function* sessionAffinity(at: Path, spec: core.ServiceSpec): Check {
  yield* oneOfThese(at.at('sessionAffinity'), spec.sessionAffinity, ['ClientIP', 'None'])
  const place = at.at('sessionAffinityConfig')
  const config = spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'None' && config) yield place.forbidden('must not be set when session affinity is None')
  if (spec.sessionAffinity !== 'ClientIP') return
  if (!config?.clientIP?.timeoutSeconds) return yield place.required('when session affinity type is ClientIP')
  const seconds = config.clientIP.timeoutSeconds
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
    if (ipAddress(address).length === 0) continue
    wrong = true
    yield at.at('clusterIPs').index(i).invalid(address, "must be empty, 'None', or a valid IP address")
  }
  if (list.length > 2) yield at.at('clusterIPs').invalid(list, 'may only hold up to 2 values')
  else if (!wrong) yield* addressFamilies(at, spec, list)
  yield* forEach(at.at('ipFamilies'), spec.ipFamilies, (family, place) => ifThere(place, family, ['IPv4', 'IPv6']))
  if (new Set(spec.ipFamilies).size !== (spec.ipFamilies ?? []).length) yield at.at('ipFamilies').index(1).duplicate(spec.ipFamilies?.[1])
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

const reserved: readonly (readonly [RegExp, string])[] = [
  [/^0\.0\.0\.0$|^::$/, 'may not be unspecified (0.0.0.0 or ::)'],
  [/^127\.|^::1$/, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^169\.254\.|^fe[89ab]/i, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^224\.0\.0\.|^ff.2:/i, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

function* outsideAddress(address: string, at: Path): Check {
  const problems = ipAddress(address)
  for (const why of problems) yield at.invalid(address, why)
  if (problems.length === 0) for (const [form, why] of reserved) if (form.test(address)) yield at.invalid(address, why)
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
  if (ranges.length > 0 && !is) yield at.at('loadBalancerSourceRanges').forbidden(balancerOnly)
  else yield* forEach(at.at('loadBalancerSourceRanges'), ranges, (block, place) => follows(place, block.trim(), cidr))
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
  if (current.spec.type === 'LoadBalancer' && next.spec.type === 'LoadBalancer' && current.spec.loadBalancerClass !== next.spec.loadBalancerClass) {
    yield at.at('loadBalancerClass').invalid(next.spec.loadBalancerClass ?? null, 'may not change once set')
  }
}

/** The status of a load balancer: addresses or names. */
export function* balancerStatus(next: core.Service): Check {
  const at = path('status').at('loadBalancer').at('ingress')
  const ingress = next.status.loadBalancer.ingress ?? []
  if (next.spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return yield at.forbidden('may only be used when `spec.type` is "LoadBalancer"')
  }
  yield* forEach(at, ingress, function* (point, place) {
    if (point.ip) {
      yield* follows(place.at('ip'), point.ip, ipAddress)
      yield* ifThere(place.at('ipMode'), point.ipMode, ['Proxy', 'VIP'])
    }
    if (point.hostname) {
      yield* follows(place.at('hostname'), point.hostname, dns1123Subdomain)
      if (ipAddress(point.hostname).length === 0) yield place.at('hostname').invalid(point.hostname, 'must be a DNS name, not an IP address')
    }
    yield* forEach(place.at('ports'), point.ports, (p, here) => within(here.at('port'), p.port, 1, 65535))
  })
}
