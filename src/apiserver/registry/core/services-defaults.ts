/** Defaults of services, and what an update leaves to the system. */
import type { core } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { orDefault, within } from '../defaulting.ts'
import { hasClusterIP, hasHealthCheckPort, hasNodePorts, isHeadless } from './services-allocation.ts'
import { isExternal } from './services-validation.ts'

type Family = 'IPv4' | 'IPv6'

/** Defaults of a service in a cluster whose service addresses are of one family. */
export function serviceDefaults(service: core.Service, family: Family): core.Service {
  const specified = within(service, 'spec', (spec) => families(specDefaults(spec), family))
  return within(specified, 'status', (status) => within(status, 'loadBalancer', (balancer) => within(balancer, 'ingress', (points) =>
    points.map((point) => (point.ip ? orDefault(point, { ipMode: 'VIP' }) : point)))))
}

function specDefaults(spec: core.ServiceSpec): core.ServiceSpec {
  let next = orDefault(spec, { type: 'ClusterIP', sessionAffinity: 'None' })
  if (next.sessionAffinity === 'ClientIP') {
    const seconds = next.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800
    next = { ...next, sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } } }
  } else if (next.sessionAffinity === 'None' && next.sessionAffinityConfig) next = { ...next, sessionAffinityConfig: undefined }
  if (next.type !== 'ExternalName') next = orDefault(next, { internalTrafficPolicy: 'Cluster' })
  if (isExternal(next)) next = orDefault(next, { externalTrafficPolicy: 'Cluster' })
  if (next.type === 'LoadBalancer') next = orDefault(next, { allocateLoadBalancerNodePorts: true })
  if (next.clusterIP && !next.clusterIPs?.length && hasClusterIP(next)) next = { ...next, clusterIPs: [next.clusterIP] }
  return within(next, 'ports', (ports) => ports.map((port) => (port.targetPort === 0 || port.targetPort === '' ? { ...port, targetPort: port.port } : port)))
}

/** A service that leads to no pods of its own may be reached by either family; others have the cluster's. */
function families(spec: core.ServiceSpec, family: Family): core.ServiceSpec {
  if (!hasClusterIP(spec)) return spec
  const other: Family = family === 'IPv4' ? 'IPv6' : 'IPv4'
  const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  const next = orDefault(spec, { ipFamilyPolicy: selectorless ? 'RequireDualStack' : 'SingleStack' })
  if (next.ipFamilies?.length) return next
  return { ...next, ipFamilies: selectorless && next.ipFamilyPolicy !== 'SingleStack' ? [family, other] : [family] }
}

/** What a client left out of an update although the system had given it: addresses, node ports. */
export function keepAllocated(next: core.Service, current: core.Service): core.Service {
  const was = current.spec
  let spec = dropped(next.spec, was)
  if (hasClusterIP(spec) && hasClusterIP(was)) {
    if (!spec.clusterIP && !spec.clusterIPs?.length) spec = { ...spec, clusterIP: was.clusterIP, clusterIPs: was.clusterIPs }
    else if (spec.clusterIP && spec.clusterIP !== was.clusterIP && deepEqual(spec.clusterIPs, was.clusterIPs)) spec = { ...spec, clusterIPs: [spec.clusterIP] }
  }
  if (hasNodePorts(spec) && hasNodePorts(was)) spec = { ...spec, ports: withOldPorts(spec.ports ?? [], was.ports ?? []) }
  if (hasHealthCheckPort(spec) && hasHealthCheckPort(was)) spec = orDefault(spec, { healthCheckNodePort: was.healthCheckNodePort })
  // The address of a load balancer goes with it, although taking it down takes a while.
  const status = spec.type === 'LoadBalancer' || !next.status.loadBalancer.ingress ? next.status : { ...next.status, loadBalancer: {} }
  return { ...next, spec, status }
}

function withOldPorts(next: readonly core.ServicePort[], current: readonly core.ServicePort[]): readonly core.ServicePort[] {
  const taken = new Set(next.map((port) => port.nodePort ?? 0))
  return next.map((port) => {
    if (port.nodePort) return port
    const old = current.find((p) => p.protocol === port.protocol && p.port === port.port)?.nodePort
    return old && !taken.has(old) ? { ...port, nodePort: old } : port
  })
}

const without = (spec: core.ServiceSpec, ...names: readonly (keyof core.ServiceSpec)[]): core.ServiceSpec =>
  ({ ...spec, ...Object.fromEntries(names.map((name) => [name, undefined])) })

/** When the type changes, what belonged to the old one goes, unless the client asked for something new. */
function dropped(next: core.ServiceSpec, was: core.ServiceSpec): core.ServiceSpec {
  let spec = next
  const same = (name: keyof core.ServiceSpec) => deepEqual(next[name], was[name])
  if (hasClusterIP(was) && !hasClusterIP(next)) {
    if (same('clusterIP') && same('clusterIPs')) spec = without(spec, 'clusterIP', 'clusterIPs')
    if (same('ipFamilies')) spec = without(spec, 'ipFamilies')
    if (same('ipFamilyPolicy')) spec = without(spec, 'ipFamilyPolicy')
    if (same('internalTrafficPolicy')) spec = without(spec, 'internalTrafficPolicy')
  }
  const portsOpen = (s: core.ServiceSpec) => s.type === 'NodePort' || s.type === 'LoadBalancer'
  if (portsOpen(was) && !portsOpen(next)) {
    const old = new Set((was.ports ?? []).map((port) => `${port.protocol}/${port.port}/${port.nodePort}`))
    spec = { ...spec, ports: spec.ports?.map((p) => (old.has(`${p.protocol}/${p.port}/${p.nodePort}`) ? { ...p, nodePort: undefined } : p)) }
  }
  if (hasHealthCheckPort(was) && !hasHealthCheckPort(next) && same('healthCheckNodePort')) spec = without(spec, 'healthCheckNodePort')
  if (was.type === 'LoadBalancer' && next.type !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) spec = without(spec, 'allocateLoadBalancerNodePorts')
    if (same('loadBalancerClass')) spec = without(spec, 'loadBalancerClass')
  }
  if (isExternal(was) && !isExternal(next) && same('externalTrafficPolicy')) spec = without(spec, 'externalTrafficPolicy')
  return spec
}
